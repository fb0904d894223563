"""The files of the checkout as tidy sees them: text, code without comments, functions.

Every file is read once. Positions stay true: what is blanked out is replaced by spaces,
line for line.
"""
import ast
import os
import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

SKIPPED_FOLDERS = {"node_modules", "__pycache__", "data", "corpus", "dist"}
CPP = {".h", ".cc"}

# One match for each comment and literal; a raw string names its own end.
CPP_WORDS = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^\s()\\]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', re.S)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
CONTAINER = re.compile(r"\b(namespace|class|struct|union|enum)\b|^\s*extern\s*$")
AFTER_PARAMETERS = re.compile(
    r"\)\s*(?:(?:const|noexcept|override|final|mutable|volatile|try|requires\b.*|&&?|->\s*.+|:\s.*)\s*)*$", re.S)


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


@dataclass
class Function:
    name: str
    first: int
    last: int

    @property
    def lines(self):
        return self.last - self.first + 1


class Source:
    """One file. `path` is relative to the root, with slashes."""

    def __init__(self, root, path):
        self.root = root
        self.path = path
        self.text = (Path(root) / path).read_text(encoding="utf-8", errors="replace")

    @cached_property
    def name(self):
        return self.path.rsplit("/", 1)[-1]

    @cached_property
    def suffix(self):
        return Path(self.path).suffix

    @cached_property
    def is_test(self):
        return bool(re.search(r"_test\.\w+$", self.path)) or "/testing/" in self.path or self.path.startswith("tests/")

    @cached_property
    def code(self):
        """The text with comments and literals blanked out; for C++ only."""
        return CPP_WORDS.sub(blank, self.text) if self.suffix in CPP else self.text

    @cached_property
    def includes(self):
        """(line, quote or bracket, what) of each include of a C++ file."""
        if self.suffix not in CPP:
            return []
        return [(self.line_of(m.start()), m.group(1), m.group(2)) for m in INCLUDE.finditer(self.text)]

    @cached_property
    def _line_starts(self):
        return [0] + [m.end() for m in re.finditer("\n", self.text)]

    def line_of(self, position):
        return bisect_right(self._line_starts, position)

    @cached_property
    def line_count(self):
        return self.text.count("\n") + (not self.text.endswith("\n"))

    @cached_property
    def functions(self):
        if self.suffix in CPP:
            return list(self._cpp_functions())
        if self.suffix == ".py" or self.text.startswith("#!/usr/bin/env python3"):
            return list(self._python_functions())
        return []

    def _python_functions(self):
        try:
            tree = ast.parse(self.text)
        except SyntaxError:
            return  # whoever runs it is told
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield Function(node.name, node.lineno, node.end_lineno)

    def _cpp_functions(self):
        """Outermost blocks that follow a parameter list, lambdas inside them included."""
        code = re.sub(r"^[ \t]*#[^\n]*(?:\\\n[^\n]*)*", blank, self.code, flags=re.M)
        open_blocks = []  # of each open brace: the Function that it begins or None, and where its head began
        inside = 0  # how many of them begin functions
        head = 0  # where the text before the next brace began
        for mark in re.finditer(r"[{};]", code):
            if mark.group() == "{":
                before = code[head:mark.start()]
                function = None if inside else self._function_of(before, head)
                open_blocks.append((function, head))
                inside += function is not None
            elif mark.group() == "}" and open_blocks:
                function, begun = open_blocks.pop()
                inside -= function is not None
                if function and re.match(r"\s*[,{]", code[mark.end():mark.end() + 200]):
                    head = begun  # it was a member's initialiser; the body is yet to come
                    continue
                if function:
                    function.last = self.line_of(mark.start())
                    yield function
            head = mark.end()

    def _function_of(self, before, head):
        parameters = AFTER_PARAMETERS.search(before)
        if not parameters or re.search(r"=\s*$", before):
            return None
        if CONTAINER.search(before) and not re.search(r"\)\s*(const|noexcept|override)*\s*$", before):
            return None
        name = re.search(r"([\w~:]+|operator\S+)\s*\(", before)
        first = self.line_of(head + len(before) - len(before.lstrip()))
        return Function(name.group(1) if name else "a function", first, first)


def read_tree(root):
    """All files of the checkout that people write, by path."""
    sources = {}
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders
                            if f not in SKIPPED_FOLDERS and not f.startswith(("build", ".")))
        for name in sorted(files):
            path = os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/")
            if not name.startswith(".") and os.path.getsize(os.path.join(root, path)) < 2_000_000:
                sources[path] = Source(root, path)
    return sources

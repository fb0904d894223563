"""Shape: what a file's first lines say, how long it and its functions are, and names."""
import re

from report import Report

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
FIRST_WORDS_MIN = 4  # fewer cannot say what a file is
SCRIPTS = {".js", ".py", ".sh", ".ts"}
HEADED = {".h", ".cc", ".cmake", ".css", ".sql", ".toml"} | SCRIPTS
SNAKE = re.compile(r"[a-z][a-z0-9_]*")
COMMENT = re.compile(r'\s*(?://+|#+|--|/\*+|"""|<!--)\s*(.*)')


def check(sources):
    for source in sources.values():
        written = source.suffix in HEADED or source.name == "CMakeLists.txt" or source.text.startswith("#!")
        if written:
            yield from check_first_lines(source, sources)
            yield from check_sizes(source)
        if source.suffix in {".h", ".cc"} | SCRIPTS:
            yield from check_name(source)
    yield from check_neighbours(sources)


def check_first_lines(source, sources):
    """A comment that says something; `// See page.h.` is enough where page.h stands beside it."""
    lines = source.text.splitlines() or [""]
    at = 0
    while at < len(lines) and lines[at].startswith(("#!", "# shellcheck")):
        at += 1
    match = COMMENT.match(lines[at]) if at < len(lines) else None
    said = match.group(1) if match else ""
    if said in ("", "*") and match and at + 1 < len(lines):
        said = lines[at + 1]
    see = re.match(r"See (\w+\.h)\b", said)
    if see and f"{source.path.rpartition('/')[0]}/{see.group(1)}" in sources:
        return
    if not match or len(said.split()) < FIRST_WORDS_MIN:
        yield Report(source.path, at + 1, "first_lines", "begin with a comment: what this file is, who owns it, what always holds.")


def check_sizes(source):
    if source.line_count > FILE_LINES_MAX:
        yield Report(source.path, FILE_LINES_MAX + 1, "file_size",
                     f"{source.line_count} lines: split it by thought, {FILE_LINES_MAX} at most.")
    for function in source.functions:
        if function.lines > FUNCTION_LINES_MAX:
            yield Report(source.path, function.first, "function_size",
                         f"{function.name} has {function.lines} lines: name its steps as functions, {FUNCTION_LINES_MAX} at most.")


def check_name(source):
    *folders, name = source.path.split("/")
    stem = name.rsplit(".", 1)[0]
    for part in [stem] + (folders if folders[:1] == ["troupe"] else []):
        if not SNAKE.fullmatch(part):
            yield Report(source.path, 1, "names", f"call it {re.sub(r'[^a-z0-9]+', '_', part.lower())}: names of files and folders are snake_case.")


def check_neighbours(sources):
    """A .cc has its header (key_jwk.cc may belong to key.h), and a test of its folder reaches it."""
    reached = reached_by_tests(sources)
    for source in sources.values():
        if not source.path.startswith("troupe/") or source.suffix != ".cc" or source.is_test or source.name == "main.cc":
            continue
        stem = source.path[:-len(".cc")]
        name = stem.rsplit("/", 1)[-1]
        header = next((h for h in prefixes(stem) if f"{h}.h" in sources), None)
        if not header:
            yield Report(source.path, 1, "header_beside", "no header has its name: declare what it offers in one, or begin its name with its header's.")
        elif header not in reached:
            yield Report(source.path, 1, "untested", f"no test in its folder reaches it: write {name}_test.cc.")


def prefixes(stem):
    """The stem itself, then without its last word, and so on."""
    folder, _, name = stem.rpartition("/")
    words = name.split("_")
    return [f"{folder}/{'_'.join(words[:n])}" for n in range(len(words), 0, -1)]


def reached_by_tests(sources):
    """Stems that a test includes, itself or through what stands in the test's own folder."""
    reached = set()
    for test in (s for s in sources.values() if s.path.startswith("troupe/") and s.path.endswith("_test.cc")):
        folder = test.path.rsplit("/", 1)[0] + "/"
        ahead = [test.path]
        while ahead:
            for _, _, what in sources[ahead.pop()].includes:
                stem = what.rsplit(".", 1)[0]
                if what.startswith(folder) and stem not in reached:
                    reached.add(stem)
                    ahead += [path for path in (f"{stem}.h", f"{stem}.cc") if path in sources]
    return reached

"""Banned forms: what is known to break determinism, layers or readers, and what to write instead."""
import re
from dataclasses import dataclass

from report import Report


@dataclass(frozen=True)
class Form:
    """`pattern` is looked for in code (comments and literals blanked) of the files it names."""
    rule: str
    pattern: str
    sentence: str
    inside: tuple = ("troupe/", "bench/", "examples/", "fuzz/")
    suffixes: tuple = (".h", ".cc")
    in_tests: bool = True


CPP = (".h", ".cc")

FORMS = (
    Form("raw_clock", r"\b\w+_clock::now\b|\b(?:clock_gettime|gettimeofday)\b|(?:\bstd|(?<!\w))::time\s*\(",
         "ask the Clock or Context that was handed in: the simulator cannot steer this one."),
    Form("raw_random", r"\brandom_device\b|\bmt19937(?:_64)?\b|\b(?:std::)?s?rand\s*\(|\bgetrandom\b|\barc4random",
         "ask the base::Random that was handed in, so that a run can be repeated from its seed."),
    Form("threads", r"\bstd::(?:jthread|thread|atomic\w*|mutex|shared_mutex|recursive_mutex|condition_variable\w*|lock_guard|"
         r"scoped_lock|unique_lock|shared_lock|call_once|once_flag|async|future|promise|barrier|latch|counting_semaphore)\b|"
         r"\bthread_local\b|\bpthread_\w+", "only the engine shares memory: make it an actor's state, or use blocking()."),
    Form("sleep", r"\bsleep_(?:for|until)\b|\b(?:u|nano)?sleep\s*\((?=\s*\d+\s*\))|\busleep\b",
         "it stops a whole core: co_await ctx.sleep(), or move virtual time in a test.", inside=("troupe/",)),
    Form("using_namespace", r"\busing\s+namespace\b(?!\s+[\w:]*_literals\b)", "a header must not open a namespace for whoever includes it.",
         suffixes=(".h",)),
    Form("output", r"\b(?:std::)?(?:f?printf|puts|fputs|putchar|perror)\s*\(|\bstd::(?:cout|cerr|clog)\b|\bfmt::print\w*\s*\(",
         "a library does not print: log it (troupe/base/log.h) or give it back.", in_tests=False),
    Form("unsafe_c", r"\b(?:std::)?(?:sprintf|vsprintf|strcpy|strcat|strtok|gets|ato[ifl]|popen)\s*\(|\bstd::system\b",
         "use fmt, std::from_chars or std::string: this one has no bounds or no errors."),
    Form("assert", r"(?<![\w])assert\s*\(", "use INVARIANT(condition, \"why\"): it also holds in release builds."),
    Form("owner", r"\bdelete\s+[\w(*]|\bdelete\[\]|\b(?:std::)?(?:malloc|calloc|realloc)\s*\(",
         "give it one owner: std::unique_ptr, or Handle for what C made.", inside=("troupe/",), in_tests=False),
    Form("pointer_order", r"\b(?:map|set|multimap|multiset|priority_queue|less|greater)\s*<\s*(?:const\s+)?[\w:]+(?:<[^<>]*>)?"
         r"\s*(?:const\s*)?\*|\bowner_less\b|\.get\(\)\s*[<>]=?\s*[\w.>-]+\.get\(\)",
         "addresses differ from run to run: order by an id or a name."),
)

# A variable or a name for a type whose container has no order; what stands between the angles is cut out before.
UNORDERED_ALIAS = re.compile(r"\busing\s+(\w+)\s*=\s*(?:std::)?unordered_\w+")
UNORDERED_NAME = r"\b(?:(?:std::)?unordered_\w+{aliases})\b\s*&?\s*(\w+)\s*(?=[;,={{)])"

# Libraries that stay behind our own headers: who includes ours must not compile theirs.
FOREIGN = re.compile(r"boost/(?:beast|asio|json)|openssl/|sqlite3\.h|libpq|spdlog/|simdjson|toml\+\+|CLI/|argon2|curl/|nats")


def check(sources):
    for source in sources.values():
        for form in FORMS:
            yield from check_form(source, form)
        if source.path.startswith("troupe/"):
            yield from check_foreign_headers(source)
        if source.path.startswith(("troupe/", "bench/", "examples/")) and source.suffix in CPP:
            yield from check_unordered(source, sources)
        if source.suffix in (".h", ".cc"):
            yield from check_awaits(source)
            yield from check_comments(source)


def check_form(source, form):
    if source.suffix not in form.suffixes or not source.path.startswith(form.inside):
        return
    if source.is_test and not form.in_tests:
        return
    for match in re.finditer(form.pattern, source.code):
        yield Report(source.path, source.line_of(match.start()), form.rule, f"`{match.group().strip(' (')}`: {form.sentence}")


def check_foreign_headers(source):
    if source.suffix == ".h":
        for line, _, what in source.includes:
            if FOREIGN.match(what):
                yield Report(source.path, line, "foreign_header", f"<{what}> belongs into the .cc: our headers show no other library.")


def without_arguments(code):
    """The code with what stands between angle brackets cut out, so that a type and its variable stand side by side."""
    before = None
    while before != code:
        before, code = code, re.sub(r"<[^<>;{}]*>", "", code)
    return code


def unordered_names(source):
    if "unordered_" not in source.code:
        return set()
    code = without_arguments(source.code)
    aliases = "".join("|" + name for name in UNORDERED_ALIAS.findall(code))
    return set(re.findall(UNORDERED_NAME.format(aliases=aliases), code))


def check_unordered(source, sources):
    """Loops over what has no order. The names that count are those of the file and of the headers beside it."""
    names = unordered_names(source)
    for _, _, what in source.includes:
        header = sources.get(what)
        if header and header.path.rsplit("/", 1)[0] == source.path.rsplit("/", 1)[0]:
            # Another class's members are out of reach, its fields are not.
            its_own = source.name.startswith(header.name.rsplit(".", 1)[0])
            names |= {name for name in unordered_names(header) if its_own or not name.endswith("_")}
    if not names:
        return
    one = "(?:" + "|".join(sorted(names)) + ")"
    loops = rf"\bfor\s*\([^;()]*:\s*(?:[\w.]|->)*\b{one}\s*\)|\b{one}\s*(?:\.|->)\s*c?begin\s*\(\)|\bfor_each\s*\(\s*(?:[\w.]|->)*\b{one}\b"
    for match in re.finditer(loops, source.code):
        yield Report(source.path, source.line_of(match.start()), "unordered_iteration",
                     "an unordered container has another order in another build: keep a list beside it, sort first, or use a map.")


def check_awaits(source):
    for match in re.finditer(r"\b(if|while|switch|for)\s*(?:constexpr\s*)?\(", source.code):
        end, depth = match.end(), 1
        while depth and end < len(source.code):
            depth += {"(": 1, ")": -1}.get(source.code[end], 0)
            end += 1
        awaited = re.compile(r"(?<!operator )\bco_await\b").search(source.code, match.end(), end)
        if awaited:
            yield Report(source.path, source.line_of(awaited.start()), "await_line",
                         f"an await inside `{match.group(1)} (...)`: give it a line and a name of its own; some compilers break this form.")


def check_comments(source):
    for match in re.finditer(r"\b(?:TODO|FIXME|XXX|HACK)\b(?!.*#\d)", source.text):
        yield Report(source.path, source.line_of(match.start()), "todo", "do it, or name the issue that will: `TODO(#12): ...`.")
    for match in re.finditer(r"NOLINT|clang-format off", source.text):
        yield Report(source.path, source.line_of(match.start()), "silenced", f"`{match.group()}` hides a finding: mend it, or change the rule for all.")

"""Documents: the paths they name exist, the tests they quote are there, lock files name no machine."""
import glob
import os
import re

from report import Report

OURS = re.compile(r"\.(?:h|cc|md|py|js|sh|txt|toml|cmake|json)$")
HISTORY = ("CHANGELOG.md", "docs/decisions/")  # speak of what was


def check(sources):
    if not sources:
        return
    root = next(iter(sources.values())).root
    tops = {entry for folder in (root, os.path.join(root, "troupe")) if os.path.isdir(folder)
            for entry in os.listdir(folder) if os.path.isdir(os.path.join(folder, entry))} - {"build", "data"}
    for source in sources.values():
        if source.suffix == ".md" and not source.path.startswith(HISTORY):
            yield from check_paths(source, root, tops)
            yield from check_links(source, root)
            yield from check_cuttings(source, root)
        if source.name == "package-lock.json":
            yield from check_lock(source)


def check_paths(source, root, tops):
    """A path in backticks is one if it begins with a folder of ours; it stands below the root,
    below troupe/ or beside the document."""
    text = re.sub(r"^```.*?^```", lambda m: re.sub(r"[^\n]", " ", m.group()), source.text, flags=re.S | re.M)
    for match in re.finditer(r'`([\w.*/-]+)`(?:: "([^"\n]+)")?', text):
        path, sentence = match.groups()
        if "/" not in path or path.startswith(("/", "./")) or path.split("/")[0] not in tops:
            continue
        places = (root, os.path.join(root, "troupe"), os.path.dirname(os.path.join(root, source.path)))
        endings = ("", ".h", ".cc", "_test.cc")
        found = [file for place in places for ending in endings for file in glob.glob(os.path.join(place, path + ending))]
        line = source.line_of(match.start())
        if not found:
            yield Report(source.path, line, "paths", f"`{path}` does not exist: say where it went.")
        elif sentence and not any(says(file, sentence) for file in found):
            yield Report(source.path, line, "quotes", f'`{path}` has no test "{sentence}": quote it to the letter.')


def check_links(source, root):
    for match in re.finditer(r"\]\(([\w./-]+)\)", source.text):
        if not os.path.exists(os.path.join(root, os.path.dirname(source.path), match.group(1))):
            yield Report(source.path, source.line_of(match.start()), "links", f"({match.group(1)}) leads nowhere.")


def check_cuttings(source, root):
    """Where a page says that its code is cut from `examples`, each piece stands in the file named last before it, line
    for line, however deep."""
    if "cut from a file of `examples`" not in source.text:
        return
    for match in re.finditer(r"^```cpp\n(.*?)^```", source.text, flags=re.S | re.M):
        line = source.line_of(match.start())
        before = re.findall(r"`(examples/\w+\.cc)`", source.text[:match.start()])
        path = os.path.join(root, before[-1]) if before else ""
        if not os.path.isfile(path):
            yield Report(source.path, line, "cuttings", "name the example that this code is cut from before it.")
            continue
        with open(path, encoding="utf-8") as file:
            whole = [text.strip() for text in file.read().splitlines()]
        cutting = [text.strip() for text in match.group(1).strip("\n").splitlines()]
        if not any(whole[at:at + len(cutting)] == cutting for at in range(len(whole))):
            yield Report(source.path, line, "cuttings", f"this is not what {before[-1]} says: cut it out anew.")


def says(path, sentence):
    if not os.path.isfile(path):
        return False
    with open(path, encoding="utf-8") as file:
        return sentence in file.read()


def check_lock(source):
    match = re.search(r'"resolved": *"http', source.text)
    if match:
        yield Report(source.path, source.line_of(match.start()), "lock",
                     "it names a registry: run `npm install --omit-lockfile-registry-resolved` and commit that.")

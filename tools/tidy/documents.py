"""Documents: the paths they name exist, and lock files name no machine."""
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
        if source.name == "package-lock.json":
            yield from check_lock(source)


def check_paths(source, root, tops):
    """A path in backticks is one if it begins with a folder of ours; it stands below the root,
    below troupe/ or beside the document."""
    text = re.sub(r"^```.*?^```", lambda m: re.sub(r"[^\n]", " ", m.group()), source.text, flags=re.S | re.M)
    for match in re.finditer(r"`([\w.*/-]+)`", text):
        path = match.group(1)
        if "/" not in path or path.startswith(("/", "./")) or path.split("/")[0] not in tops:
            continue
        places = (root, os.path.join(root, "troupe"), os.path.dirname(os.path.join(root, source.path)))
        endings = ("", ".h", ".cc", "_test.cc")
        if not any(glob.glob(os.path.join(place, path + ending)) for place in places for ending in endings):
            yield Report(source.path, source.line_of(match.start()), "paths", f"`{path}` does not exist: say where it went.")


def check_lock(source):
    match = re.search(r'"resolved": *"http', source.text)
    if match:
        yield Report(source.path, source.line_of(match.start()), "lock",
                     "it names a registry: run `npm install --omit-lockfile-registry-resolved` and commit that.")

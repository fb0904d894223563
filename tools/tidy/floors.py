"""Floors: includes and link lines follow tools/floors.txt, so arrows point down."""
import re

from report import Report

LIST = "tools/floors.txt"


def read_floors(source):
    """The rooms and whom they may include; reports what is not written as `room: rooms`."""
    floors, reports = {}, []
    for number, line in enumerate(source.text.splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        room, colon, others = line.partition(":")
        if not colon:
            reports.append(Report(source.path, number, "floors", "write it as `room: rooms that it may include`."))
        floors[room.strip()] = set(others.split())
    return floors, reports


def room_of(path, floors):
    """The longest room that a path below troupe/ lies in; its top folder if none is listed."""
    parts = path.split("/")[1:-1]
    for length in range(len(parts), 0, -1):
        if "/".join(parts[:length]) in floors:
            return "/".join(parts[:length])
    return parts[0] if parts else ""


def check(sources):
    if LIST not in sources:
        return [Report(LIST, 1, "floors", "this file says who may include whom: bring it back.")]
    floors, reports = read_floors(sources[LIST])
    for source in sources.values():
        if source.path.startswith("troupe/") and source.path.count("/") > 1:
            reports += check_includes(source, floors)
            if source.name == "CMakeLists.txt":
                reports += check_links(source, floors)
    return reports


def check_includes(source, floors):
    room = room_of(source.path, floors)
    if room not in floors:
        yield Report(source.path, 1, "floors", f"the room {room} is not listed: give it a line in {LIST}.")
        return
    allowed = floors[room] | {room} | (floors.get("tests", set()) if source.is_test else set())
    for line, quote, what in source.includes:
        if quote == '"' and not what.startswith(("troupe/", "tests/")):
            yield Report(source.path, line, "floors", f'write "troupe/..." from the root if it is ours, <{what}> if it is not.')
        elif what.startswith("troupe/") and room_of(what, floors) not in allowed:
            yield Report(source.path, line, "floors",
                         f"{room} may not include {room_of(what, floors)}: hand in a value or a message from above, "
                         f"or change {LIST} and say why in the commit.")


def check_links(source, floors):
    room = room_of(source.path, floors)
    # A folder's file links for the rooms below it, too.
    here = [name for name in floors if name == room or name.startswith(room + "/")]
    tops = {r.split("/")[0] for name in here for r in floors[name] | {name}}
    for match in re.finditer(r"\btroupe_([a-z]+)\b", re.sub(r"#[^\n]*", lambda m: " " * len(m.group()), source.text)):
        library = match.group(1)
        if library in floors and library not in tops:
            yield Report(source.path, source.line_of(match.start()), "floors",
                         f"{room} may not link {library}: {LIST} does not let it include {library}.")

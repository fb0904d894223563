"""What tidy has to say: `file:line: rule: sentence`, and the exceptions that it does not say."""
import fnmatch
import re
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Report:
    path: str
    line: int
    rule: str
    sentence: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.sentence}"


class Exceptions:
    """The lines `rule path: reason` of exceptions.txt."""

    def __init__(self, source):
        self.source = source
        self.lines = []
        self.broken = []
        for number, line in enumerate(source.text.splitlines() if source else [], 1):
            if not line.strip() or line.startswith("#"):
                continue
            match = re.fullmatch(r"(\w+) (\S+): (.+)", line)
            if match:
                self.lines.append((number, *match.groups()))
            else:
                self.broken.append(Report(source.path, number, "exceptions", "write it as `rule path: reason`."))

    def apply(self, reports):
        """The reports that stay, and one for each exception that excepted nothing."""
        used, kept = set(), []
        for report in reports:
            hits = [number for number, rule, path, _ in self.lines
                    if rule == report.rule and fnmatch.fnmatchcase(report.path, path)]
            used.update(hits)
            if not hits:
                kept.append(report)
        for number, rule, path, _ in self.lines:
            if number not in used:
                kept.append(Report(self.source.path, number, "exceptions",
                                   f"`{rule} {path}` excepts nothing any more: remove the line."))
        return kept + self.broken

"""docs/grafana/troupe.json shows what the server has: each metric that it names is registered in the code, and the
labels that it groups or chooses by stand there, too. What docs/OPERATING.md wakes somebody for is on it."""
import json
import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAME = re.compile(r"\btroupe_[a-z0-9_]+")
HISTOGRAM_SUFFIX = re.compile(r"_(bucket|sum|count)$")


def registered():
    """The names in string literals of the code, with the text of the files that hold each."""
    names = {}
    for path in sorted((ROOT / "troupe").rglob("*.cc")):
        if path.name.endswith("_test.cc"):
            continue
        text = path.read_text()
        for name in re.findall(r'"(troupe_[a-z0-9_]+)"', text):
            names[name] = names.get(name, "") + text
    return names


def expressions(dashboard):
    """Each query of each panel, with the panel's title."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


def unknown(names, expression):
    """The metrics of a query that nobody registers."""
    found = NAME.findall(expression)
    return [name for name in found if name not in names and HISTOGRAM_SUFFIX.sub("", name) not in names]


def labels(expression):
    """What a query groups or chooses by, without the labels that Prometheus itself adds."""
    groups = re.findall(r"\bby \(([^)]*)\)", expression)
    chosen = re.findall(r"([a-z]+)=~?\"", expression)
    return {label.strip() for group in groups for label in group.split(",")} | set(chosen) - {"instance"}


class Dashboard(unittest.TestCase):
    def setUp(self):
        self.names = registered()
        self.dashboard = json.loads((ROOT / "docs/grafana/troupe.json").read_text())

    def test_every_metric_of_the_dashboard_is_registered(self):
        for title, expression in expressions(self.dashboard):
            with self.subTest(panel=title):
                self.assertTrue(NAME.search(expression), "a query of no metric")
                self.assertEqual(unknown(self.names, expression), [])

    def test_every_metric_that_wakes_somebody_is_shown(self):
        text = (ROOT / "docs/OPERATING.md").read_text()
        waking = text[text.index("At night, wake somebody for:"):text.index("And look at in the morning")]
        shown = {HISTOGRAM_SUFFIX.sub("", name) for _, expression in expressions(self.dashboard)
                 for name in NAME.findall(expression)}
        self.assertGreater(len(NAME.findall(waking)), 15)
        self.assertEqual({HISTOGRAM_SUFFIX.sub("", name) for name in NAME.findall(waking)} - shown, set())

    def test_every_label_that_it_groups_by_is_written_where_the_metric_is(self):
        for title, expression in expressions(self.dashboard):
            name = HISTOGRAM_SUFFIX.sub("", NAME.search(expression).group())
            for label in labels(expression) - {"le", "instance"}:
                with self.subTest(panel=title, label=label):
                    self.assertIn(f'"{label}"', self.names.get(name, ""))

    def test_a_metric_or_a_label_that_is_not_there_is_found(self):
        self.assertEqual(unknown(self.names, "sum(rate(troupe_no_such_total[1m]))"), ["troupe_no_such_total"])
        self.assertEqual(unknown(self.names, "sum(rate(troupe_http_request_seconds_bucket[1m]))"), [])
        self.assertEqual(labels('sum by (le, stage) (x{instance=~"$instance",type="a"})'), {"le", "stage", "type"})

    def test_panels_have_numbers_of_their_own_and_do_not_lie_over_each_other(self):
        taken = set()
        for panel in self.dashboard["panels"]:
            place = panel["gridPos"]
            for x in range(place["x"], place["x"] + place["w"]):
                for y in range(place["y"], place["y"] + place["h"]):
                    self.assertNotIn((x, y), taken, panel["title"])
                    taken.add((x, y))
        numbers = [panel["id"] for panel in self.dashboard["panels"]]
        self.assertEqual(len(numbers), len(set(numbers)))


if __name__ == "__main__":
    unittest.main()

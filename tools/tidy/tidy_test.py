#!/usr/bin/env python3
"""Tests of tidy: each writes a small checkout and looks at what tidy says about it.

Run by ctest as house/tidy_rules, or by hand.
"""
import subprocess
import sys
import tempfile
import time
import unittest
from importlib.machinery import SourceFileLoader
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
CHECKER = SourceFileLoader("checker", str(HERE / "tidy")).load_module()
FLOORS = """# who may include whom
base:
wire: base
actor/runtime: base
actor: base actor/runtime
actor/sim: base actor actor/runtime
web: base wire actor
oauth: base web
realtime: base web
tests: actor/sim
"""
SAID = "// What this file is and who owns it.\n"


def tidy(files, floors=FLOORS):
    """Gives the reports about a checkout of these files as (path, line, rule)."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in {"tools/floors.txt": floors, **files}.items():
            place = Path(root) / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        reports, _ = CHECKER.reports_of(root)
    return [(report.path, report.line, report.rule) for report in reports]


def rules(files, **more):
    return [rule for _, _, rule in tidy(files, **more)]


def header(code, path="troupe/web/page.h"):
    """The rules that a header with this code breaks."""
    return rules({path: SAID + code + "\n"})


class Floors(unittest.TestCase):
    def test_an_arrow_that_points_down_is_fine(self):
        self.assertEqual(header('#include "troupe/wire/url.h"\n#include "troupe/web/other.h"'), [])

    def test_an_arrow_that_points_up_is_reported_with_its_line(self):
        found = tidy({"troupe/wire/url.h": SAID + '\n#include "troupe/web/page.h"\n'})
        self.assertEqual(found, [("troupe/wire/url.h", 3, "floors")])

    def test_the_wings_do_not_include_each_other(self):
        self.assertEqual(header('#include "troupe/realtime/topic.h"', "troupe/oauth/a.h"), ["floors"])
        self.assertEqual(header('#include "troupe/oauth/grant.h"', "troupe/realtime/a.h"), ["floors"])

    def test_a_floor_has_floors_of_its_own(self):
        self.assertEqual(header('#include "troupe/actor/ref.h"', "troupe/actor/runtime/core.h"), ["floors"])
        self.assertEqual(header('#include "troupe/actor/runtime/core.h"', "troupe/actor/ref.h"), [])
        self.assertEqual(header('#include "troupe/actor/runtime/core.h"', "troupe/web/page.h"), ["floors"])

    def test_tests_may_use_the_simulated_world(self):
        world = SAID + '#include "troupe/actor/sim/world.h"\n'
        self.assertEqual(rules({"troupe/web/page.h": SAID, "troupe/web/page_test.cc": world}), [])
        self.assertEqual(rules({"troupe/web/page.h": world}), ["floors"])

    def test_an_include_is_written_from_the_root(self):
        self.assertEqual(header('#include "other.h"'), ["floors"])

    def test_an_unlisted_room_is_reported(self):
        self.assertEqual(header("", "troupe/attic/a.h"), ["floors"])

    def test_the_link_lines_repeat_the_floors(self):
        says = "# How the room web is built here\n"
        self.assertEqual(rules({"troupe/web/CMakeLists.txt": says + "troupe_library(web DEPS troupe_wire)\n"}), [])
        self.assertEqual(rules({"troupe/web/CMakeLists.txt": says + "troupe_library(web DEPS troupe_oauth)\n"}), ["floors"])


class Shape(unittest.TestCase):
    def test_a_file_begins_with_a_comment_that_says_something(self):
        for text, broken in ((SAID, []), ("#pragma once\n", ["first_lines"]), ("// Page.\n", ["first_lines"]), ("", ["first_lines"])):
            self.assertEqual(rules({"troupe/web/page.h": text}), broken, text)

    def test_code_may_point_to_its_header(self):
        room = {"troupe/web/page.h": SAID, "troupe/web/page_test.cc": SAID + '#include "troupe/web/page.h"\n'}
        self.assertEqual(rules({**room, "troupe/web/page.cc": "// See page.h.\n"}), [])
        self.assertEqual(rules({**room, "troupe/web/page.cc": "// See pages.h.\n"}), ["first_lines"])

    def test_a_script_says_it_below_its_first_line(self):
        self.assertEqual(rules({"tools/a.sh": "#!/bin/bash\n# Does one thing, and well.\n"}), [])
        self.assertEqual(rules({"tools/a.sh": "#!/bin/bash\nset -e\n"}), ["first_lines"])

    def test_a_file_has_500_lines_at_most(self):
        self.assertEqual(header("int a;\n" * 498), [])
        self.assertEqual(header("int a;\n" * 499), ["file_size"])

    def test_a_function_has_70_lines_at_most(self):
        forms = ("void f() {", "auto C::f(int a) const noexcept -> int {", "C::C(int a)\n : a_{a}, b_(1) {",
                 'TEST_CASE("a sentence with { in it") {', "template <class T> requires(sizeof(T) > 1) void f(struct S s) {",
                 "namespace n { struct S { bool operator()(int) const {", "auto f = [](int a) {")
        for form in forms:
            closing = "}" * (form.count("{") - form.count("{ in") - form.count("a_{"))
            lines = 69 - form.count("\n")
            for more, broken in ((0, []), (1, ["function_size"])):
                text = f"{form}\n" + "  g({});\n" * (lines - 1 + more) + closing
                self.assertEqual(header(text), broken, form)

    def test_what_is_no_function_may_be_long(self):
        for form in ("struct Options {", "constexpr int rows[] = {", "enum class E {", "namespace troupe {", "class A : public B<int()> {"):
            self.assertEqual(header(form + "\n" + "\n" * 80 + "};"), [], form)

    def test_names_are_snake_case(self):
        self.assertEqual(header("", "troupe/web/PageView.h"), ["names"])

    def test_code_has_a_header_of_its_name_or_of_its_first_words(self):
        test = SAID + '#include "troupe/web/key.h"\n'
        room = {"troupe/web/key.h": SAID, "troupe/web/key.cc": SAID, "troupe/web/key_test.cc": test}
        self.assertEqual(rules({**room, "troupe/web/key_jwk.cc": SAID}), [])
        self.assertEqual(rules({**room, "troupe/web/jwk.cc": SAID}), ["header_beside"])

    def test_code_is_reached_by_a_test_of_its_folder(self):
        room = {"troupe/web/a.h": SAID, "troupe/web/a.cc": SAID + '#include "troupe/web/b.h"\n',
                "troupe/web/b.h": SAID, "troupe/web/b.cc": SAID}
        self.assertEqual(rules(room), ["untested", "untested"])
        self.assertEqual(rules({**room, "troupe/web/a_test.cc": SAID + '#include "troupe/web/a.h"\n'}), [])


class Forms(unittest.TestCase):
    def test_banned_forms_are_named(self):
        for code, broken in (
                ("auto t = std::chrono::steady_clock::now();", "raw_clock"),
                ("auto t = std::time(nullptr);", "raw_clock"),
                ("std::random_device d;", "raw_random"),
                ("int x = rand();", "raw_random"),
                ("std::mutex m;", "threads"),
                ("std::atomic<int> n;", "threads"),
                ("thread_local int n;", "threads"),
                ("std::this_thread::sleep_for(1s);", "sleep"),
                ("using namespace std;", "using_namespace"),
                ('inline void f() { printf("x"); }', "output"),
                ("inline void f() { std::cout << 1; }", "output"),
                ("inline int f(char* a) { return atoi(a); }", "unsafe_c"),
                ("inline void f(int a) { assert(a); }", "assert"),
                ("inline void f(int* a) { delete a; }", "owner"),
                ("std::map<Node*, int> places;", "pointer_order"),
                ("std::set<const Node *> seen; int n;", "pointer_order"),
                ("bool f() { return a.get() < b.get(); }", "pointer_order"),
                ("// TODO make it better", "todo"),
                ("int a;  // NOLINT", "silenced"),
                ("#include <openssl/evp.h>", "foreign_header"),
                ("#include <boost/json.hpp>", "foreign_header"),
        ):
            self.assertEqual(header(code), [broken], code)

    def test_what_only_looks_like_a_banned_form_is_fine(self):
        for code in ('auto s = "std::mutex printf(";', "// a std::mutex would be wrong here", "void f() = delete;",
                     "Instant time(int); auto t = a.time(1); auto u = Token::time(2);", "// TODO(#12): more of them",
                     "void snprintf_like(); static_assert(true);", "System& system();", 'auto r = R"(rand())";', "char c = '\"'; int n = 1'000;",
                     "/* using namespace\nstd */", "using namespace_name = int;",
                     "using namespace std::chrono_literals;", "bool b = requires { if (a.operator co_await()) {} };"):
            self.assertEqual(header(code), [], code)

    def test_nothing_loops_over_what_has_no_order(self):
        loop = "inline void f() { for (auto& [k, v] : %s) g(k); }"
        for code, broken in (
                ("std::unordered_map<int, std::vector<int>> all_;\n" + loop % "all_", 1),
                ("using All = std::unordered_set<std::pair<int, int>>;\nAll all_;\n" + loop % "x.all_", 1),
                ("std::unordered_map<int, int> all_;\nauto first = all_.begin();", 1),
                ("std::unordered_map<int, int> all_;\nauto place = all_.find(1); bool b = place != all_.end();", 0),
                ("std::map<int, std::unordered_set<int>> by_name;\n" + loop % "by_name", 0),
                ("std::map<int, int> all_;\n" + loop % "all_", 0)):
            self.assertEqual(header(code), ["unordered_iteration"] * broken, code)

    def test_what_the_header_beside_it_declares_has_no_order_in_the_code_either(self):
        room = {"troupe/web/page.h": SAID + "std::unordered_map<int, int> all_;\n",
                "troupe/web/page_test.cc": SAID + '#include "troupe/web/page.h"\n'}
        code = SAID + '#include "troupe/web/page.h"\nvoid f() {\n  for (auto& [k, v] : all_) g(k);\n}\n'
        self.assertEqual(tidy({**room, "troupe/web/page.cc": code}), [("troupe/web/page.cc", 4, "unordered_iteration")])

    def test_an_await_stands_on_its_own_line(self):
        for code, broken in (("if (co_await f()) g();", ["await_line"]), ("if (auto x = co_await f();\n    x) g();", ["await_line"]),
                             ("while (h(co_await f())) {}", ["await_line"]), ("auto x = co_await f();\nif (x) co_await g();", [])):
            self.assertEqual(header(f"inline Task<void> t() {{\n{code}\n}}"), broken, code)

    def test_code_may_include_what_headers_may_not(self):
        room = {"troupe/web/page.h": SAID, "troupe/web/page_test.cc": SAID + '#include "troupe/web/page.h"\n'}
        self.assertEqual(rules({**room, "troupe/web/page.cc": SAID + "#include <openssl/evp.h>\n"}), [])


class Documents(unittest.TestCase):
    def test_a_path_that_does_not_exist_is_reported(self):
        files = {"troupe/web/page.h": SAID, "docs/ARCHITECTURE.md": "`troupe/web/page.h` `web/page` `web/*.h`\n`web/gone.h`\n"}
        self.assertEqual(tidy(files), [("docs/ARCHITECTURE.md", 2, "paths")])

    def test_a_quoted_test_stands_in_its_file_to_the_letter(self):
        test = SAID + 'TEST_CASE("a page is shown") {}\n'
        quotes = '`web/page_test.cc`: "a page is shown"\n`web/page_test.cc`: "a page is hidden"\n'
        found = tidy({"troupe/web/page_test.cc": test, "docs/MISSION.md": quotes})
        self.assertEqual(found, [("docs/MISSION.md", 2, "quotes")])

    def test_a_link_leads_somewhere(self):
        files = {"README.md": "[map](docs/MAP.md) [site](https://example.org/x)\n[gone](docs/GONE.md)\n",
                 "docs/MAP.md": "[back](../README.md)\n"}
        self.assertEqual(tidy(files), [("README.md", 2, "links")])

    def test_what_only_looks_like_a_path_is_fine(self):
        files = {"troupe/web/page.h": SAID, "README.md": "`application/json` `/web/gone` `a.b`\n```\n`web/gone.h`\n```\n"}
        self.assertEqual(tidy(files), [])

    def test_a_lock_file_names_no_registry(self):
        self.assertEqual(rules({"tests/e2e/package-lock.json": '{"resolved": "https://a.example/b.tgz"}'}), ["lock"])

    def test_code_of_a_guide_is_cut_from_the_example_that_it_names(self):
        example = SAID + "int main() {\n  int a = 1;\n  return a;\n}\n"
        guide = "Code is cut from a file of `examples`. From `examples/one.cc`:\n\n```cpp\nint a = 1;\nreturn a;\n```\n\n```cpp\nint a = 2;\n```\n"
        found = tidy({"examples/one.cc": example, "docs/guide/actors.md": guide})
        self.assertEqual(found, [("docs/guide/actors.md", 8, "cuttings")])


class ExceptionList(unittest.TestCase):
    broken = {"troupe/web/page.h": SAID + "std::mutex m;\n"}
    LIST = "tools/tidy/exceptions.txt"

    def test_an_exception_silences_its_rule_at_its_place(self):
        self.assertEqual(rules({**self.broken, self.LIST: "threads troupe/web/*: shared by all\n"}), [])

    def test_an_exception_that_excepts_nothing_is_reported(self):
        found = tidy({**self.broken, self.LIST: "threads troupe/web/*: shared by all\nsleep troupe/web/*: tired\n"})
        self.assertEqual(found, [(self.LIST, 2, "exceptions")])

    def test_an_exception_without_a_reason_is_reported(self):
        self.assertEqual(rules({**self.broken, self.LIST: "threads troupe/web/*\n"}), ["exceptions", "threads"])


class Program(unittest.TestCase):
    def test_it_is_quick_on_this_checkout(self):
        start = time.monotonic()
        subprocess.run([HERE / "tidy"], capture_output=True)
        self.assertLess(time.monotonic() - start, 10)

    def test_it_prints_place_rule_and_sentence_and_fails(self):
        with tempfile.TemporaryDirectory() as root:
            (Path(root) / "tools").mkdir()
            (Path(root) / "tools/floors.txt").write_text(FLOORS)
            (Path(root) / "tools/a.sh").write_text("#!/bin/bash\nset -e\n")
            done = subprocess.run([HERE / "tidy", root], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"^tools/a\.sh:2: first_lines: begin with .*\.\n$")


if __name__ == "__main__":
    sys.exit(unittest.main())

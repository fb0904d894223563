# shellcheck shell=bash
# Tests: every tree that has any, in one run of ctest with one summary at its end. And the
# two checks of the text alone, format and tidy.

TEST_PRESETS=(release asan tsan)

format_code() {
  need format
  local mode=(-i) hint="Is clang-format-19 there?"
  if [[ ${1:-} == --check ]]; then
    mode=(--dry-run -Werror)
    hint="'./dev format' lays it out."
  fi
  step "format" "$hint" format_files "${mode[@]}"
}

format_files() {
  find . \( -name build -o -name node_modules -o -name '.?*' \) -prune -o \( -name '*.h' -o -name '*.cc' \) -print0 |
    xargs -0 -r -n 20 -P "$(nproc)" clang-format-19 "$@"
}

tidy() {
  need build
  tools/tidy/tidy "$@" || fail "tidy: mend what it lists, or, where a rule hurts the reader, change the rule."
}

# Ties the trees together for ctest: build/all has no tests but those of its parts.
join_trees() {
  local preset
  mkdir -p build/all
  for preset in "${TEST_PRESETS[@]}"; do
    printf 'subdirs("%s")\n' "$PWD/build/$preset"
  done >build/all/CTestTestfile.cmake
}

# Whether a tree has tests whose names match.
has_test() {
  [[ $(ctest --test-dir "build/$1" -N -R "$2") != *"Total Tests: 0"* ]]
}

# Whether those tests are fuzzers and nothing else.
only_fuzzers() {
  [[ -z $(ctest --test-dir "build/$1" -N -R "$2" | sed -nE '/: fuzz\//d; /^ *Test +#[0-9]+: /p') ]]
}

# build_trees NAME PRESET...: builds each of these trees that has a test of this name, or its fuzzers alone where
# nothing else has. Which tests there are is known before anything is built.
build_trees() {
  local name=$1 preset
  shift
  for preset in "${TEST_PRESETS[@]}"; do configure "$preset"; done
  join_trees
  has_test all "$name" || fail "no test matches '$name': 'ctest --test-dir build/all -N' lists them all."
  for preset in "$@"; do
    has_test "$preset" "$name" || continue
    if only_fuzzers "$preset" "$name"; then build_preset "$preset" fuzzers; else build_preset "$preset"; fi
  done
}

run_tests() {
  local name=${1:-.}
  need build format test
  need_npm
  build_trees "$name" "${TEST_PRESETS[@]}"
  say "testing"
  ctest --test-dir build/all -j "$(nproc)" --output-on-failure -R "$name" </dev/null ||
    fail "some tests failed: './dev test NAME' repeats one, build/all/Testing/Temporary/LastTest.log has what they said."
}

fuzz() {
  local name=${1:-} seconds=${2:-60}
  [[ -f fuzz/$name.cc ]] || fail "name a fuzzer: $(cd fuzz && echo *.cc | sed 's/\.cc//g')."
  need build
  build_preset asan "fuzz_$name"
  step "fuzzing $name for $seconds s" "The input that breaks it is in build/asan/found/$name; keep it as a test." \
    tools/dev/fuzz_one build/asan "$name" "$seconds"
}

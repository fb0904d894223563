# shellcheck shell=bash
# How ./dev speaks: one line before a step, one sentence when it fails. All of it goes to
# the error stream, so that the output of a command stays its own.

say() { printf '\n== %s\n' "$*" >&2; }

fail() {
  printf '\ndev: %s\n' "$*" >&2
  exit 1
}

# step WHAT HINT COMMAND...: says what begins, runs it and says how long it took; when it
# fails, ends with the hint, a sentence about what to do.
step() {
  local what=$1 hint=$2 start=$SECONDS
  shift 2
  say "$what"
  "$@" || fail "$what: failed. $hint"
  printf '   %s: done in %d s\n' "$what" $((SECONDS - start)) >&2
}

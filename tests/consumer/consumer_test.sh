#!/usr/bin/env bash
# Installs the library of a build tree into a folder of its own, builds the consumer and the bank of examples against
# it, runs them, and looks at what it links: consumer_test.sh BUILD_TREE C++_COMPILER
set -euo pipefail
build=$1 compiler=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/prefix" --component library >"$work/log" || { cat "$work/log"; exit 1; }
# The consumer does not see the checkout: neither its headers nor its build tree.
cp -r "$here" "$work/project"
cp "$here/../../examples/bank_account.cc" "$work/project"
cmake -S "$work/project" -B "$work/build" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" \
  -DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_BUILD_TYPE=Release >"$work/log" ||
  { cat "$work/log"; exit 1; }
cmake --build "$work/build" >"$work/log" || { cat "$work/log"; exit 1; }

said=$("$work/build/consumer")
[[ $said == 55 ]] || { echo "the consumer said '$said', not 55"; exit 1; }
"$work/build/consumer_test"
(cd "$work" && "$work/build/bank_account" 2>"$work/log" | diff -u "$here/../../examples/bank_account.txt" -)
if ldd "$work/build/consumer" | grep -E 'nats|sqlite|ssl|crypto|curl|pq'; then
  echo "the consumer of actors alone links these"
  exit 1
fi

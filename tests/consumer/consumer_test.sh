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
configure() {  # configure BUILD_FOLDER [ARGUMENTS]
  cmake -S "$work/project" -B "$work/$1" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" "${@:2}" \
    -DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_BUILD_TYPE=Release >"$work/log" 2>&1
}
refused() {  # refused WORDS ARGUMENTS: it is, and says these words
  if configure refused "${@:2}"; then
    echo "this was configured, which ought to be refused: ${*:2}"
    exit 1
  fi
  grep -q "$1" "$work/log" || { cat "$work/log"; echo "it does not say '$1'"; exit 1; }
  rm -r "$work/refused"
}
configure build || { cat "$work/log"; exit 1; }
cmake --build "$work/build" >"$work/log" || { cat "$work/log"; exit 1; }

said=$("$work/build/consumer")
[[ $said == 55 ]] || { echo "the consumer said '$said', not 55"; exit 1; }
"$work/build/consumer_test"
(cd "$work" && "$work/build/bank_account" 2>"$work/log" | diff -u "$here/../../examples/bank_account.txt" -)
if ldd "$work/build/consumer" | grep -E 'nats|sqlite|ssl|crypto|curl|pq'; then
  echo "the consumer of actors alone links these"
  exit 1
fi

# On a machine without SQLite who asks for no store has all the rest, and who asks for one is told what is missing.
without_sqlite=-DCMAKE_DISABLE_FIND_PACKAGE_SQLite3=ON
configure plain -DWITH_STORE=OFF "$without_sqlite" || { cat "$work/log"; exit 1; }
cmake --build "$work/plain" >"$work/log" || { cat "$work/log"; exit 1; }
[[ $("$work/plain/consumer") == 55 ]] || { echo "the consumer without a store does not work"; exit 1; }
refused SQLite3 "$without_sqlite"
# A compiler that is too old is refused by name, before its errors are.
refused 'Clang 17.0.6' -DPRETENDED_COMPILER_VERSION=17.0.6

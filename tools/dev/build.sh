# shellcheck shell=bash
# Configuring and building the presets of CMakePresets.json, serving and measuring them.

# One clone's objects serve every other clone on the machine: paths are relative to the
# checkout, and the precompiled header counts by the sum that cmake/Troupe.cmake writes.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1 CCACHE_PCH_EXTSUM=1 CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-10G}
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
export NINJA_STATUS='[%f/%t %es] '

# Jobs at once: one for each processor, as long as each finds 1.5 GiB of free memory.
jobs_at_once() {
  [[ -n ${JOBS:-} ]] && { echo "$JOBS"; return; }
  local processors free_mib limit
  processors=$(nproc)
  free_mib=$(awk '/^MemAvailable/ {print int($2 / 1024)}' /proc/meminfo)
  limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
  [[ $limit != max ]] && ((limit / 1048576 < free_mib)) && free_mib=$((limit / 1048576))
  local by_memory=$((free_mib / 1536))
  ((by_memory < 1)) && by_memory=1
  echo $((processors < by_memory ? processors : by_memory))
}

configure() {
  local preset=$1
  [[ -f build/$preset/build.ninja && build/$preset/build.ninja -nt CMakePresets.json ]] && return
  step "configuring $preset" "Read CMake's message above; removing build/$preset starts afresh." \
    quiet_cmake --preset "$preset" -Wno-dev
}

# CMake without the lines that only repeat the preset; what it has to complain about stays.
quiet_cmake() { cmake "$@" >/dev/null; }

# build_preset PRESET [TARGET...]: everything of the preset, or only the targets.
build_preset() {
  local preset=$1
  shift
  configure "$preset"
  step "building $preset${*:+ ($*)}" "The first error is above; './dev build $preset' tries again." \
    ninja -C "build/$preset" -j "$(jobs_at_once)" "$@"
}

build() {
  local preset=${1:-release}
  case $preset in
    release | debug | asan | tsan) ;;
    *) fail "there is no preset '$preset': choose release, debug, asan or tsan." ;;
  esac
  need build
  build_preset "$preset"
}

run() {
  need build
  build_preset release troupe >&2
  exec build/release/troupe serve --development --data data "$@"
}

# Learns anew which ways through the code are taken, from the benches of both services, for cmake/release.profdata. The
# floors and the load are those of the release.
profile() {
  local name
  need build
  build_preset release
  build_preset profile troupe
  rm -rf build/profile/learnt
  mkdir -p build/profile/learnt
  ln -s ../troupe ../../release/bench build/profile/learnt/
  for name in echo ping fanout wildcard cores connect oauth; do
    LLVM_PROFILE_FILE=$PWD/build/profile/learnt/%m.profraw \
      step "learning from $name" "The error is above." bench/run --build build/profile/learnt --quick "$name"
  done
  step "merging" "The error is above." \
    llvm-profdata-19 merge --sparse -o cmake/release.profdata build/profile/learnt/*.profraw
}

bench() {
  need build
  if [[ " $* " == *" --peers "* ]]; then
    need peers
    need_npm tests/e2e bench/peers
  fi
  build_preset release >&2
  exec bench/run --build build/release "$@"
}

# shellcheck shell=bash
# The long runs. A proof is a number of slices; each slice repeats the tests with other
# random numbers and far more of them (TROUPE_SLICE names it), or fuzzes for a minute. Each scenario
# under many schedules (publish and recover, redemption, refresh families, drain, ...) runs 500 other
# ones in each slice, so 10 000 in twenty; a scenario may say another number (explore.h). house/chaos makes a million
# deliveries of a real server under faults in each slice, its history on the disk in every second, house/oauth_chaos
# kills an authorization server for a minute, in every second slice on PostgreSQL; in the first slice, house/soak and
# house/oauth_soak watch memory and tables for twenty minutes, and house/oauth_timing compares the times of refusals,
# which needs a quiet machine. Finished slices are remembered by commit in build/prove, so a stopped run goes on; how
# many schedules of how many scenarios they ran is counted there and told at the end.

PROOF_SLICES=${PROOF_SLICES:-20}

# Prints the names of all proofs: `fuzz/<fuzzer>`, `<preset>/<test>`, and those of house/ that run the executable.
proofs() {
  ctest --test-dir build/all -N | sed -nE 's/^ *Test +#[0-9]+: ((fuzz|asan|tsan)\/.*|house\/(journal_kill|chaos|oauth_chaos|oauth_timing|soak|oauth_soak))$/\1/p'
}

prove_slice() {
  local proof=$1 slice=$2
  case $proof in
    house/chaos)
      build/release/tools/chaos --troupe build/release/troupe --seed "$slice" --deliveries "${CHAOS_DELIVERIES:-1000000}" \
        --diagnosis build/prove/chaos-last-events.txt $( ((slice % 2 == 0)) && echo --durable)
      ;;
    house/oauth_chaos)
      build/release/tools/oauth_chaos --troupe build/release/troupe --seed "$slice" --for "${OAUTH_CHAOS_SECONDS:-60}" \
        --diagnosis build/prove/oauth-chaos-last-events.txt $( ((slice % 2 == 0)) && echo --postgres)
      ;;
    house/oauth_timing)
      ((slice > 1)) || build/release/tools/oauth_timing --troupe build/release/troupe --samples "${TIMING_SAMPLES:-10000}"
      ;;
    house/oauth_soak)
      ((slice > 1)) || build/release/tools/oauth_soak --troupe build/release/troupe --minutes "${SOAK_MINUTES:-20}"
      ;;
    house/soak)
      ((slice > 1)) || build/release/tools/soak --troupe build/release/troupe --minutes "${SOAK_MINUTES:-20}"
      ;;
    fuzz/*) tools/dev/fuzz_one build/asan "${proof#fuzz/}" 60 ;;
    *)
      TROUPE_SLICE=$slice TROUPE_SCHEDULES=$PWD/build/prove/schedules RC_PARAMS="seed=$slice max_success=2000" \
        ctest --test-dir build/all --output-on-failure --timeout 3600 -R "^${proof//./\\.}\$" </dev/null
      ;;
  esac
}

# What a slice says goes into the log; progress and figures of those that run for minutes are shown, too.
prove_aloud() {
  case $1 in
    house/chaos | house/oauth_chaos | house/oauth_timing | house/soak | house/oauth_soak) prove_slice "$1" "$2" 2>&1 | tee "$3" >&2 ;;
    *) prove_slice "$1" "$2" >"$3" 2>&1 ;;
  esac
}

prove() {
  local name=${1:-.} proof slice all log remembered
  need build test
  build_trees "$name" asan tsan release  # the last for house/journal_kill
  mapfile -t all < <(proofs | grep -E -- "$name")
  ((${#all[@]} > 0)) || fail "no proof matches '$name'."
  remembered=build/prove/$(git rev-parse --short HEAD)$(git diff HEAD | cksum | cut -d' ' -f1)
  log=$PWD/build/prove/last.log
  mkdir -p "$remembered"
  for ((slice = 1; slice <= PROOF_SLICES; slice++)); do
    for proof in "${all[@]}"; do
      local mark=$remembered/${proof//\//_}.$slice
      [[ -e $mark ]] && continue
      rm -f build/prove/schedules
      printf '== slice %d of %d: %s\n' "$slice" "$PROOF_SLICES" "$proof" >&2
      prove_aloud "$proof" "$slice" "$log" ||
        { tail -n 60 "$log" >&2; fail "slice $slice of $proof failed; all it said is in $log."; }
      touch "$mark"
      [[ ! -e build/prove/schedules ]] || sed "s|^|$proof |" build/prove/schedules >>"$remembered/schedules"
    done
  done
  say "${#all[@]} proofs, $PROOF_SLICES slices each: all hold"
  [[ ! -e $remembered/schedules ]] || tell_schedules "$remembered/schedules"
}

# Each line of the file: the proof, how many schedules, the scenario.
tell_schedules() {
  local count scenarios
  count=$(awk '{ sum += $2 } END { print sum }' "$1")
  scenarios=$(cut -d' ' -f1,3- "$1" | sort -u | wc -l)
  say "$count simulated schedules of $scenarios scenarios, each run twice: both were the same to the last step"
}

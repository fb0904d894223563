# shellcheck shell=bash
# What has to be on the machine: Debian packages of tools/dev/packages.txt, and the npm
# packages of tests/e2e and clients/js. All are looked at in well under a second and installed only if
# something is missing.

# Prints `package why` for each package of the given jobs that is not there.
missing_packages() {
  local job package why installed
  installed=" $(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' 2>/dev/null | sed -n 's/^ii *//p' | tr '\n' ' ') "
  while read -r job package why; do
    [[ -z $job || $job == '#'* || " $* " != *" $job "* ]] && continue
    if [[ $package == *:* ]]; then
      command -v "${package#*:}" >/dev/null && continue
      package=${package%:*}
    fi
    [[ $installed == *" $package "* ]] || printf '%-24s %s\n' "$package" "$why"
  done <tools/dev/packages.txt
}

# need JOB...: makes sure that the packages of these jobs are installed.
need() {
  [[ -n ${TROUPE_NO_INSTALL:-} ]] && return
  command -v apt-get >/dev/null ||
    fail "this is no Debian: install what tools/dev/packages.txt lists and set TROUPE_NO_INSTALL=1."
  local missing names as_root=()
  missing=$(missing_packages "$@")
  [[ -z $missing ]] && return
  say "installing Debian packages"
  printf '%s\n' "$missing" | sed 's/^/   /' >&2
  if [[ $EUID -ne 0 ]]; then
    command -v sudo >/dev/null || fail "installing needs root and there is no sudo: run './dev $*' as root once."
    as_root=(sudo)
  fi
  mapfile -t names < <(awk '{print $1}' <<<"$missing")
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q)
  "${apt[@]}" update </dev/null >&2 || say "some package lists could not be read; trying with those that could"
  mkdir -p build
  "${apt[@]}" install -y --no-install-recommends "${names[@]}" </dev/null 2>&1 | tee build/install.log | apt_progress >&2 ||
    { tail -n 20 build/install.log >&2; fail "apt-get could not install them: mend what it says above and run this again (Debian 12 is expected)."; }
}

# Of apt's thousands of lines: how many packages it brings, and every fiftieth that it has set up.
apt_progress() {
  awk '/newly installed/ { print "   " $0; fflush() }
       /^Setting up/ && ++n % 50 == 0 { print "   " n " set up"; fflush() }'
}

# need_npm [FOLDER...]: brings the packages of these folders' lock files, once for each version of the file.
need_npm() {
  (($# > 0)) || set -- tests/e2e clients/js
  local folder modules
  for folder in "$@"; do
    modules=$folder/node_modules
    cmp -s "$folder/package-lock.json" "$modules/.installed_lock" && continue
    step "installing the npm packages of $folder" \
      "Is the npm registry reachable? (npm config get registry)" \
      npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null >&2
    if [[ $folder == tests/e2e ]]; then # npm leaves out the bin of an optional package
      (cd "$modules/.bin" && ln -sf ../node-linux-*/bin/node node)
    fi
    cp "$folder/package-lock.json" "$modules/.installed_lock"
  done
}

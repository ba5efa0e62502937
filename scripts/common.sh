# shellcheck shell=bash
# What setup, test and lint share. Source it from the repository's root.

# Where the build uses ccache, clones in different folders share what they compile.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros

fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

step() { printf '\n== %s\n' "$*"; }

# The packages of the given purposes (scripts/packages.txt) that are not installed.
missing_packages() {
  local purpose name
  while read -r purpose name; do
    case " $* " in *" $purpose "*) ;; *) continue ;; esac  # "#" is nobody's purpose
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || printf '%s\n' "$name"
  done <scripts/packages.txt
}

# Runs a command as root: directly, or through sudo.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "not root and no sudo; run as root: $*"
  fi
}

# Installs what is missing for the given purposes; with nothing missing it needs no privileges.
ensure_packages() {
  command -v dpkg-query >/dev/null || fail "this script installs Debian packages; elsewhere install what" \
    "scripts/packages.txt lists and use the CMake presets"
  local missing
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  step "Installing ${missing//$'\n'/ }"
  as_root apt-get update
  # shellcheck disable=SC2086  # a word a package
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
}

# The Python for the tests: the first python3 of PATH if the pinned packages have wheels for it and it can make
# environments, otherwise Debian's.
test_python() {
  local candidate
  for candidate in python3 /usr/bin/python3; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; then
      "$candidate" -c 'import sys; print(sys.executable)'
      return
    fi
  done
  fail "no Python 3.11 to 3.14 with the venv module"
}

# build/venv holds the pinned packages of the tests; it is made anew when they or the Python change.
ensure_venv() {
  local python stamp
  python=$(test_python)
  stamp=$("$python" --version; cat tests/requirements.txt tests/*/requirements.txt)
  [ "$(cat build/venv/stamp 2>/dev/null)" != "$stamp" ] || return 0
  step "Making build/venv with $python"
  "$python" -m venv --clear build/venv
  build/venv/bin/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
  printf '%s\n' "$stamp" >build/venv/stamp
}

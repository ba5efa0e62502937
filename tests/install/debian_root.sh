# shellcheck shell=bash
# A Debian 12 that has nothing else, in $root, for the scripts beside this file. It needs root, debootstrap, and the mirror
# and proxy of this computer's apt. Source it; then make_root, and inside 'COMMANDS'.

fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

step() { printf '\n== %s\n' "$*"; }

# "URI SUITE" of every Debian suite of release 12 that apt knows here.
apt_suites() {
  apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 'Component: main' |
    grep ' bookworm' | sort -u
}

# What apt and pip need to know of the network here: proxies and certificates.
network_settings() {
  env | grep -E '^(https?_proxy|HTTPS?_PROXY|no_proxy|NO_PROXY|PIP_[A-Z_]+)=' | grep -v '^PIP_CERT=' || true
  if [ -f "${PIP_CERT:-}" ]; then echo "PIP_CERT=$pip_certificates"; fi
}
pip_certificates=/etc/pip-certificates.pem

make_root() {
  local uri suite
  [ "$(id -u)" = 0 ] || fail "needs root"
  command -v debootstrap >/dev/null || fail "needs debootstrap"
  scratch=$(mktemp -d)
  root=$scratch/root
  trap remove_root EXIT
  apt_suites >"$scratch/suites"
  read -r uri suite < <(grep ' bookworm$' "$scratch/suites") || fail "apt has no source for bookworm"
  debootstrap --variant=minbase "$suite" "$root" "$uri" >"$scratch/debootstrap.log" ||
    fail "debootstrap failed: $(tail -1 "$scratch/debootstrap.log")"
  while read -r uri suite; do printf 'deb %s %s main\n' "$uri" "$suite"; done \
    <"$scratch/suites" >"$root/etc/apt/sources.list"
  cp /etc/resolv.conf /etc/hosts "$root/etc/"
  # Under a name of its own: the package ca-certificates writes the usual one anew.
  if [ -f "${PIP_CERT:-}" ]; then cp "$PIP_CERT" "$root$pip_certificates"; fi
  mount -t proc proc "$root/proc"
}

inside() {
  local settings
  mapfile -t settings < <(network_settings)
  chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root "${settings[@]}" \
    bash -euo pipefail -c "$1"
}

remove_root() {
  local mounted
  for mounted in "$root/dev/pts" "$root/proc"; do
    if mountpoint -q "$mounted"; then umount "$mounted"; fi
  done
  rm -rf --one-file-system "$scratch"
}

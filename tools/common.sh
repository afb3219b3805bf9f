# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the commands in tools/ share. Sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '== %s\n' "$*"; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# install_packages PART…: installs what is missing of those parts of packages.txt.
install_packages() {
  local part package reason missing=()
  while read -r part package reason; do
    [[ " $* " == *" $part "* ]] || continue
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed' && continue
    missing+=("$package")
    say "package $package is missing: $reason"
  done < <(grep -v '^#' "$root/tools/packages.txt")
  ((${#missing[@]})) || return 0
  command -v apt-get >/dev/null || die "these are Debian's package names; install their like: ${missing[*]}"
  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "as root: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# quietly LOG COMMAND…: output goes to a file, and to the terminal only when the command fails.
quietly() {
  local log=$1
  shift
  mkdir -p "$(dirname "$log")"
  if ! "$@" >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    printf 'error: %s (all of it: %s)\n' "$*" "$log" >&2
    return 1
  fi
}

# configure PRESET OPTION…: cmake's own environment variables CC and CXX hold; ccache is used where it is installed.
configure() {
  local preset=$1
  shift
  local launcher=()
  if command -v ccache >/dev/null; then
    launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  fi
  quietly "$root/build/$preset/configure.log" \
    cmake -S "$root" --preset "$preset" "${launcher[@]}" "$@"
}

# build PRESET TARGET…: all of it when no target is named.
build() {
  local preset=$1
  shift
  quietly "$root/build/$preset/build.log" cmake --build "$root/build/$preset" ${1:+--target "$@"}
}

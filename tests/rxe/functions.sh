# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For the scripts that run in the guest. Sourced, not run.
set -euo pipefail

fail() {
  printf 'failed: %s\n' "$*"
  exit 1
}

# counter DEVICE NAME: of a soft-RoCE device, as `rdma statistic` calls it: sent_pkts, rcvd_pkts, …
counter() {
  local words word
  read -ra words <<<"$(rdma statistic show link "$1/1")"
  for word in "${!words[@]}"; do
    [[ ${words[word]} != "$2" ]] || echo "${words[word + 1]}"
  done
}

# crossed INTERFACE: packets that it has sent.
crossed() { cat "/sys/class/net/$1/statistics/tx_packets"; }

# becomes TEXT COMMAND…: waits until what a command says has TEXT in it.
becomes() {
  local text=$1 tries said=''
  shift
  for ((tries = 0; tries < 100; ++tries)); do
    said=$("$@" 2>&1) || true
    [[ $said != *"$text"* ]] || return 0
    sleep 0.1
  done
  fail "$* does not come to say '$text' but '$said'"
}

# pingpong SERVER CLIENT COUNT: sends messages of 4 KiB there and back between two devices. Its parties exchange addresses over loopback.
pingpong() {
  local server
  timeout 60 ibv_rc_pingpong -d "$1" -g 1 -n "$3" >/tmp/pingpong-server 2>&1 &
  server=$!
  becomes :18515 ss -Hltn
  timeout 60 ibv_rc_pingpong -d "$2" -g 1 -n "$3" 127.0.0.1 || fail "the client on $2"
  wait "$server" || fail "the server on $1: $(cat /tmp/pingpong-server)"
}

# on_nodes COUNT PROGRAM ARGUMENT…: runs PROGRAM_perf of the build with so many processes over RDMA alone, number N as if on a host of its own that
# has the device rxeN, or those that DEVICES has as its N-th word; with ISLANDS, as many hosts are neighbours in each. Data must be right.
on_nodes() {
  local count=$1 program=$2
  shift 2
  # The variables are the rank's.
  # shellcheck disable=SC2016
  ATOLL_TRANSPORT=rdma DEVICES=${DEVICES-} timeout 200 "$BUILD/bin/atoll" run -n "$count" -- bash -c '
    node=$((ATOLL_RANK + 1))
    read -ra devices <<<"$DEVICES"
    export ATOLL_HOSTID=node$node ATOLL_RDMA_DEVICES="=${devices[ATOLL_RANK]:-rxe$node}"
    [[ -z ${ISLANDS-} ]] || export ATOLL_ISLAND=island$((ATOLL_RANK / ISLANDS))/node$node
    exec "$@"' _ "$BUILD/bin/${program}_perf" "$@"
}

# queue_pairs: of all devices, but for those of the kernel's own.
queue_pairs() { rdma resource show qp | grep -vc 'comm \[' || true; }

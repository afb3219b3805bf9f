#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Collectives over links that delay, lose and reorder packets, and with cables pulled again and again: data stays exact.
# shellcheck source=tests/rxe/functions.sh
source tests/rxe/functions.sh

nodes=(1 2 3 4)
weather() { for node in "${nodes[@]}"; do tc qdisc add dev "ve$node" root netem "$@"; done; }
clear_sky() { for node in "${nodes[@]}"; do tc qdisc del dev "ve$node" root; done; }

for kind in 'delay 2ms 1ms' 'loss 1%' 'delay 1ms reorder 25% 50%' 'duplicate 2%'; do
  read -ra words <<<"$kind"
  weather "${words[@]}"
  for program in all_reduce all_gather reduce_scatter alltoall broadcast sendrecv; do
    echo "$program, $kind"
    on_nodes 4 "$program" --minbytes 8 --maxbytes 256K --stepfactor 32 --iters 3 --check 2
  done
  clear_sky
done

# Each cable of the first node in turn, for as long as the all-reduces take.
while true; do
  for port in 1 3; do
    ip link set "vp$port" down && sleep 2 && ip link set "vp$port" up && sleep 4
  done
done &
puller=$!
trap 'kill $puller; for node in "${nodes[@]}"; do ip link set "vp$node" up; done' EXIT
DEVICES='rxe1,rxe3 rxe2,rxe4' on_nodes 2 all_reduce --minbytes 8 --maxbytes 512K --stepfactor 8 --iters 300 --check 20

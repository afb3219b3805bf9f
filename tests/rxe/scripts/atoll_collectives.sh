#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Collectives between four processes, each with a device of its own as if it were alone on its host: data checked, flat and composed of islands.
# shellcheck source=tests/rxe/functions.sh
source tests/rxe/functions.sh

sent=$(counter rxe1 sent_pkts)
for program in all_reduce all_gather reduce_scatter alltoall broadcast sendrecv; do
  on_nodes 4 "$program" --minbytes 8 --maxbytes 512K --stepfactor 16 --iters 2 --warmup_iters 1 --check 1
done
(($(counter rxe1 sent_pkts) - sent >= 1000)) || fail "the collectives sent few packets by rxe1"

export ISLANDS=2
for program in all_reduce all_gather reduce_scatter alltoall broadcast; do
  name=${program/alltoall/all_to_all}
  ATOLL_ALGO=${name//_/}:hierarchical on_nodes 4 "$program" --minbytes 64 --maxbytes 256K --stepfactor 64 --iters 1 --warmup_iters 1 --check 1
done

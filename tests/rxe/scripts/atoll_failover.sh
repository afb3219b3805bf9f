#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A cable is pulled in the middle of all-reduces: with a second port they go on with exact data, with none every rank is told which port it was.
# shellcheck source=tests/rxe/functions.sh
source tests/rxe/functions.sh

# pull_when_busy SECONDS: node 1's cable, once its device has sent much. Without SECONDS it stays out.
pull_when_busy() {
  local begin
  begin=$(counter rxe1 sent_pkts)
  until (($(counter rxe1 sent_pkts) - begin > 1000)); do sleep 0.1; done
  ip link set vp1 down
  [[ -z ${1-} ]] || { sleep "$1" && ip link set vp1 up; }
}

trap 'ip link set vp1 up; becomes "state ACTIVE" rdma link show rxe1/1' EXIT

pull_when_busy 3 &
DEVICES='rxe1,rxe3 rxe2,rxe4' on_nodes 2 all_reduce --minbytes 256K --maxbytes 256K --iters 300 --check 50 >/tmp/two-ports 2>&1 || fail "$(cat /tmp/two-ports)"
wait
grep -q 'rxe1:1 .* is lost; another takes its place' /tmp/two-ports || fail "nothing was lost: $(cat /tmp/two-ports)"
grep -q 'Out of bounds values : 0 OK' /tmp/two-ports || fail "$(cat /tmp/two-ports)"
(($(counter rxe3 sent_pkts) > 500)) || fail "the second port sent little"

# The same port again, once it is back.
pull_when_busy 3 &
on_nodes 2 all_reduce --minbytes 256K --maxbytes 256K --iters 300 --check 50 >/tmp/one-port 2>&1 || fail "$(cat /tmp/one-port)"
wait
grep -q 'rxe1:1 .* is lost' /tmp/one-port || fail "nothing was lost: $(cat /tmp/one-port)"

pull_when_busy &
begin=$SECONDS
! on_nodes 2 all_reduce --timeout 10 --minbytes 256K --maxbytes 256K --iters 10000 --check 0 >/tmp/no-port 2>&1 || fail "nothing fails: $(cat /tmp/no-port)"
wait
((SECONDS - begin < 60)) || fail "it took $((SECONDS - begin)) s"
for rank in 0 1; do
  grep -q "^\[$rank\].*no queue pair has worked for 5 s: rxe[12]:1 10.77.0.[12] " /tmp/no-port || fail "rank $rank does not name the port: $(cat /tmp/no-port)"
done
[[ $(queue_pairs) == 0 ]] || fail "queue pairs are left: $(rdma resource show qp)"

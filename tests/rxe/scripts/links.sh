#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Links go down and come back, by cable and by interface, and are made to lose packets.
# shellcheck source=tests/rxe/functions.sh
source tests/rxe/functions.sh

path=(ip route get 10.77.0.2 from 10.77.0.1)

# What is unplugged at the bridge.
ip link set vp1 down
becomes 'state DOWN' rdma link show rxe1/1
ip link set vp1 up
becomes 'state ACTIVE' rdma link show rxe1/1
pingpong rxe1 rxe2 10

# What is taken down at the node: meanwhile nothing goes another way.
ip link set ve1 down
becomes 'state DOWN' rdma link show rxe1/1
! "${path[@]}" || fail "there is a way while ve1 is down"
ip link set ve1 up
becomes 'state ACTIVE' rdma link show rxe1/1
becomes 'dev ve1' "${path[@]}"
pingpong rxe1 rxe2 10

# Packets that are lost are sent again, here those of the other direction.
again=$(counter rxe2 completer_retry_err)
tc qdisc add dev ve2 root netem loss 5%
pingpong rxe1 rxe2 50
tc qdisc del dev ve2 root
(($(counter rxe1 completer_retry_err) + $(counter rxe2 completer_retry_err) > again)) || fail "nothing was sent again"

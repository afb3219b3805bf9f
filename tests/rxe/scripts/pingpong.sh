#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Verbs between two devices: messages arrive, the devices count their packets, and these really cross the links between the nodes.
# shellcheck source=tests/rxe/functions.sh
source tests/rxe/functions.sh

messages=50
sent=$(counter rxe1 sent_pkts)
received=$(counter rxe1 rcvd_pkts)
before=$(crossed ve1)
pingpong rxe1 rxe2 $messages
# As each of them is more than one packet, and is acknowledged.
(($(counter rxe1 sent_pkts) - sent >= 2 * messages)) || fail "rxe1 counts too few packets sent"
(($(counter rxe1 rcvd_pkts) - received >= 2 * messages)) || fail "rxe1 counts too few packets received"
(($(crossed ve1) - before >= 2 * messages)) || fail "packets did not leave by ve1"

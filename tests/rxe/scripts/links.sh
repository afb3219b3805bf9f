#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two ends of a link in one process: what every message link must do.
# shellcheck source=tests/rxe/functions.sh
source tests/rxe/functions.sh

"$BUILD/tests/transports_links_test" --gtest_brief=1 --gtest_filter='*Rdma*' >/tmp/links 2>&1 || fail "$(cat /tmp/links)"
! grep SKIPPED /tmp/links || fail "there is a device, and yet links are not tested"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs scripts in the guest, one after the other. Output and status of each go to /run/out, where scripts_test.py finds them.
set -uo pipefail

for script in "$@"; do
  name=$(basename "$script" .sh)
  dmesg --clear
  bash "$script" >"/run/out/$name.log" 2>&1
  status=$?
  ((status == 0)) || { echo "The guest's kernel says:" && dmesg | tail -n 40; } >>"/run/out/$name.log"
  echo "$status" >"/run/out/$name.status"
done

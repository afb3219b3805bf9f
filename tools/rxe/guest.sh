# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Run by init in the guest, on the host's files: makes the network, runs the command, leaves its exit status. /run/job has the orders. What
# goes wrong here is told on the console; standard error is the command's, and descriptor 3 until then.
exec 3>&2 2>/dev/console
job=/run/job
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LANG=C.UTF-8
unset SHLVL OLDPWD TERM

# Ending without an exit status tells the host that the machine failed.
give_up() {
  echo "guest: $*" >&2
  exit 1
}

batch() {
  local said
  said=$("$1" -b "$job/$2" 2>&1) || give_up "$1 -b $2: $said"
}

# The kernel drops the routes of an interface that is taken down. This puts them back when it comes up; it reads what ip tells of interfaces.
keep_routes() {
  local line
  while read -r line; do
    [[ $line =~ ^[0-9]+:\ (ve[0-9]+)@[^\<]*\<([^\>]*,)?UP[,\>] ]] || continue
    ip -force -b "$job/routes-${BASH_REMATCH[1]}" 2>/dev/null
  done
}

# Starting a program takes a tenth of a second here, hence the batches.
make_network() {
  local value key monitor
  batch ip links
  while read -r value key; do
    echo "$value" >"/proc/sys/net/$key"
  done <"$job/sysctls"
  batch ip rules
  batch ip routes
  ip monitor link > >(keep_routes) 2>/dev/null &
  monitor=$!
  batch rdma devices
  # The command may take interfaces down at once: the kernel's list of netlink sockets says when ip is listening.
  until [[ $(</proc/net/netlink) =~ [[:space:]]0[[:space:]]+${monitor}[[:space:]] ]]; do
    kill -0 "$monitor" 2>/dev/null || give_up "ip monitor ended"
    sleep 0.1
  done
  disown "$monitor"
}

RXE_NODES=0 folder='' limit='' command=()
# shellcheck source=/dev/null
source "$job/orders"
((RXE_NODES == 0)) || make_network
cd "$folder" || give_up "there is no folder $folder in the guest"
: >"$job/began"
SECONDS=0
(
  # Variables meant for the command may not suit the programs above.
  # shellcheck source=/dev/null
  source "$job/environment"
  exec timeout -k 5 "$limit" "${command[@]}"
) 2>&3 3>&-
status=$?
# One that does not end when asked is killed, of which timeout says what a kill by somebody else would be too.
((status == 137 && SECONDS >= limit)) && status=124
echo "$status" >"$job/status.part" && mv "$job/status.part" "$job/status"

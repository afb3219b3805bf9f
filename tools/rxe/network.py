# SPDX-License-Identifier: Apache-2.0
"""The guest's network, as batches for `ip` and `rdma`: each start of a program takes long in an emulated machine.

Node N has the interface veN with the address 10.77.0.N and the soft-RoCE device rxeN. The other end of its cable is vpN, a port of the
bridge br0. All are in one network namespace, since rxe of Linux 6.1 receives nothing in others. There the kernel would keep what goes from one
address of the machine to another on the loopback, so rules send it by the interface of the address that it comes from."""

MOST_NODES = 9
FIRST_TABLE = 100  # of routes; node N has FIRST_TABLE + N

# Before the rules and routes: accept packets that come in from an address of this machine, answer ARP for the own address only, and leave
# the RDMA devices one address each.
SYSCTLS = {"ipv4/conf/{}/rp_filter": 0, "ipv4/conf/{}/accept_local": 1, "ipv4/conf/{}/arp_ignore": 1, "ipv6/conf/{}/disable_ipv6": 1}


def address(node):
    return f"10.77.0.{node}"


def hardware_address(node):
    return f"02:00:00:00:77:{node:02x}"


def batches(nodes, mtu):
    """The contents of the files that guest.sh reads, by name."""
    everyone = range(1, nodes + 1)
    files = {
        "links": ["link set lo up"],
        "sysctls": ["0 ipv4/conf/all/rp_filter"] + [f"{value} {key.format(f've{node}')}" for node in everyone for key, value in SYSCTLS.items()],
        "rules": _rules(everyone),
        "devices": [f"link add rxe{node} type rxe netdev ve{node}" for node in everyone],
    }
    if nodes:
        files["links"].append(f"link add br0 mtu {mtu} type bridge")
    for node in everyone:
        files["links"] += [
            f"link add ve{node} mtu {mtu} address {hardware_address(node)} type veth peer name vp{node} mtu {mtu}",
            # No route of the kernel's own: it would be one for all nodes.
            f"address add {address(node)}/24 dev ve{node} noprefixroute",
            f"link set vp{node} master br0 up",
        ]
        # A file for each, since the kernel drops them when the interface is taken down.
        files[f"routes-ve{node}"] = _routes(node, everyone)
    if nodes:
        files["links"].append("link set br0 up")
    files["routes"] = [line for node in everyone for line in (f"link set ve{node} up", *_routes(node, everyone))]
    return {name: "".join(f"{line}\n" for line in lines) for name, lines in files.items()}


def _rules(everyone):
    lines = []
    for node in everyone:
        table = FIRST_TABLE + node
        lines.append(f"rule add pref 10 iif ve{node} lookup local")  # what came in is here
        lines += [f"rule add pref 20 from {address(node)} to {address(other)} lookup {table}" for other in everyone if other != node]
        # While the interface is down nothing goes another way.
        lines.append(f"route add unreachable default metric 1000 table {table}")
    return lines + ["rule add pref 100 lookup local", "rule del pref 0"] if lines else []


def _routes(node, everyone):
    routes = [f"route replace 10.77.0.0/24 dev ve{node} src {address(node)} table {FIRST_TABLE + node}"]
    return routes + [f"neigh replace {address(other)} lladdr {hardware_address(other)} dev ve{node} nud permanent"
                     for other in everyone if other != node]

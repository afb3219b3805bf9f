# SPDX-License-Identifier: Apache-2.0
"""Hosts made of network namespaces, joined by links whose rate the kernel limits: islands on one machine.

Every host has one interface, into a bridge; hosts in pods have a bridge for each pod, and these an uplink each into a bridge of all.
Namespaces of their own hold the bridges too, so that nothing of a test bed is seen, or left, outside it.
"""

import contextlib
import dataclasses
import os
import pathlib
import subprocess
import sys
import unittest

INTERFACE = "isl0"
NETWORK = "198.19.0.0/16"  # RFC 2544: for benchmarks, routed nowhere
AGENT = pathlib.Path(__file__).resolve().parents[2] / "bench" / "compare" / "namespace_agent"


class Unavailable(Exception):
    """This machine makes no test bed; the text says why."""


HEADERS = 14 + 20 + 32  # of each packet: Ethernet, IPv4, TCP with timestamps
MTU = 9000  # jumbo frames, as clusters have them
PACKET = 14 + MTU


def bits_per_second(rate):
    """Of a rate as tc writes it: 200mbit, 1gbit."""
    for unit, factor in (("kbit", 1e3), ("mbit", 1e6), ("gbit", 1e9)):
        if rate.endswith(unit):
            with contextlib.suppress(ValueError):
                number = float(rate[:-len(unit)])
                if number > 0:
                    return number * factor
    raise ValueError(f"{rate} is not a rate such as 200mbit")


@dataclasses.dataclass
class Shape:
    hosts: int = 2
    ranks_per_host: int = 2
    rate: str = "200mbit"  # of a host's interface, each way, as tc writes it
    pods: int = 1
    pod_rate: str = "100mbit"  # of a pod's uplink, each way

    def __post_init__(self):
        if self.hosts % self.pods:
            raise ValueError(f"{self.hosts} hosts are not to be had in {self.pods} pods of equal size")

    @property
    def ranks(self):
        return self.hosts * self.ranks_per_host

    def pod_of(self, host):
        return host // (self.hosts // self.pods)

    def topology(self, by_node=False):
        """The contents of a topology file for it. What TCP's and Ethernet's headers take of full packets is not usable."""
        levels = [("host", self.ranks_per_host, None, 1), ("pod", self.hosts // self.pods, self.rate, "1 per host"),
                  ("core", self.pods, self.pod_rate, "1 per pod")]
        lines = ["atoll-topology: 1", "name: test bed", "levels:"]
        for name, members, rate, ports in levels if self.pods > 1 else levels[:2]:
            lines += [f"  - name: {name}", "    kind: switch", f"    members: {members}"]
            if rate:
                lines += [f"    bandwidth: {bits_per_second(rate) / 1e6:g} Mbit/s", f"    usable: {1 - HEADERS / PACKET:.3f}", f"    ports: {ports}"]
        dealt = [host * self.ranks_per_host + index for index in range(self.ranks_per_host) for host in range(self.hosts)]
        if by_node:
            at = sorted(range(self.ranks), key=lambda rank: dealt[rank])
            lines.append(f"placement: [{', '.join(map(str, at))}]")
        return "\n".join(lines) + "\n"


@dataclasses.dataclass
class Traffic:
    """What left a host, or a pod, and what came to it: bytes that programs gave to TCP."""

    sent: int
    received: int

    @classmethod
    def of(cls, bytes_sent, packets_sent, bytes_received, packets_received):
        return cls(bytes_sent - HEADERS * packets_sent, bytes_received - HEADERS * packets_received)

    def __sub__(self, other):
        return Traffic(self.sent - other.sent, self.received - other.received)


def _run(*command):
    subprocess.run(command, check=True, capture_output=True, text=True)


class TestBed:
    """A context manager. Needs root."""

    __test__ = False  # no test case, whatever its name

    def __init__(self, shape):
        self.shape = shape
        self._tag = f"atoll-{os.getpid()}"
        self.hosts = [f"{self._tag}-h{number}" for number in range(shape.hosts)]
        self._pods = [f"{self._tag}-pod{number}" for number in range(shape.pods)] if shape.pods > 1 else []
        self._core = f"{self._tag}-core"

    def __enter__(self):
        try:
            for bridge in [self._core, *self._pods]:
                _run("ip", "netns", "add", bridge)
                _run("ip", "-n", bridge, "link", "add", "br0", "type", "bridge")
                _run("ip", "-n", bridge, "link", "set", "br0", "up")
            for number, pod in enumerate(self._pods):
                self._join(pod, "up0", self._core, f"pod{number}", self.shape.pod_rate)
                _run("ip", "-n", pod, "link", "set", "up0", "master", "br0")
            for number, host in enumerate(self.hosts):
                _run("ip", "netns", "add", host)
                bridge = self._pods[self.shape.pod_of(number)] if self._pods else self._core
                self._join(host, INTERFACE, bridge, f"h{number}", self.shape.rate)
                _run("ip", "-n", host, "address", "add", f"198.19.{number // 250}.{number % 250 + 1}/16", "dev", INTERFACE)
                _run("ip", "-n", host, "link", "set", "lo", "up")
            _run(str(AGENT), self.hosts[0], "true")
        except (OSError, subprocess.CalledProcessError) as failure:
            self.__exit__()
            reason = getattr(failure, "stderr", None) or str(failure)
            raise Unavailable(f"no network namespaces with limited links can be made here: {' '.join(reason.split())}") from failure
        return self

    def __exit__(self, *_):
        for namespace in [*self.hosts, *self._pods, self._core]:
            with contextlib.suppress(OSError):  # there is no ip, hence no namespace
                subprocess.run(["ip", "netns", "delete", namespace], check=False, capture_output=True)

    @staticmethod
    def _join(lower, interface, bridge, port, rate):
        """A veth pair, limited both ways. The bucket is small, since what fits into it goes at the speed of memory: what passes in 1 ms,
        by which the kernel's timers may be late, and two packets at least."""
        bucket = max(bits_per_second(rate) / 8 * 1e-3, 2 * PACKET)
        _run("ip", "link", "add", interface, "mtu", str(MTU), "netns", lower, "type", "veth", "peer", "name", port, "mtu", str(MTU), "netns",
             bridge)
        _run("ip", "-n", bridge, "link", "set", port, "master", "br0")
        for namespace, end in ((lower, interface), (bridge, port)):
            _run("tc", "-n", namespace, "qdisc", "add", "dev", end, "root", "tbf", "rate", rate, "burst", f"{bucket:.0f}b", "latency",
                 "50ms")
            _run("ip", "-n", namespace, "link", "set", end, "up")

    def placed(self, by_node=False):
        """The hosts of the ranks for -H: host after host, or in turns as MPI's by-node placement does."""
        if by_node:
            return ",".join(f"{host}:1" for _ in range(self.shape.ranks_per_host) for host in self.hosts)
        return ",".join(f"{host}:{self.shape.ranks_per_host}" for host in self.hosts)

    def atoll_run(self, atoll, variables=(), by_node=False, host_numbers=None):
        """The start of a command that runs a program on all ranks, or on one for each of `host_numbers`, the hosts of ranks 0, 1, ….
        The hosts take the cores for their own each, so ranks are told to yield where there are fewer."""
        placed, ranks = self.placed(by_node), self.shape.ranks
        if host_numbers is not None:
            placed, ranks = ",".join(f"{self.hosts[number]}:1" for number in host_numbers), len(host_numbers)
        told = [f"ATOLL_SOCKET_IFNAME={NETWORK}", *variables]
        if ranks > len(os.sched_getaffinity(0)):
            told.append("ATOLL_SPIN=0")
        exported = [word for variable in told for word in ("-x", variable)]
        return [str(AGENT), self.hosts[0], str(atoll), "run", *exported, "--rsh", str(AGENT), "-H", placed, "-n", str(ranks), "--"]

    def open_mpi_run(self, options=(), by_node=False):
        """The same with Open MPI."""
        return [str(AGENT), self.hosts[0], "mpirun.openmpi", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "-np",
                str(self.shape.ranks), "-H", self.placed(), "--map-by", "node" if by_node else "slot", "--mca", "plm_rsh_agent", str(AGENT),
                "--mca", "oob_tcp_if_include", NETWORK, "--mca", "btl_tcp_if_include", NETWORK, *options]

    def traffic(self):
        """What has crossed each host's interface so far, by host; and each pod's uplink, by pod."""
        return ([self._counters(host, INTERFACE) for host in self.hosts], [self._counters(pod, "up0") for pod in self._pods])

    @staticmethod
    def _counters(namespace, interface):
        counts = [subprocess.run(["ip", "netns", "exec", namespace, "cat", f"/sys/class/net/{interface}/statistics/{name}"], check=True,
                                 capture_output=True, text=True).stdout for name in ("tx_bytes", "tx_packets", "rx_bytes", "rx_packets")]
        return Traffic.of(*map(int, counts))


def run_tests():
    """The end of a program of tests. Without test beds it says why and ends with 77, which ctest takes for skipped."""
    try:
        with TestBed(Shape(hosts=1, ranks_per_host=1)):
            pass
    except Unavailable as reason:
        print(f"skipped: {reason}")
        sys.exit(77)
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""Collectives on islands: right data, and no more bytes between the hosts than the plan says. Run by ctest, with the folder of the
programs as the argument; needs root and network namespaces, and ends with 77 where there are none."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import test_bed

PROGRAMS = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else "build/release/bin").resolve()
BYTES = 1 << 20


PROGRAM_OF = {"allreduce": "all_reduce_perf", "reduce": "reduce_perf", "broadcast": "broadcast_perf", "allgather": "all_gather_perf",
              "reducescatter": "reduce_scatter_perf", "alltoall": "alltoall_perf", "alltoallv": "alltoallv_perf"}
# All-to-alls run out of place only, the others half of their calls in place.
CALLS_OF_AN_ITERATION = {"alltoall": 1, "alltoallv": 1}
# What ATOLL_ALGO calls the collectives that have other names.
RULE_FOR = {"alltoallv": "alltoall"}


def run(bed, collective, algorithm, iterations, by_node=False, by_mpi=False):
    """Runs a collective of BYTES; gives the report and what crossed each host's interface."""
    rule = f"ATOLL_ALGO={RULE_FOR.get(collective, collective)}:{algorithm}"
    # Open MPI's library, loaded by the program, ends with memory of its own allocated: to LeakSanitizer that is a failure.
    without_leaks = f"ASAN_OPTIONS={os.environ.get('ASAN_OPTIONS', '')}:detect_leaks=0"
    launcher = (bed.open_mpi_run(["-x", rule, "-x", without_leaks], by_node) if by_mpi
                else bed.atoll_run(PROGRAMS / "atoll", [rule], by_node))
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        command = [*launcher, str(PROGRAMS / PROGRAM_OF[collective]), "-b", str(BYTES), "-e", str(BYTES), "-n", str(iterations), "-w", "1",
                   "-J", str(report)]
        before = bed.traffic()
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
        after = bed.traffic()
        return json.loads(report.read_text()), [[a - b for a, b in zip(*ends)] for ends in zip(after, before)]


class Islands(unittest.TestCase):
    def payloads_of_a_call(self, bed, collective, algorithm, by_node=False, by_mpi=False):
        """What a call sends and receives through each host's interface, and sends through each pod's, in payloads: the difference that
        8 more make."""
        few, before = run(bed, collective, algorithm, 2, by_node, by_mpi)
        many, after = run(bed, collective, algorithm, 10, by_node, by_mpi)
        for report in few, many:
            self.assertEqual(report["out_of_bounds"]["count"], 0)
        calls = 8 * CALLS_OF_AN_ITERATION.get(collective, 2)
        hosts, pods = [[a - b for a, b in zip(*ends)] for ends in zip(after, before)]
        return ([host.sent / calls / BYTES for host in hosts], [host.received / calls / BYTES for host in hosts],
                [pod.sent / calls / BYTES for pod in pods])

    def test_two_islands_exchange_the_payload_once(self):
        with test_bed.TestBed(test_bed.Shape(hosts=2, ranks_per_host=2, rate="1gbit")) as bed:
            for algorithm in "hierarchical", "hierarchical-pipelined":
                for by_node in False, True:
                    with self.subTest(algorithm=algorithm, by_node=by_node):
                        hosts, _, _ = self.payloads_of_a_call(bed, "allreduce", algorithm, by_node)
                        for sent in hosts:
                            self.assertAlmostEqual(sent, 1, delta=0.05)

    def test_uplinks_carry_the_least_of_every_collective(self):
        others = 2 / 3  # of what three hosts have, that is elsewhere
        sent = {"reducescatter": [others] * 3, "reduce": [0, 1, 1], "alltoall": [2 * others] * 3}
        received = {"allgather": [others] * 3, "broadcast": [0, 1, 1], "alltoall": [2 * others] * 3}
        with test_bed.TestBed(test_bed.Shape(hosts=3, ranks_per_host=2, rate="1gbit")) as bed:
            for collective in sorted(sent.keys() | received.keys()):
                for by_node in False, True:
                    with self.subTest(collective=collective, by_node=by_node):
                        out, into, _ = self.payloads_of_a_call(bed, collective, "hierarchical", by_node)
                        for counted, expected in zip(out, sent.get(collective, [])):
                            self.assertAlmostEqual(counted, expected, delta=0.05)
                        for counted, expected in zip(into, received.get(collective, [])):
                            self.assertAlmostEqual(counted, expected, delta=0.05)

    def test_unequal_blocks_cross_once(self):
        hosts, ranks = 3, 6
        units = [[1 + (source + destination) % ranks for destination in range(ranks)] for source in range(ranks)]
        expected = [sum(units[source][destination] for source in range(ranks) for destination in range(ranks)
                        if source // 2 == host != destination // 2) / sum(units[0]) for host in range(hosts)]
        with test_bed.TestBed(test_bed.Shape(hosts=hosts, ranks_per_host=2, rate="1gbit")) as bed:
            out, _, _ = self.payloads_of_a_call(bed, "alltoallv", "hierarchical")
            for counted, least in zip(out, expected):
                self.assertAlmostEqual(counted, least, delta=0.05 * least)

    @unittest.skipUnless(shutil.which("mpirun.openmpi"), "Open MPI is not installed")
    def test_mpirun_starts_the_ranks_on_the_hosts(self):
        with test_bed.TestBed(test_bed.Shape(hosts=2, ranks_per_host=2, rate="1gbit")) as bed:
            for by_node in False, True:
                with self.subTest(by_node=by_node):
                    hosts, _, _ = self.payloads_of_a_call(bed, "allreduce", "hierarchical", by_node, by_mpi=True)
                    for sent in hosts:
                        self.assertAlmostEqual(sent, 1, delta=0.05)

    def test_three_islands_send_four_thirds_of_the_payload(self):
        with test_bed.TestBed(test_bed.Shape(hosts=3, ranks_per_host=1, rate="1gbit")) as bed:
            hosts, _, _ = self.payloads_of_a_call(bed, "allreduce", "hierarchical")
            for sent in hosts:
                self.assertAlmostEqual(sent, 4 / 3, delta=0.05 * 4 / 3)

    def test_rings_leave_a_host_once_wherever_ranks_are_placed(self):
        with test_bed.TestBed(test_bed.Shape(hosts=2, ranks_per_host=2, rate="1gbit")) as bed:
            for by_node in False, True:
                with self.subTest(by_node=by_node):
                    hosts, _, _ = self.payloads_of_a_call(bed, "allreduce", "ring", by_node)
                    for sent in hosts:
                        self.assertAlmostEqual(sent, 3 / 2, delta=0.05 * 3 / 2)

    def test_pods_have_their_uplinks_counted(self):
        with test_bed.TestBed(test_bed.Shape(hosts=4, ranks_per_host=1, rate="1gbit", pods=2, pod_rate="500mbit")) as bed:
            hosts, _, pods = self.payloads_of_a_call(bed, "allreduce", "hierarchical")
            self.assertEqual((len(hosts), len(pods)), (4, 2))
            # A ring of four hosts in order crosses each pod's uplink once each way.
            for sent in pods:
                self.assertAlmostEqual(sent, 3 / 2, delta=0.05 * 3 / 2)


class Arguments(unittest.TestCase):
    def test_wrong_ones_are_named_and_nothing_is_made(self):
        for wrong in (("--rate", "abc"), ("--rate=-5mbit",), ("--pod-rate", "3"), ("--hosts", "0"), ("--pods", "0"), ("--pods", "3", "--hosts", "4")):
            result = subprocess.run([sys.executable, "-B", str(pathlib.Path(__file__).with_name("islands.py")), *wrong, "--", "true"], check=False,
                                    capture_output=True, text=True)
            self.assertNotEqual(result.returncode, 0)
            self.assertIn(wrong[0].split("=")[0], result.stderr)
            self.assertNotIn("Traceback", result.stderr)


class Shapes(unittest.TestCase):
    def test_hosts_fill_pods_evenly(self):
        self.assertEqual([test_bed.Shape(hosts=4, pods=2).pod_of(host) for host in range(4)], [0, 0, 1, 1])
        with self.assertRaisesRegex(ValueError, "5 hosts are not to be had in 2 pods"):
            test_bed.Shape(hosts=5, pods=2)


if __name__ == "__main__":
    test_bed.run_tests()

# SPDX-License-Identifier: Apache-2.0
"""All-reduces on islands: right data, and no more bytes between the hosts than the plan says. Run by ctest, with the folder of the
programs as the argument; needs root and network namespaces, and ends with 77 where there are none."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import test_bed

PROGRAMS = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else "build/release/bin").resolve()
BYTES = 1 << 20


def all_reduce(bed, algorithm, iterations, by_node=False):
    """Runs all-reduces of BYTES; gives the report and what crossed each host's interface."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        command = [*bed.atoll_run(PROGRAMS / "atoll", [f"ATOLL_ALGO=allreduce:{algorithm}"], by_node), str(PROGRAMS / "all_reduce_perf"),
                   "-b", str(BYTES), "-e", str(BYTES), "-n", str(iterations), "-w", "1", "-J", str(report)]
        before = bed.traffic()
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
        after = bed.traffic()
        return json.loads(report.read_text()), [[a - b for a, b in zip(*ends)] for ends in zip(after, before)]


class Islands(unittest.TestCase):
    def bytes_of_a_call(self, bed, algorithm, by_node=False):
        """What an all-reduce sends through each host's interface, and each pod's: the difference that 8 more of each half make."""
        few, before = all_reduce(bed, algorithm, 2, by_node)
        many, after = all_reduce(bed, algorithm, 10, by_node)
        for report in few, many:
            self.assertEqual(report["out_of_bounds"]["count"], 0)
        return [[(a.sent - b.sent) / 16 for a, b in zip(*ends)] for ends in zip(after, before)]

    def test_two_islands_exchange_the_payload_once(self):
        with test_bed.TestBed(test_bed.Shape(hosts=2, ranks_per_host=2, rate="1gbit")) as bed:
            for algorithm in "hierarchical", "hierarchical-pipelined":
                for by_node in False, True:
                    with self.subTest(algorithm=algorithm, by_node=by_node):
                        hosts, _ = self.bytes_of_a_call(bed, algorithm, by_node)
                        for sent in hosts:
                            self.assertAlmostEqual(sent / BYTES, 1, delta=0.05)

    def test_three_islands_send_four_thirds_of_the_payload(self):
        with test_bed.TestBed(test_bed.Shape(hosts=3, ranks_per_host=1, rate="1gbit")) as bed:
            hosts, _ = self.bytes_of_a_call(bed, "hierarchical")
            for sent in hosts:
                self.assertAlmostEqual(sent / BYTES, 4 / 3, delta=0.05 * 4 / 3)

    def test_pods_have_their_uplinks_counted(self):
        with test_bed.TestBed(test_bed.Shape(hosts=4, ranks_per_host=1, rate="1gbit", pods=2, pod_rate="500mbit")) as bed:
            hosts, pods = self.bytes_of_a_call(bed, "hierarchical")
            self.assertEqual((len(hosts), len(pods)), (4, 2))
            # A ring of four hosts in order crosses each pod's uplink once each way.
            for sent in pods:
                self.assertAlmostEqual(sent / BYTES, 3 / 2, delta=0.05 * 3 / 2)


class Shapes(unittest.TestCase):
    def test_hosts_fill_pods_evenly(self):
        self.assertEqual([test_bed.Shape(hosts=4, pods=2).pod_of(host) for host in range(4)], [0, 0, 1, 1])
        with self.assertRaisesRegex(ValueError, "5 hosts are not to be had in 2 pods"):
            test_bed.Shape(hosts=5, pods=2)


if __name__ == "__main__":
    try:
        with test_bed.TestBed(test_bed.Shape(hosts=1, ranks_per_host=1)):
            pass
    except test_bed.Unavailable as reason:
        print(f"skipped: {reason}")
        sys.exit(77)
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""`atoll topo --measure` finds the islands of the test bed by itself, wherever ranks are placed. Run by ctest, with the folder of the
programs as the argument; needs root and network namespaces, and ends with 77 where there are none."""
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

import test_bed

ATOLL = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else "build/release/bin").resolve() / "atoll"
PLACEMENTS = 10


def ranks_in(node):
    if isinstance(node, int):
        return frozenset([node])
    return frozenset().union(*map(ranks_in, node["members"]))


def islands_of(node, depth):
    """The ranks of each island that many levels under a node of `atoll topo --json`."""
    if depth == 0:
        return {ranks_in(node)}
    return set().union(*(islands_of(member, depth - 1) for member in node["members"]))


def together(numbers):
    """The ranks that have the same number, for each."""
    return {frozenset(rank for rank, other in enumerate(numbers) if other == number) for number in set(numbers)}


def measured(bed, host_numbers):
    """The tree that is found between ranks on these hosts, and what is said about it."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "measured.yaml"
        command = [*bed.atoll_run(ATOLL, host_numbers=host_numbers), str(ATOLL), "topo", "--measure", "-o", str(file)]
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
        shown = subprocess.run([str(ATOLL), "topo", str(file), "--json"], check=True, capture_output=True, text=True).stdout
        return json.loads(shown)["tree"], file.read_text()


def random_placement(chance, hosts):
    """Hosts of four to six ranks, at least two on one of them and at least one on another."""
    while True:
        numbers = [chance.randrange(hosts) for _ in range(chance.randint(4, 6))]
        if 1 < len(set(numbers)) < len(numbers):
            return numbers


class Measurement(unittest.TestCase):
    def test_random_placements_are_found(self):
        chance = random.Random(20)
        with test_bed.TestBed(test_bed.Shape(hosts=3, ranks_per_host=2, rate="200mbit")) as bed:
            for _ in range(PLACEMENTS):
                numbers = random_placement(chance, 3)
                with self.subTest(hosts_of_ranks=numbers):
                    tree, text = measured(bed, numbers)
                    self.assertEqual(islands_of(tree, 1), together(numbers), text)

    def test_pods_of_hosts_are_found(self):
        numbers = [3, 0, 2, 1, 0, 2]
        shape = test_bed.Shape(hosts=4, ranks_per_host=2, rate="200mbit", pods=2, pod_rate="50mbit")
        with test_bed.TestBed(shape) as bed:
            tree, text = measured(bed, numbers)
            self.assertEqual(islands_of(tree, 1), together([shape.pod_of(number) for number in numbers]), text)
            self.assertEqual(islands_of(tree, 2), together(numbers), text)


if __name__ == "__main__":
    test_bed.run_tests()

# SPDX-License-Identifier: Apache-2.0
"""The machine's own limits, measured in the same run, and the lower bound on a collective's time that follows."""
import json
import pathlib

import collectives
import starting


def measure(folder, seconds=120):
    return json.loads(starting.run([str(pathlib.Path(folder) / "bounds_perf")], seconds))


class Bounds:
    """The best that any of several measurements saw, for a bound is what cannot be exceeded."""

    def __init__(self):
        self.cores = None
        self.memory = {}  # (work, working set in bytes): 1e9 bytes a second
        self.flag_round_trip_us = None
        self.tcp = None

    def add(self, document):
        self.cores = document["cores"]
        for entry in document["memory"]:
            key = (entry["work"], entry["working_set"])
            self.memory[key] = max(self.memory.get(key, 0.0), entry["gigabytes_per_second"])
        flag = document["flag_round_trip_us"]
        if flag is not None and (self.flag_round_trip_us is None or flag < self.flag_round_trip_us):
            self.flag_round_trip_us = flag
        tcp = document["tcp_stream"]
        if self.tcp is None or tcp["gigabytes_per_second"] > self.tcp["gigabytes_per_second"]:
            self.tcp = tcp

    def bandwidth(self, working_set):
        """The fastest that all cores moved at least so much memory, in 1e9 bytes a second; None without measurements.

        What is smaller than `working_set` may have stayed in a faster cache; what is larger can only have been slower.
        Past the largest measured, that one's holds.
        """
        if not self.memory:
            return None
        largest = {}
        for work, size in self.memory:
            largest[work] = max(largest.get(work, 0), size)
        reach = min(working_set, *largest.values())
        return max(rate for (_, size), rate in self.memory.items() if size >= reach)

    def time(self, collective, ranks, size):
        """Lower bound in microseconds on a call's time in shared memory; None where none was measured.

        The greater of what the memory takes and of the time that a flag needs to another core.
        """
        floors = []
        traffic = collectives.ALL[collective].traffic(ranks) * size
        rate = self.bandwidth(traffic)
        if rate and traffic:
            floors.append(traffic / rate / 1e3)
        if self.flag_round_trip_us and collectives.ALL[collective].waits:
            floors.append(self.flag_round_trip_us / 2)
        return max(floors, default=None)

    def document(self):
        return {
            "cores": self.cores,
            "memory": [{"work": work, "working_set": size, "gigabytes_per_second": rate}
                       for (work, size), rate in sorted(self.memory.items())],
            "flag_round_trip_us": self.flag_round_trip_us,
            "tcp_stream": self.tcp,
        }

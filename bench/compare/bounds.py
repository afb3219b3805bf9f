# SPDX-License-Identifier: Apache-2.0
"""The machine's own limits, measured in the same run, and the lower bound on a collective's time that follows."""
import json
import pathlib

import collectives
import starting


def measure(folder, options=(), seconds=120):
    return json.loads(starting.run([str(pathlib.Path(folder) / "bounds_perf"), *options], seconds))


def _better(one, other):
    """Of two measurements of TCP, the best of every figure."""
    rates = {stream["congestion_control"]: stream for stream in one["streams"]}
    for stream in other["streams"]:
        known = rates.setdefault(stream["congestion_control"], stream)
        rates[stream["congestion_control"]] = {**stream, **{way: max(known[way], stream[way]) for way in ("one_way", "both_ways")}}
    times = {key: min(one[key], other[key]) for key in ("exchange_us", "round_trip_us", "blocking_round_trip_us")}
    return {**one, "streams": list(rates.values()), **times}


class Bounds:
    """The best that any of several measurements saw, for a bound is what cannot be exceeded.

    `kind` says what a call's bound follows from: "memory", "tcp" (every message) or "crossing" (those between two halves).
    """

    def __init__(self, kind="memory"):
        self.kind = kind
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
        self.tcp = document["tcp"] if self.tcp is None else _better(self.tcp, document["tcp"])

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
        """Lower bound in microseconds on a call's time; None where none was measured."""
        return self._in_memory(collective, ranks, size) if self.kind == "memory" else self._over_tcp(collective, ranks, size)

    def _over_tcp(self, collective, ranks, size):
        """The greater of what one raw connection takes for all bytes, at its best, and of an exchange of 8 bytes.

        Every core has its part in a stream, on a small machine: more connections would not carry more.
        """
        if self.tcp is None:
            return None
        floors = []
        it = collectives.ALL[collective]
        carried = (it.sent(ranks) if self.kind == "tcp" else it.crossing(ranks)) * size
        rate = max(max(stream["one_way"], 2 * stream["both_ways"]) for stream in self.tcp["streams"])
        if carried and rate:
            floors.append(carried / rate / 1e3)
        if it.waits:
            floors.append(self.tcp["exchange_us"])
        return max(floors, default=None)

    def _in_memory(self, collective, ranks, size):
        """The greater of what the memory takes and of the time that a flag needs to another core."""
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
            "tcp": self.tcp,
        }

# SPDX-License-Identifier: Apache-2.0
"""From single measurements to medians and ratios."""
import statistics

import collectives


class Samples:
    """Times in microseconds by (case, size, contestant), one for each repetition, and why some are missing."""

    def __init__(self):
        self.times = {}
        self.missing = {}

    def add(self, case, contestant, document):
        """Takes over the rows of a program's JSON; wrong data is an error."""
        if not document["out_of_bounds"]["okay"]:
            raise ValueError(f"{contestant}, {case.title()}: {document['out_of_bounds']['count']} wrong elements")
        for row in document["results"]:
            if row["size"] == 0 and case.collective != "barrier":
                continue  # fewer elements than ranks
            half = row[collectives.half_of(case.collective)]
            self.times.setdefault((case, row["size"], contestant), []).append(half["time"])

    def miss(self, case, contestant, nominal, reason):
        """Notes why a size has no time; the first reason stays."""
        size = collectives.row_size(case.collective, case.ranks, nominal)
        if size > 0 or case.collective == "barrier":
            self.missing.setdefault((case, size, contestant), reason)

    def missed(self, case, contestant, nominal):
        return (case, collectives.row_size(case.collective, case.ranks, nominal), contestant) in self.missing

    def _entry(self, case, size, contestant, base):
        times = self.times.get((case, size, contestant))
        missing = self.missing.get((case, size, contestant))
        entry = {"median_us": None, "over_first": None}
        if times:
            median = statistics.median(times)
            entry = {"median_us": median, "min_us": min(times), "max_us": max(times), "samples_us": times,
                     "bus_bandwidth": collectives.bus_bandwidth(case.collective, case.ranks, size, median),
                     "over_first": median / base if base else None}
        if missing:
            entry["missing"] = missing
        return entry

    def summary(self, contestants, bounds=None):
        """One record for each (case, size): every contestant's median, spread, and time over the first's.

        `bounds` are objects of bounds.py by setting.
        """
        records = []
        rows = {}  # sizes by case, in the order of measuring
        for case, size, _ in [*self.times, *self.missing]:
            rows.setdefault(case, set()).add(size)
        for case, size in [(case, size) for case, sizes in rows.items() for size in sorted(sizes)]:
            first = self.times.get((case, size, contestants[0]))
            base = statistics.median(first) if first else None
            records.append({
                "setting": case.setting, "buffers": case.buffers, "collective": case.collective, "ranks": case.ranks, "size": size,
                "bound_us": bounds[case.setting].time(case.collective, case.ranks, size) if bounds else None,
                "contestants": {name: self._entry(case, size, name, base) for name in contestants},
            })
        return records

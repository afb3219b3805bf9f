# SPDX-License-Identifier: Apache-2.0
"""From single measurements to medians and ratios."""
import statistics

import collectives


class Samples:
    """Times in microseconds by (collective, ranks, size, contestant), one for each repetition, and why some are missing."""

    def __init__(self):
        self.times = {}
        self.missing = {}

    def add(self, collective, ranks, contestant, document):
        """Takes over the rows of a program's JSON; wrong data is an error."""
        if not document["out_of_bounds"]["okay"]:
            raise ValueError(f"{contestant} {collective} on {ranks} ranks: {document['out_of_bounds']['count']} wrong elements")
        for row in document["results"]:
            if row["size"] == 0 and collective != "barrier":
                continue  # fewer elements than ranks
            half = row[collectives.half_of(collective)]
            self.times.setdefault((collective, ranks, row["size"], contestant), []).append(half["time"])

    def miss(self, collective, ranks, contestant, nominal, reason):
        """Notes why a size has no time; the first reason stays."""
        size = collectives.row_size(collective, ranks, nominal)
        if size > 0 or collective == "barrier":
            self.missing.setdefault((collective, ranks, size, contestant), reason)

    def missed(self, collective, ranks, contestant, nominal):
        return (collective, ranks, collectives.row_size(collective, ranks, nominal), contestant) in self.missing

    def _entry(self, row, contestant, base):
        times = self.times.get(row + (contestant,))
        missing = self.missing.get(row + (contestant,))
        entry = {"median_us": None, "over_first": None}
        if times:
            median = statistics.median(times)
            entry = {"median_us": median, "min_us": min(times), "max_us": max(times), "samples_us": times,
                     "bus_bandwidth": collectives.bus_bandwidth(row[0], row[1], row[2], median),
                     "over_first": median / base if base else None}
        if missing:
            entry["missing"] = missing
        return entry

    def summary(self, contestants, bounds=None):
        """One record for each (collective, ranks, size): every contestant's median, spread, and time over the first's."""
        records = []
        for row in sorted({key[:3] for key in [*self.times, *self.missing]}):
            first = self.times.get(row + (contestants[0],))
            base = statistics.median(first) if first else None
            records.append({
                "collective": row[0], "ranks": row[1], "size": row[2],
                "bound_us": bounds.time(*row) if bounds else None,
                "contestants": {name: self._entry(row, name, base) for name in contestants},
            })
        return records

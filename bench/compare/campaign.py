# SPDX-License-Identifier: Apache-2.0
"""Measures every contestant in turn, within every repetition, and the machine's bounds beside them."""
import json
import os
import sys
import tempfile

import bounds
import plan
import samples
import starting

# What is left of the iterations for a contestant that waits for whole time slices.
SUFFERING_SCALE = 0.02


class Campaign:
    """One comparison. `contestants` are objects of contestants.py by name, in the order of the columns."""

    def __init__(self, folder, contestants, options):
        self.folder = folder
        self.contestants = contestants
        self.options = options
        self.samples = samples.Samples()
        self.bounds = bounds.Bounds()
        self.libraries = {}
        self.problems = []
        self.failures = 0

    def run(self, collectives, ranks_list):
        for collective in collectives:
            for ranks in ranks_list:
                self._measure_bounds()
                for repetition in range(self.options.repetitions):
                    self._repetition(collective, ranks, repetition)
                    print(f"{collective}, {ranks} ranks: repetition {repetition + 1} of {self.options.repetitions}",
                          file=sys.stderr, flush=True)

    def _measure_bounds(self):
        try:
            self.bounds.add(bounds.measure(self.folder))
        except starting.RunFailed as failure:
            self.failures += 1
            self._problem(f"bounds: {failure}")

    def _problem(self, text):
        self.problems.append(" ".join(text.split()))
        print(f"compare.py: {text}", file=sys.stderr, flush=True)

    def _repetition(self, collective, ranks, repetition):
        low, high = (plan.parse_bytes(self.options.min), plan.parse_bytes(self.options.max))
        if collective == "barrier":
            low = high = 8
        # Alternately from either end, so that none always follows the same other.
        names = list(self.contestants) if repetition % 2 == 0 else list(self.contestants)[::-1]
        for band in plan.bands(low, high, self.options.factor, self.options.scale):
            for name in names:
                self._band(collective, ranks, name, band)

    def _band(self, collective, ranks, name, band):
        contestant = self.contestants[name]
        if not contestant.has(collective):
            self._miss(collective, ranks, name, band.sizes(), "has none")
        elif contestant.suffers_at(ranks):
            for single in band.singly(SUFFERING_SCALE):
                self._start(collective, ranks, name, single, self.options.row_limit)
        else:
            self._start(collective, ranks, name, band, self.options.timeout)

    def _miss(self, collective, ranks, name, sizes, reason):
        for size in sizes:
            self.samples.miss(collective, ranks, name, size, reason)

    def _start(self, collective, ranks, name, band, seconds):
        """One start of one contestant's program. What failed once is not tried again."""
        if any(self.samples.missed(collective, ranks, name, size) for size in band.sizes()):
            return
        try:
            document = self._document(collective, ranks, name, band, seconds)
            self.samples.add(collective, ranks, name, document)
            self.libraries[name] = f"{document['library']} {document['version']}"
        except starting.TookTooLong:
            self._miss(collective, ranks, name, band.sizes(), f"over {seconds:g} s")
            self._miss(collective, ranks, name, self._larger(band), "not tried")
            self._problem(f"{name}, {collective}, {ranks} ranks: no end of {band.min_bytes} to {band.max_bytes} bytes within "
                          f"{seconds:g} s; larger sizes are not tried")
        except (starting.RunFailed, ValueError) as failure:
            self._miss(collective, ranks, name, band.sizes(), "failed")
            self.failures += 1
            self._problem(f"{name}, {collective}, {ranks} ranks: {failure}")

    def _larger(self, band):
        high = plan.parse_bytes(self.options.max)
        sizes = []
        size = band.max_bytes * band.factor
        while size <= high:
            sizes.append(size)
            size *= band.factor
        return sizes

    def _document(self, collective, ranks, name, band, seconds):
        contestant = self.contestants[name]
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "result.json")
            command = contestant.command(collective, ranks) + band.options() + ["-c", "1", "-J", path]
            starting.run(command, seconds, contestant.environment(folder))
            with open(path, encoding="utf-8") as file:
                return json.load(file)

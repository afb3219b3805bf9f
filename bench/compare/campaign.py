# SPDX-License-Identifier: Apache-2.0
"""Measures every contestant in turn, within every repetition, and the machine's bounds beside them."""
import json
import os
import sys
import tempfile

import bounds
import cases
import plan
import samples
import settings
import starting

# What is left of the iterations for a contestant that waits for whole time slices.
SUFFERING_SCALE = 0.02


class Campaign:
    """One comparison. `contestants` are objects of contestants.py by name, in the order of the columns."""

    def __init__(self, folder, contestants, options, cache_bytes):
        self.folder = folder
        self.contestants = contestants
        self.options = options
        self.cache_bytes = cache_bytes
        self.samples = samples.Samples()
        self.bounds = {}  # by setting
        self.libraries = {}
        self.problems = []
        self.failures = 0

    def run(self, all_settings, collectives, ranks_list, buffers_list):
        """`all_settings` are objects of settings.py; one that this machine does not allow is left out, with a problem that says why."""
        for setting in all_settings:
            try:
                with setting:
                    self._run_in(setting, [cases.Case(setting.name, collective, ranks, buffers) for collective in collectives
                                           for ranks in ranks_list if setting.has(ranks) for buffers in buffers_list])
            except settings.Unavailable as reason:
                self._problem(f"{setting.name} is SKIPPED: {reason}")

    def _run_in(self, setting, all_cases):
        for case in all_cases:
            self._measure_bounds(setting)
            for repetition in range(self.options.repetitions):
                self._repetition(setting, case, repetition)
                print(f"{case.title()}: repetition {repetition + 1} of {self.options.repetitions}", file=sys.stderr, flush=True)

    def _measure_bounds(self, setting):
        into = self.bounds.setdefault(setting.name, bounds.Bounds(setting.bound))
        try:
            into.add(bounds.measure(self.folder, setting.bounds_options()))
        except starting.RunFailed as failure:
            self.failures += 1
            self._problem(f"bounds: {failure}")

    def _problem(self, text):
        self.problems.append(" ".join(text.split()))
        print(f"compare.py: {text}", file=sys.stderr, flush=True)

    def _repetition(self, setting, case, repetition):
        low, high = (plan.parse_bytes(self.options.min), plan.parse_bytes(self.options.max))
        if case.collective == "barrier":
            low = high = 8
        # Alternately from either end, so that none always follows the same other.
        names = list(self.contestants) if repetition % 2 == 0 else list(self.contestants)[::-1]
        for band in plan.bands(low, high, self.options.factor, self.options.scale):
            for name in names:
                self._band(setting, case, name, band)

    def _band(self, setting, case, name, band):
        contestant = self.contestants[name]
        if not contestant.has(case.collective):
            self._miss(case, name, band.sizes(), "has none")
        elif contestant.suffers_at(case.ranks):
            for single in band.singly(SUFFERING_SCALE):
                self._start(setting, case, name, single, self.options.row_limit)
        else:
            self._start(setting, case, name, band, self.options.timeout)

    def _miss(self, case, name, sizes, reason):
        for size in sizes:
            self.samples.miss(case, name, size, reason)

    def _start(self, setting, case, name, band, seconds):
        """One start of one contestant's program. What failed once is not tried again."""
        if any(self.samples.missed(case, name, size) for size in band.sizes()):
            return
        try:
            document = self._document(setting, case, name, band, seconds)
            self.samples.add(case, name, document)
            self.libraries[name] = f"{document['library']} {document['version']}"
        except starting.TookTooLong:
            self._miss(case, name, band.sizes(), f"over {seconds:g} s")
            self._miss(case, name, self._larger(band), "not tried")
            self._problem(f"{name}, {case.title()}: no end of {band.min_bytes} to {band.max_bytes} bytes within "
                          f"{seconds:g} s; larger sizes are not tried")
        except (starting.RunFailed, ValueError) as failure:
            self._miss(case, name, band.sizes(), "failed")
            self.failures += 1
            self._problem(f"{name}, {case.title()}: {failure}")

    def _larger(self, band):
        high = plan.parse_bytes(self.options.max)
        sizes = []
        size = band.max_bytes * band.factor
        while size <= high:
            sizes.append(size)
            size *= band.factor
        return sizes

    def _document(self, setting, case, name, band, seconds):
        contestant = self.contestants[name]
        rotation = cases.rotation(case.buffers, case.ranks, self.cache_bytes)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "result.json")
            command = (contestant.command(setting, case.collective, case.ranks) + band.options()
                       + ["--rotation", str(rotation), "-c", "1", "-J", path])
            starting.run(command, seconds, contestant.environment(setting, folder))
            with open(path, encoding="utf-8") as file:
                return json.load(file)

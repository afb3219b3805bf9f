# SPDX-License-Identifier: Apache-2.0
"""The pictures of bench/compare. Needs matplotlib; without it, the exit code says so to ctest. Run by ctest."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench" / "compare"))

import cases  # noqa: E402
import plots  # noqa: E402
import samples  # noqa: E402

SKIPPED = 77


def result(times):
    return {"out_of_bounds": {"okay": True, "count": 0},
            "results": [{"size": size, "out_of_place": {"time": time}, "in_place": None} for size, time in times.items()]}


class Plots(unittest.TestCase):
    def test_one_picture_for_each_number_of_ranks_and_none_of_a_single_size(self):
        gathered = samples.Samples()
        both = [cases.Case("tcp", "allreduce", ranks, "cold") for ranks in (2, 4)]
        for case in both:
            gathered.add(case, "atoll", result({8: 1.0, 1024: 2.0, 1 << 20: 100.0}))
            gathered.add(case, "mpich", result({8: 3.0}))
            gathered.miss(case, "mpich", 1024, "over 20 s")
        gathered.add(cases.Case("tcp", "barrier", 2, "warm"), "atoll", result({0: 1.0}))
        records = gathered.summary(["atoll", "mpich"])
        for record in records:
            record["bound_us"] = 0.5 if record["size"] else None
        with tempfile.TemporaryDirectory() as folder:
            paths = plots.draw(records, ["atoll", "mpich"], pathlib.Path(folder))
            self.assertEqual(set(paths), set(both))
            self.assertEqual(paths[both[0]].name, "tcp-allreduce-2-cold.png")
            for path in paths.values():
                self.assertEqual(path.read_bytes()[:8], b"\x89PNG\r\n\x1a\n")


if __name__ == "__main__":
    if not plots.available():
        print("SKIPPED: this python3 has no matplotlib (Debian: python3-matplotlib), so no picture was drawn")
        sys.exit(SKIPPED)
    unittest.main()

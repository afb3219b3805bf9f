# SPDX-License-Identifier: Apache-2.0
"""The pure parts of bench/compare: sweeps, medians, ratios, the page. Run by ctest."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench" / "compare"))

import plan  # noqa: E402
import tables  # noqa: E402


def document(times, okay=True, half="out_of_place"):
    other = {"in_place": "out_of_place", "out_of_place": "in_place"}[half]
    return {"out_of_bounds": {"okay": okay, "count": 0 if okay else 3},
            "results": [{"size": size, half: {"time": time}, other: None} for size, time in times.items()]}


class Bands(unittest.TestCase):
    def test_cover_every_size_once(self):
        sizes = []
        for band in plan.bands(8, 64 << 20, 4):
            size = band.min_bytes
            while size <= band.max_bytes:
                sizes.append(size)
                size *= band.factor
        self.assertEqual(sizes, [8 << (2 * i) for i in range(12)])

    def test_small_sizes_get_more_iterations(self):
        iterations = [band.iterations for band in plan.bands(8, 64 << 20, 2)]
        self.assertEqual(iterations, sorted(iterations, reverse=True))

    def test_scale_never_reaches_zero(self):
        self.assertTrue(all(band.iterations >= 1 and band.warmup >= 1 for band in plan.bands(8, 64 << 20, 2, 1e-6)))

    def test_sizes_are_binary(self):
        self.assertEqual([plan.parse_bytes(text) for text in ("8", "4K", "2m", "1G")], [8, 4096, 2 << 20, 1 << 30])
        with self.assertRaises(ValueError):
            plan.parse_bytes("many")


class Summary(unittest.TestCase):
    def setUp(self):
        self.samples = tables.Samples()
        for mine, theirs in ((1.0, 4.0), (2.0, 6.0), (9.0, 100.0)):
            self.samples.add("allreduce", 2, "atoll", document({8: mine}))
            self.samples.add("allreduce", 2, "openmpi", document({8: theirs}))

    def test_ratios_are_of_medians(self):
        record, = self.samples.summary(["atoll", "openmpi"])
        self.assertEqual(record["contestants"]["atoll"]["median_us"], 2.0)
        self.assertEqual(record["contestants"]["openmpi"]["over_atoll"], 3.0)
        self.assertEqual(record["contestants"]["openmpi"]["samples_us"], [4.0, 6.0, 100.0])

    def test_page_shows_every_number(self):
        page = tables.markdown(self.samples.summary(["atoll", "openmpi"]), ["atoll", "openmpi"], {"cores": 2}, {"type": "float"})
        self.assertIn("| 8 | 2.00 | 6.00 (3.00) |", page)
        self.assertIn("- cores: 2", page)

    def test_wrong_data_is_refused(self):
        with self.assertRaisesRegex(ValueError, "3 wrong"):
            self.samples.add("allreduce", 2, "atoll", document({8: 1.0}, okay=False))

    def test_broadcast_is_compared_in_place(self):
        self.samples.add("broadcast", 2, "atoll", document({8: 7.0}, half="in_place"))
        self.assertEqual(self.samples.times[("broadcast", 2, 8, "atoll")], [7.0])

    def test_sizes_without_data_are_left_out(self):
        self.samples.add("alltoall", 4, "atoll", document({0: 1.0, 64: 2.0}))
        self.assertNotIn(("alltoall", 4, 0, "atoll"), self.samples.times)


if __name__ == "__main__":
    unittest.main()

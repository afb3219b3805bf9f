# SPDX-License-Identifier: Apache-2.0
"""The pure parts of bench/compare: sweeps, medians, ratios, bounds, time limits, tables, pages. Run by ctest."""
import pathlib
import sys
import tempfile
import types
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench" / "compare"))

import bounds  # noqa: E402
import campaign  # noqa: E402
import collectives  # noqa: E402
import contestants  # noqa: E402
import page  # noqa: E402
import plan  # noqa: E402
import samples  # noqa: E402
import starting  # noqa: E402
import summary  # noqa: E402
import tables  # noqa: E402


def result(times, okay=True, half="out_of_place"):
    """What a program writes."""
    other = {"in_place": "out_of_place", "out_of_place": "in_place"}[half]
    return {"library": "L", "version": "1", "out_of_bounds": {"okay": okay, "count": 0 if okay else 3},
            "results": [{"size": size, half: {"time": time}, other: None} for size, time in times.items()]}


def filled(times):
    """Samples of {(collective, ranks, contestant): {size: microseconds}}."""
    gathered = samples.Samples()
    for (collective, ranks, name), sizes in times.items():
        half = collectives.half_of(collective)
        gathered.add(collective, ranks, name, result(sizes, half=half))
    return gathered


def whole(records, names, **changes):
    """A document as compare.py writes it."""
    return {"machine": {"cores": 2}, "settings": {"type": "float"}, "contestants": names, "bounds": None, "problems": [],
            "summary": summary.of_all(records, names, lambda name: name != "atoll"), "results": records, **changes}


class Bands(unittest.TestCase):
    def test_cover_every_size_once(self):
        sizes = [size for band in plan.bands(8, 64 << 20, 4) for size in band.sizes()]
        self.assertEqual(sizes, [8 << (2 * i) for i in range(12)])

    def test_small_sizes_get_more_iterations(self):
        iterations = [band.iterations for band in plan.bands(8, 64 << 20, 2)]
        self.assertEqual(iterations, sorted(iterations, reverse=True))

    def test_scale_never_reaches_zero(self):
        self.assertTrue(all(band.iterations >= 1 and band.warmup >= 1 for band in plan.bands(8, 64 << 20, 2, 1e-6)))

    def test_singly_keeps_every_size_with_fewer_iterations(self):
        band = plan.bands(8, 4096, 2)[0]
        single = band.singly(0.02)
        self.assertEqual([size for each in single for size in each.sizes()], band.sizes())
        self.assertEqual({(each.iterations, each.warmup) for each in single}, {(20, 2)})

    def test_sizes_are_binary(self):
        self.assertEqual([plan.parse_bytes(text) for text in ("8", "4K", "2m", "1G")], [8, 4096, 2 << 20, 1 << 30])
        with self.assertRaises(ValueError):
            plan.parse_bytes("many")


class Medians(unittest.TestCase):
    def setUp(self):
        self.samples = samples.Samples()
        for mine, theirs in ((1.0, 4.0), (2.0, 6.0), (9.0, 100.0)):
            self.samples.add("allreduce", 2, "atoll", result({8: mine}))
            self.samples.add("allreduce", 2, "openmpi", result({8: theirs}))

    def test_ratios_are_of_medians(self):
        record, = self.samples.summary(["atoll", "openmpi"])
        self.assertEqual(record["contestants"]["atoll"]["median_us"], 2.0)
        self.assertEqual(record["contestants"]["openmpi"]["over_first"], 3.0)
        self.assertEqual(record["contestants"]["openmpi"]["samples_us"], [4.0, 6.0, 100.0])

    def test_wrong_data_is_refused(self):
        with self.assertRaisesRegex(ValueError, "3 wrong"):
            self.samples.add("allreduce", 2, "atoll", result({8: 1.0}, okay=False))

    def test_broadcast_is_compared_in_place(self):
        self.samples.add("broadcast", 2, "atoll", result({8: 7.0}, half="in_place"))
        self.assertEqual(self.samples.times[("broadcast", 2, 8, "atoll")], [7.0])

    def test_sizes_without_data_are_left_out(self):
        self.samples.add("alltoall", 4, "atoll", result({0: 1.0, 64: 2.0}))
        self.assertNotIn(("alltoall", 4, 0, "atoll"), self.samples.times)

    def test_a_row_that_one_lacks_keeps_the_others_and_the_reason(self):
        self.samples.add("allreduce", 2, "atoll", result({32: 5.0}))
        self.samples.miss("allreduce", 2, "openmpi", 32, "over 20 s")
        record = self.samples.summary(["atoll", "openmpi"])[1]
        self.assertEqual(record["size"], 32)
        self.assertIsNone(record["contestants"]["openmpi"]["median_us"])
        self.assertEqual(record["contestants"]["openmpi"]["missing"], "over 20 s")

    def test_a_missing_row_has_the_size_that_the_others_print(self):
        self.samples.miss("allgather", 3, "mpich", 512, "over 20 s")
        self.assertIn(("allgather", 3, 504, "mpich"), self.samples.missing)
        self.samples.miss("alltoall", 8, "mpich", 8, "over 20 s")  # no row: fewer elements than ranks
        self.assertEqual(len(self.samples.missing), 1)


class BoundOfTime(unittest.TestCase):
    def setUp(self):
        self.bounds = bounds.Bounds()
        self.add(copy={1 << 16: 200.0, 1 << 28: 20.0}, total={3 << 15: 150.0, 3 << 27: 25.0}, flag=0.2)

    def add(self, copy, total, flag):
        memory = [{"work": work, "working_set": size, "gigabytes_per_second": rate}
                  for work, rates in (("copy", copy), ("sum", total)) for size, rate in rates.items()]
        self.bounds.add({"cores": 2, "memory": memory, "flag_round_trip_us": flag,
                         "tcp_stream": {"gigabytes_per_second": 3.0, "congestion_control": "cubic"}})

    def test_allreduce_loads_and_stores_every_byte_of_every_rank_once(self):
        size = 64 << 20
        self.assertAlmostEqual(self.bounds.time("allreduce", 2, size), 2 * 2 * size / 25.0 / 1e3)

    def test_bandwidth_is_the_best_of_anything_as_large(self):
        self.assertEqual(self.bounds.bandwidth(1 << 16), 200.0)
        self.assertEqual(self.bounds.bandwidth((1 << 16) + 1), 150.0)
        self.assertEqual(self.bounds.bandwidth(1 << 20), 25.0)
        self.assertEqual(self.bounds.bandwidth(1 << 40), 25.0)  # past the largest, the largest of every work counts

    def test_small_calls_wait_for_a_flag(self):
        self.assertEqual(self.bounds.time("allreduce", 2, 8), 0.1)
        self.assertEqual(self.bounds.time("barrier", 2, 0), 0.1)
        self.assertLess(self.bounds.time("broadcast", 2, 8), 0.1)  # calls in a row overlap

    def test_the_best_of_several_measurements_counts(self):
        self.add(copy={1 << 16: 100.0, 1 << 28: 30.0}, total={3 << 15: 1.0, 3 << 27: 1.0}, flag=0.1)
        self.assertEqual(self.bounds.bandwidth(1 << 16), 200.0)
        self.assertEqual(self.bounds.bandwidth(1 << 28), 30.0)
        self.assertEqual(self.bounds.flag_round_trip_us, 0.1)

    def test_nothing_measured_is_no_bound(self):
        self.assertIsNone(bounds.Bounds().time("allreduce", 2, 8))


class Summary(unittest.TestCase):
    def setUp(self):
        gathered = filled({("allreduce", 2, "atoll"): {8: 2.0, 32: 4.0}, ("allreduce", 2, "openmpi"): {8: 8.0, 32: 2.0},
                           ("allreduce", 2, "gloo"): {8: 16.0, 32: 64.0}})
        gathered.add("allreduce", 4, "atoll", result({8: 1.0}))
        gathered.miss("allreduce", 4, "openmpi", 8, "failed")
        self.names = ["atoll", "openmpi", "gloo"]
        self.records = gathered.summary(self.names)
        self.line, = summary.of_all(self.records, self.names, lambda name: name != "atoll")

    def test_mean_is_geometric_and_of_the_best_peer_of_each_row(self):
        self.assertAlmostEqual(self.line["geometric_mean"], (4.0 * 0.5) ** 0.5)

    def test_rows_below_one_are_named(self):
        self.assertEqual(self.line["below"], [{"ranks": 2, "size": 32, "peer": "openmpi", "ratio": 0.5}])

    def test_rows_without_a_peer_are_counted_apart(self):
        self.assertEqual((self.line["rows"], self.line["rows_without_both"]), (2, 1))

    def test_another_atoll_is_not_a_peer(self):
        gathered = filled({("barrier", 2, "atoll"): {0: 2.0}, ("barrier", 2, "atoll-registered"): {0: 1.0},
                           ("barrier", 2, "openmpi"): {0: 3.0}})
        names = ["atoll", "atoll-registered", "openmpi"]
        lines = summary.of_all(gathered.summary(names), names, lambda name: not name.startswith("atoll"))
        self.assertEqual([(line["contestant"], round(line["geometric_mean"], 9)) for line in lines],
                         [("atoll", 1.5), ("atoll-registered", 3.0)])

    def test_table_names_size_ranks_and_peer(self):
        row, = tables.of_summary([self.line]).rows
        self.assertIn("2 ranks 32 (openmpi, 0.5)", row)


class Pages(unittest.TestCase):
    def setUp(self):
        gathered = filled({("allreduce", 2, "atoll"): {8: 2.0, 32: 4.0}, ("allreduce", 2, "openmpi"): {8: 6.0}})
        gathered.miss("allreduce", 2, "openmpi", 32, "over 20 s")
        self.names = ["atoll", "openmpi"]
        self.records = gathered.summary(self.names)
        self.records[0]["bound_us"] = 0.5

    def test_markdown_shows_every_number_and_what_is_missing(self):
        text = tables.markdown(whole(self.records, self.names, problems=["openmpi took too long"]))
        self.assertIn("| 8 | 2.00 | 6.00 (3.00) | 0.50 (25 %) |", text)
        self.assertIn("| 32 | 4.00 | over 20 s | – |", text)
        self.assertIn("- cores: 2", text)
        self.assertIn("- openmpi took too long", text)

    def test_html_holds_its_pictures_and_refers_to_no_other_file(self):
        with tempfile.TemporaryDirectory() as folder:
            picture = pathlib.Path(folder) / "a.png"
            picture.write_bytes(b"picture")
            text = page.render(whole(self.records, self.names, problems=["1 < 2"]), {("allreduce", 2): picture})
        self.assertIn("data:image/png;base64,cGljdHVyZQ==", text)
        self.assertIn("1 &lt; 2", text)
        self.assertNotIn("http", text)
        self.assertEqual(text.count("src="), 1)


class FakeContestant(contestants.Contestant):
    def __init__(self, suffers=False, has=True):
        super().__init__("")
        self.suffers = suffers
        self.present = has

    def suffers_at(self, ranks):
        return self.suffers

    def has(self, collective):
        return self.present


class Measuring(unittest.TestCase):
    def setUp(self):
        self.starts = []

    def campaign(self, contestant, outcome):
        options = types.SimpleNamespace(repetitions=2, min="8", max="32", factor=2, scale=1.0, timeout=9, row_limit=3)
        run = campaign.Campaign("", {"it": contestant}, options)

        def document(collective, ranks, name, band, seconds):
            self.starts.append((band.sizes(), seconds))
            return outcome(band)
        run._document = document  # pylint: disable=protected-access
        with mock.patch.object(bounds, "measure", side_effect=starting.RunFailed("none here")), mock.patch("sys.stderr"):
            run.run(["allreduce"], [4])
        return run

    def test_one_start_measures_all_sizes_of_a_band(self):
        run = self.campaign(FakeContestant(), lambda band: result({size: 1.0 for size in band.sizes()}))
        self.assertEqual(self.starts, [([8, 16, 32], 9)] * 2)
        self.assertEqual(run.samples.times[("allreduce", 4, 16, "it")], [1.0, 1.0])

    def test_a_size_over_its_limit_is_reported_and_larger_ones_are_not_tried(self):
        def outcome(band):
            if band.max_bytes == 16:
                raise starting.TookTooLong("16 took too long")
            return result({size: 1.0 for size in band.sizes()})
        run = self.campaign(FakeContestant(suffers=True), outcome)
        self.assertEqual(self.starts, [([8], 3), ([16], 3), ([8], 3)])
        self.assertEqual(run.samples.missing, {("allreduce", 4, 16, "it"): "over 3 s", ("allreduce", 4, 32, "it"): "not tried"})
        self.assertTrue(any("16 to 16 bytes" in problem for problem in run.problems))

    def test_a_failure_is_kept_and_counted(self):
        def outcome(band):
            raise starting.RunFailed("exit code 1")
        run = self.campaign(FakeContestant(), outcome)
        self.assertEqual(set(run.samples.missing.values()), {"failed"})
        self.assertEqual(run.failures, 2)  # this one, and the bounds

    def test_what_a_library_lacks_is_said(self):
        run = self.campaign(FakeContestant(has=False), lambda band: self.fail("started"))
        self.assertEqual(set(run.samples.missing.values()), {"has none"})


class Starting(unittest.TestCase):
    def test_returns_what_the_program_wrote(self):
        self.assertEqual(starting.run(["sh", "-c", "echo $WORD"], 60, {"WORD": "here"}), "here\n")

    def test_failure_says_code_and_text(self):
        with self.assertRaisesRegex(starting.RunFailed, "exit code 3(.|\n)*trouble"):
            starting.run(["sh", "-c", "echo trouble >&2; exit 3"], 60)

    @mock.patch.object(starting, "GRACE_SECONDS", 1)
    def test_nothing_is_left_of_a_program_whose_time_is_up(self):
        with tempfile.TemporaryDirectory() as folder:
            note = pathlib.Path(folder) / "pid"
            # A child in a process group of its own, which does not hear of its parent's end.
            script = f"trap '' TERM; set -m; sleep 600 & echo $! > {note}; wait"
            with self.assertRaises(starting.TookTooLong):
                starting.run(["bash", "-c", script], 1)
            status = pathlib.Path("/proc") / note.read_text().strip() / "status"
            self.assertTrue(not status.exists() or "State:\tZ" in status.read_text())


class Contestants(unittest.TestCase):
    def test_all_collectives_have_a_program_and_a_bus_factor_of_the_documentation(self):
        self.assertEqual(collectives.ALL["allreduce"].bus_factor(4), 1.5)
        self.assertEqual(collectives.ALL["allgather"].bus_factor(4), 0.75)
        self.assertEqual(collectives.bus_bandwidth("allreduce", 2, 1 << 20, 1000.0), (1 << 20) / 1e6)

    def test_gloo_has_no_reduce_scatter(self):
        gloo = contestants.known("bin")["gloo"]
        self.assertEqual([name for name in collectives.ALL if not gloo.has(name)], ["reducescatter"])

    def test_mpich_suffers_with_more_ranks_than_cores(self):
        with mock.patch("os.sched_getaffinity", return_value={0, 1}):
            mpich = contestants.known("bin")["mpich"]
            self.assertEqual([mpich.suffers_at(ranks) for ranks in (2, 3, 8)], [False, True, True])


if __name__ == "__main__":
    unittest.main()

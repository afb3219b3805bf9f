# SPDX-License-Identifier: Apache-2.0
"""The pure parts of bench/compare: sweeps, medians, ratios, bounds, time limits, tables, pages. Run by ctest."""
import pathlib
import subprocess
import sys
import tempfile
import types
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench" / "compare"))

import bounds  # noqa: E402
import campaign  # noqa: E402
import cases  # noqa: E402
import collectives  # noqa: E402
import contestants  # noqa: E402
import page  # noqa: E402
import plan  # noqa: E402
import samples  # noqa: E402
import settings  # noqa: E402
import starting  # noqa: E402
import summary  # noqa: E402
import tables  # noqa: E402


def result(times, okay=True, half="out_of_place"):
    """What a program writes."""
    other = {"in_place": "out_of_place", "out_of_place": "in_place"}[half]
    return {"library": "L", "version": "1", "out_of_bounds": {"okay": okay, "count": 0 if okay else 3},
            "results": [{"size": size, half: {"time": time}, other: None} for size, time in times.items()]}


def case(collective="allreduce", ranks=2, setting="shm", buffers="warm"):
    return cases.Case(setting, collective, ranks, buffers)


def filled(times):
    """Samples of {(case, contestant): {size: microseconds}}."""
    gathered = samples.Samples()
    for (of, name), sizes in times.items():
        gathered.add(of, name, result(sizes, half=collectives.half_of(of.collective)))
    return gathered


def whole(records, names, **changes):
    """A document as compare.py writes it."""
    return {"machine": {"cores": 2}, "settings": {"type": "float"}, "contestants": names, "bounds": {}, "problems": [],
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
            self.samples.add(case(), "atoll", result({8: mine}))
            self.samples.add(case(), "openmpi", result({8: theirs}))

    def test_ratios_are_of_medians(self):
        record, = self.samples.summary(["atoll", "openmpi"])
        self.assertEqual(record["contestants"]["atoll"]["median_us"], 2.0)
        self.assertEqual(record["contestants"]["openmpi"]["over_first"], 3.0)
        self.assertEqual(record["contestants"]["openmpi"]["samples_us"], [4.0, 6.0, 100.0])

    def test_wrong_data_is_refused(self):
        with self.assertRaisesRegex(ValueError, "3 wrong"):
            self.samples.add(case(), "atoll", result({8: 1.0}, okay=False))

    def test_broadcast_is_compared_in_place(self):
        self.samples.add(case("broadcast"), "atoll", result({8: 7.0}, half="in_place"))
        self.assertEqual(self.samples.times[(case("broadcast"), 8, "atoll")], [7.0])

    def test_sizes_without_data_are_left_out(self):
        self.samples.add(case("alltoall", 4), "atoll", result({0: 1.0, 64: 2.0}))
        self.assertNotIn((case("alltoall", 4), 0, "atoll"), self.samples.times)

    def test_a_row_that_one_lacks_keeps_the_others_and_the_reason(self):
        self.samples.add(case(), "atoll", result({32: 5.0}))
        self.samples.miss(case(), "openmpi", 32, "over 20 s")
        record = self.samples.summary(["atoll", "openmpi"])[1]
        self.assertEqual(record["size"], 32)
        self.assertIsNone(record["contestants"]["openmpi"]["median_us"])
        self.assertEqual(record["contestants"]["openmpi"]["missing"], "over 20 s")

    def test_a_missing_row_has_the_size_that_the_others_print(self):
        self.samples.miss(case("allgather", 3), "mpich", 512, "over 20 s")
        self.assertIn((case("allgather", 3), 504, "mpich"), self.samples.missing)
        self.samples.miss(case("alltoall", 8), "mpich", 8, "over 20 s")  # no row: fewer elements than ranks
        self.assertEqual(len(self.samples.missing), 1)


def tcp(exchange=6.0, **streams):
    """What bounds_perf says of TCP; `streams` are (one way, both ways) by congestion control."""
    return {"system_congestion_control": "bbr", "exchange_us": exchange, "round_trip_us": 11.0, "blocking_round_trip_us": 40.0,
            "streams": [{"congestion_control": name, "one_way": one, "both_ways": both} for name, (one, both) in streams.items()]}


class BoundOfTime(unittest.TestCase):
    def setUp(self):
        self.bounds = bounds.Bounds()
        self.add(copy={1 << 16: 200.0, 1 << 28: 20.0}, total={3 << 15: 150.0, 3 << 27: 25.0}, flag=0.2)

    def add(self, copy, total, flag):
        memory = [{"work": work, "working_set": size, "gigabytes_per_second": rate}
                  for work, rates in (("copy", copy), ("sum", total)) for size, rate in rates.items()]
        self.bounds.add({"cores": 2, "memory": memory, "flag_round_trip_us": flag,
                         "tcp": tcp(cubic=(3.0, 2.0))})

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
        self.assertIsNone(bounds.Bounds("tcp").time("allreduce", 2, 8))


class BoundOverTcp(unittest.TestCase):
    def bounds(self, kind, *measurements):
        found = bounds.Bounds(kind)
        for measured in measurements:
            found.add({"cores": 2, "memory": [], "flag_round_trip_us": 0.1, "tcp": measured})
        return found

    def test_large_calls_take_what_a_raw_connection_takes_both_ways_together(self):
        found = self.bounds("tcp", tcp(bbr=(1.0, 0.5), cubic=(3.0, 2.0)))
        self.assertAlmostEqual(found.time("allreduce", 4, 1 << 20), 2 * 3 * (1 << 20) / 4.0 / 1e3)

    def test_between_two_halves_only_what_crosses_counts(self):
        found = self.bounds("crossing", tcp(cubic=(5.0, 2.0)))
        self.assertAlmostEqual(found.time("allreduce", 8, 1 << 20), 2 * (1 << 20) / 5.0 / 1e3)
        self.assertAlmostEqual(found.time("alltoall", 8, 1 << 20), 4 * (1 << 20) / 5.0 / 1e3)

    def test_small_calls_take_an_exchange(self):
        found = self.bounds("tcp", tcp(exchange=6.0, cubic=(3.0, 2.0)))
        self.assertEqual(found.time("allreduce", 2, 8), 6.0)
        self.assertLess(found.time("broadcast", 2, 8), 6.0)

    def test_the_best_of_every_figure_counts(self):
        found = self.bounds("tcp", tcp(exchange=6.0, cubic=(3.0, 2.0)), tcp(exchange=5.0, cubic=(4.0, 1.0))).document()["tcp"]
        self.assertEqual(found["streams"], [{"congestion_control": "cubic", "one_way": 4.0, "both_ways": 2.0}])
        self.assertEqual(found["exchange_us"], 5.0)


class Summary(unittest.TestCase):
    def setUp(self):
        gathered = filled({(case(), "atoll"): {8: 2.0, 32: 4.0}, (case(), "openmpi"): {8: 8.0, 32: 2.0},
                           (case(), "gloo"): {8: 16.0, 32: 64.0}})
        gathered.add(case(ranks=4), "atoll", result({8: 1.0}))
        gathered.miss(case(ranks=4), "openmpi", 8, "failed")
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
        gathered = filled({(case("barrier"), "atoll"): {0: 2.0}, (case("barrier"), "atoll-registered"): {0: 1.0},
                           (case("barrier"), "openmpi"): {0: 3.0}})
        names = ["atoll", "atoll-registered", "openmpi"]
        lines = summary.of_all(gathered.summary(names), names, lambda name: not name.startswith("atoll"))
        self.assertEqual([(line["contestant"], round(line["geometric_mean"], 9)) for line in lines],
                         [("atoll", 1.5), ("atoll-registered", 3.0)])

    def test_settings_and_kinds_of_buffers_are_apart(self):
        gathered = filled({(case(buffers=buffers, setting=setting), name): {8: time}
                           for setting in ("shm", "tcp") for buffers in cases.BUFFERS for name, time in (("atoll", 1.0), ("openmpi", 2.0))})
        lines = summary.of_all(gathered.summary(["atoll", "openmpi"]), ["atoll", "openmpi"], lambda name: name != "atoll")
        self.assertEqual([(line["setting"], line["buffers"], line["rows"]) for line in lines],
                         [("shm", "warm", 1), ("shm", "cold", 1), ("tcp", "warm", 1), ("tcp", "cold", 1)])

    def test_table_names_size_ranks_and_peer(self):
        row, = tables.of_summary([self.line]).rows
        self.assertIn("2 ranks 32 (openmpi, 0.5)", row)


class Pages(unittest.TestCase):
    def setUp(self):
        gathered = filled({(case(), "atoll"): {8: 2.0, 32: 4.0}, (case(), "openmpi"): {8: 6.0}})
        gathered.miss(case(), "openmpi", 32, "over 20 s")
        self.names = ["atoll", "openmpi"]
        self.records = gathered.summary(self.names)
        self.records[0]["bound_us"] = 0.5

    def test_markdown_shows_every_number_and_what_is_missing(self):
        text = tables.markdown(whole(self.records, self.names, problems=["openmpi took too long"]))
        self.assertIn("| 8 | 2.00 | 6.00 (3.00) | 0.50 (25 %) |", text)
        self.assertIn("| 32 | 4.00 | over 20 s | – |", text)
        self.assertIn("- cores: 2", text)
        self.assertIn("- shm: processes of one host", text)
        self.assertIn("- openmpi took too long", text)

    def test_bounds_are_shown_for_every_setting(self):
        found = bounds.Bounds("crossing")
        found.add({"cores": 2, "memory": [], "flag_round_trip_us": None, "tcp": tcp(bbr=(1.0, 0.5), cubic=(3.0, 2.0))})
        text = tables.markdown(whole(self.records, self.names, bounds={"veth": found.document()}))
        self.assertIn("## Bounds in veth", text)
        self.assertIn("| TCP stream, bbr, the system's own | 1.00 GB/s one way, 0.50 each of both ways |", text)

    def test_html_holds_its_pictures_and_refers_to_no_other_file(self):
        with tempfile.TemporaryDirectory() as folder:
            picture = pathlib.Path(folder) / "a.png"
            picture.write_bytes(b"picture")
            text = page.render(whole(self.records, self.names, problems=["1 < 2"]), {case(): picture})
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


class Impossible(settings.SharedMemory):
    name = "impossible"

    def __enter__(self):
        raise settings.Unavailable("not on this machine")


class Measuring(unittest.TestCase):
    def setUp(self):
        self.starts = []

    def campaign(self, contestant, outcome):
        options = types.SimpleNamespace(repetitions=2, min="8", max="32", factor=2, scale=1.0, timeout=9, row_limit=3)
        run = campaign.Campaign("", {"it": contestant}, options, 1 << 20)

        def document(_setting, _case, _name, band, seconds):
            self.starts.append((band.sizes(), seconds))
            return outcome(band)
        run._document = document  # pylint: disable=protected-access
        with mock.patch.object(bounds, "measure", side_effect=starting.RunFailed("none here")), mock.patch("sys.stderr"):
            run.run([Impossible(), settings.SharedMemory()], ["allreduce"], [4], ["warm"])
        return run

    def test_one_start_measures_all_sizes_of_a_band(self):
        run = self.campaign(FakeContestant(), lambda band: result({size: 1.0 for size in band.sizes()}))
        self.assertEqual(self.starts, [([8, 16, 32], 9)] * 2)
        self.assertEqual(run.samples.times[(case(ranks=4), 16, "it")], [1.0, 1.0])

    def test_a_setting_that_the_machine_does_not_allow_is_said_and_left_out(self):
        run = self.campaign(FakeContestant(), lambda band: result({size: 1.0 for size in band.sizes()}))
        self.assertIn("impossible is SKIPPED: not on this machine", run.problems)
        self.assertEqual({key[0].setting for key in run.samples.times}, {"shm"})

    def test_a_size_over_its_limit_is_reported_and_larger_ones_are_not_tried(self):
        def outcome(band):
            if band.max_bytes == 16:
                raise starting.TookTooLong("16 took too long")
            return result({size: 1.0 for size in band.sizes()})
        run = self.campaign(FakeContestant(suffers=True), outcome)
        self.assertEqual(self.starts, [([8], 3), ([16], 3), ([8], 3)])
        self.assertEqual(run.samples.missing, {(case(ranks=4), 16, "it"): "over 3 s", (case(ranks=4), 32, "it"): "not tried"})
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

    def test_pytorch_is_left_out_with_a_reason_where_it_cannot_be_imported(self):
        torch = contestants.known("bin")["torch"]
        with mock.patch.object(contestants, "_python_with_torch", return_value=None):
            self.assertIn("import torch", torch.why_not())
        with mock.patch.object(contestants, "_python_with_torch", return_value="/opt/python3"):
            self.assertEqual(torch.why_not(), "")
            self.assertEqual(torch.command(settings.Threads(), "barrier", 2)[-3::2], ["/opt/python3", "barrier"])

    def test_gloo_has_no_reduce_scatter(self):
        gloo = contestants.known("bin")["gloo"]
        self.assertEqual([name for name in collectives.ALL if not gloo.has(name)], ["reducescatter"])

    def test_mpich_suffers_with_more_ranks_than_cores(self):
        with mock.patch("os.sched_getaffinity", return_value={0, 1}):
            mpich = contestants.known("bin")["mpich"]
            self.assertEqual([mpich.suffers_at(ranks) for ranks in (2, 3, 8)], [False, True, True])


class Rotation(unittest.TestCase):
    def test_warm_is_the_same_memory_every_time(self):
        self.assertEqual(cases.rotation("warm", 2, 32 << 20), 0)

    def test_cold_is_twice_the_caches_over_all_ranks(self):
        self.assertEqual(cases.rotation("cold", 3, 32 << 20) * 3 // (64 << 20), 1)


class Settings(unittest.TestCase):
    def setUp(self):
        self.known = contestants.known("bin")

    def test_threads_are_atolls_alone(self):
        threads = settings.Threads()
        self.assertEqual(self.known["atoll"].command(threads, "allreduce", 4), ["bin/all_reduce_perf", "-t", "4"])
        self.assertIn("-np", self.known["openmpi"].command(threads, "allreduce", 4))

    def test_over_tcp_no_library_may_use_shared_memory(self):
        loopback = settings.Loopback()
        self.assertEqual(self.known["atoll"].environment(loopback, "")["ATOLL_TRANSPORT"], "tcp")
        self.assertIn("tcp,self", self.known["openmpi"].command(loopback, "allreduce", 2))
        self.assertEqual(self.known["mpich"].environment(loopback, "")["UCX_TLS"], "tcp,self")

    def test_namespaces_halve_the_ranks(self):
        veth = settings.Veth()
        self.assertEqual([veth.has(ranks) for ranks in (2, 3, 8)], [True, False, True])
        here, there = veth.hosts
        self.assertIn(f"{here}:4,{there}:4", self.known["openmpi"].command(veth, "allreduce", 8))

    def test_both_are_told_when_the_namespaces_share_cores(self):
        with mock.patch("os.sched_getaffinity", return_value={0, 1}):
            two, four = (settings.Veth().open_mpi(ranks) for ranks in (2, 4))
        self.assertNotIn("mpi_yield_when_idle", two)
        self.assertTrue({"ATOLL_SPIN=0", "mpi_yield_when_idle"} <= set(four))

    def test_namespaces_that_cannot_be_made_are_unavailable_and_none_stays(self):
        calls = []

        def run(command, check, **_):
            calls.append(command)
            if check and command[1:3] == ["link", "add"]:
                raise subprocess.CalledProcessError(2, command, stderr="Operation not permitted")
        veth = settings.Veth()
        with mock.patch.object(subprocess, "run", run), self.assertRaisesRegex(settings.Unavailable, "Operation not permitted"):
            with veth:
                self.fail("entered")
        self.assertEqual(calls[-2:], [["ip", "netns", "delete", host] for host in veth.hosts])

    def test_the_agent_runs_a_command_in_the_namespace_of_a_host_and_by_its_name(self):
        try:
            with settings.Veth() as veth:
                agent, host = veth.agent, veth.hosts[1]
                address = subprocess.run([agent, "-x", host, "hostname; ip -o address"], check=True, capture_output=True, text=True).stdout
        except settings.Unavailable as reason:
            self.skipTest(str(reason))
        self.assertTrue(address.startswith(host))
        self.assertIn(veth.addresses[1], address)


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""Times all-reduces on islands: hosts of this machine joined by slow links (tests/islands/test_bed.py).

Atoll's flat ring and its hierarchical plans, and Open MPI by slot and by node, each with and without its hierarchical component
(HAN), in turn in every repetition. Written are the medians, how near they come to the least that the link allows, and every time.
"""

import argparse
import datetime
import itertools
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "islands"), str(ROOT / "bench" / "compare")]

import pictures  # noqa: E402
import plan  # noqa: E402
import test_bed  # noqa: E402

MPI_HAN = ("--mca", "coll_han_priority", "100")
TIMEOUT = 300  # seconds for a program
SHORT = 1 << 20  # calls up to so many bytes are short
WARM_UP = 3  # times as many calls as are timed: ranks that share cores need some 100 ms until they take even turns


def atoll(algorithm=None, by_node=False):
    """Told the rates of the links, as a user of a cluster would. Without an algorithm the cost model chooses."""
    def command(bed, programs, folder):
        topology = folder / "topology.yaml"
        topology.write_text(bed.shape.topology(by_node))
        variables = [f"ATOLL_TOPOLOGY={topology}"] + ([f"ATOLL_ALGO=allreduce:{algorithm}"] if algorithm else [])
        return [*bed.atoll_run(programs / "atoll", variables, by_node), str(programs / "all_reduce_perf")]

    return command


def open_mpi(by_node, options=()):
    def command(bed, programs, _):
        yielding = ("--mca", "mpi_yield_when_idle", "1") if bed.shape.ranks > len(os.sched_getaffinity(0)) else ()
        return [*bed.open_mpi_run((*yielding, *options), by_node), str(programs / "mpi_collective_perf"), "allreduce"]

    return command


CONTESTANTS = {
    "atoll": atoll(),
    "atoll-node": atoll(by_node=True),
    "ring": atoll("ring"),
    "two-shot": atoll("two-shot"),
    "binomial": atoll("binomial"),
    "recursive-doubling": atoll("recursive-doubling"),
    "hierarchical": atoll("hierarchical"),
    "pipelined": atoll("hierarchical-pipelined"),
    "mpi-slot": open_mpi(False),
    "mpi-node": open_mpi(True),
    "mpi-slot-han": open_mpi(False, MPI_HAN),
    "mpi-node-han": open_mpi(True, MPI_HAN),
}


def floor_seconds(shape, size, rate):
    """What a host's link needs for 2 (H-1)/H of the payload, which every all-reduce between H hosts sends from each."""
    return 2 * (shape.hosts - 1) / shape.hosts * size * 8 / rate


def measured(bed, contestant, options):
    """Seconds by size, out of place. Short calls are timed over ten times as many."""
    least, most = plan.parse_bytes(options.min), plan.parse_bytes(options.max)
    sizes = [least]
    while sizes[-1] * options.factor <= most:
        sizes.append(sizes[-1] * options.factor)
    seconds = {}
    short = [size for size in sizes if size <= SHORT]
    for part, iterations in (short, 10 * options.iterations), (sizes[len(short):], options.iterations):
        if part:
            seconds.update(timed(bed, contestant, part, iterations, options))
    return seconds


def timed(bed, contestant, sizes, iterations, options):
    """Of one run."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        command = [*CONTESTANTS[contestant](bed, options.programs, pathlib.Path(folder)), "-b", str(sizes[0]), "-e", str(sizes[-1]), "-f",
                   str(options.factor), "-n", str(iterations), "-w", str(WARM_UP * iterations), "--out-of-place", "-J", str(report)]
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=TIMEOUT,
                       env=dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1"))
        document = json.loads(report.read_text())
    if not document["out_of_bounds"]["okay"]:
        raise ValueError(f"{contestant}: {document['out_of_bounds']['count']} wrong elements")
    return {row["size"]: row["out_of_place"]["time"] / 1e6 for row in document["results"]}


def why(failure):
    """One line on why there is no time."""
    if isinstance(failure, subprocess.CalledProcessError):
        said = (failure.stderr.strip().splitlines() or ["nothing said"])[-1]
        return f"exit code {failure.returncode}: {said}"
    if isinstance(failure, subprocess.TimeoutExpired):
        return f"not done after {failure.timeout} s"
    return str(failure)


def sweep(shape, options):
    """Times of every repetition, by contestant and size; and why contestants have none."""
    times, missing = {}, {}
    with test_bed.TestBed(shape) as bed:
        for repetition in range(options.repetitions):
            for contestant in options.contestants:
                if contestant in missing:
                    continue
                print(f"{shape.hosts} hosts of {shape.ranks_per_host}, {shape.rate}: {contestant}, {repetition + 1}", file=sys.stderr)
                try:
                    for size, seconds in measured(bed, contestant, options).items():
                        times.setdefault(contestant, {}).setdefault(size, []).append(seconds)
                except (subprocess.SubprocessError, ValueError) as failure:
                    missing[contestant] = why(failure)
    return times, missing


def table(shape, times, contestants):
    """Milliseconds; in brackets the part of it that the link needs at the least."""
    lines = [f"\n### {shape.hosts} hosts of {shape.ranks_per_host} ranks, {shape.rate}\n",
             "| size | least | " + " | ".join(contestants) + " |", "|---|---|" + "---|" * len(contestants)]
    for size in sorted({size for by_size in times.values() for size in by_size}):
        least = floor_seconds(shape, size, test_bed.bits_per_second(shape.rate))
        cells = []
        for contestant in contestants:
            samples = times.get(contestant, {}).get(size)
            median = statistics.median(samples) if samples else None
            cells.append(f"{median * 1e3:.4g} ({least / median:.0%})" if median else "none")
        lines.append(f"| {size >> 10} KiB | {least * 1e3:.4g} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def medians(times):
    """By contestant and size."""
    return {name: {size: statistics.median(samples) for size, samples in by_size.items()} for name, by_size in times.items()}


def summary(shape, times):
    """What Atoll chose beside its fastest forced algorithm, and beside every Open MPI: by how much the other is slower."""
    by_name = medians(times)
    chosen = by_name.get("atoll", {})
    lines = []

    def beside(text, others):
        ratios = {size: min(by_name[name][size] for name in others if size in by_name[name]) / seconds for size, seconds in chosen.items()
                  if any(size in by_name[name] for name in others)}
        if ratios:
            worst = min(ratios, key=ratios.get)
            lines.append(f"- {text}: {statistics.geometric_mean(ratios.values()):.2f} times as long as chosen in the geometric mean, "
                         f"{ratios[worst]:.2f} at the least ({pictures.size_text(worst)}).")

    forced = [name for name in by_name if not name.startswith(("atoll", "mpi"))]
    beside("the fastest forced algorithm", forced)
    for name in by_name:
        if name.startswith(("mpi", "ring")):
            beside(name, [name])
    beside("the best of Open MPI's configurations", [name for name in by_name if name.startswith("mpi")])
    least = floor_seconds(shape, max(chosen), test_bed.bits_per_second(shape.rate)) / chosen[max(chosen)] if chosen else 0
    return "\n" + "\n".join(lines) + (f"\n- the link's least at {pictures.size_text(max(chosen))}: {least:.0%} reached." if chosen else "")


def panel(shape, times):
    """For the picture."""
    rate = test_bed.bits_per_second(shape.rate)
    parts = {name: {size: floor_seconds(shape, size, rate) / seconds for size, seconds in by_size.items()}
             for name, by_size in medians(times).items()}
    return f"{shape.hosts} hosts of {shape.ranks_per_host} ranks, {shape.rate}", parts


def parsed(arguments):
    parser = argparse.ArgumentParser(prog="sweep", description=__doc__)
    parser.add_argument("--hosts", default="2,3,4", help="numbers of hosts [%(default)s]")
    parser.add_argument("--ranks-per-host", default="2", help="[%(default)s]")
    parser.add_argument("--rates", default="100mbit,500mbit,2gbit", help="of a host's link, each way [%(default)s]")
    parser.add_argument("--min", default="64K", help="smallest size [%(default)s]")
    parser.add_argument("--max", default="16M", help="largest size [%(default)s]")
    parser.add_argument("--factor", type=int, default=4, help="from one size to the next [%(default)s]")
    parser.add_argument("--iterations", type=int, default=2, help="calls that a time is taken over [%(default)s]")
    parser.add_argument("--repetitions", type=int, default=3, help="times that a median is taken of [%(default)s]")
    parser.add_argument("--contestants", default=",".join(CONTESTANTS), help="[%(default)s]")
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / "build" / "release" / "bin", help="[%(default)s]")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for islands.md and islands.json")
    options = parser.parse_args(arguments)
    options.contestants = options.contestants.split(",")
    for contestant in options.contestants:
        if contestant not in CONTESTANTS:
            parser.error(f"--contestants: {contestant} is none of {', '.join(CONTESTANTS)}")
    try:
        for rate in options.rates.split(","):
            test_bed.bits_per_second(rate)
        for size in options.min, options.max:
            plan.parse_bytes(size)
    except ValueError as wrong:
        parser.error(str(wrong))
    return options


def main(arguments):
    options = parsed(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    head = (f"# All-reduces between islands\n\n{datetime.date.today()}, {os.cpu_count()} cores, {platform.platform()}. Milliseconds, medians of "
            f"{options.repetitions}; in brackets the least time that the link allows over the time taken. Network namespaces, links limited "
            "by tbf both ways.\n")
    text, records, panels = [head], [], []
    for hosts, ranks, rate in itertools.product(options.hosts.split(","), options.ranks_per_host.split(","), options.rates.split(",")):
        shape = test_bed.Shape(int(hosts), int(ranks), rate)
        try:
            times, missing = sweep(shape, options)
        except test_bed.Unavailable as reason:
            sys.exit(f"sweep: {reason}")
        text += [table(shape, times, options.contestants), summary(shape, times)]
        panels.append(panel(shape, times))
        text += [f"\n{name}: {reason}" for name, reason in missing.items()]
        records.append({"hosts": shape.hosts, "ranks_per_host": shape.ranks_per_host, "rate": rate, "seconds": times, "missing": missing})
        (options.out / "islands.md").write_text("\n".join(text) + "\n")
        (options.out / "islands.json").write_text(json.dumps(records, indent=1) + "\n")
    if pictures.available():
        pictures.draw(panels, options.contestants, options.out / "islands.png")
    else:
        print("no picture: python3-matplotlib is not installed", file=sys.stderr)
    print("\n".join(text))


if __name__ == "__main__":
    main(sys.argv[1:])

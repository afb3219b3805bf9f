#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares Atoll's collectives with other libraries' in one run on this machine.

Every contestant is measured by a program with the same sweep, warm-up, rotation of buffers, iterations, averaging and data
check, started in the same way, in turn within every repetition, so that a slow moment of the machine meets all of them.
The machine's own bounds are measured in the same run. OUT gets compare.md (summary, medians, ratios, bounds), compare.json
(every single time), a PNG for each setting, collective, number of ranks and kind of buffers, and compare.html, which holds
all of it.
"""
import argparse
import json
import pathlib
import shutil
import signal
import sys

import campaign
import cases
import collectives as collectives_module
import contestants as contestants_module
import machine
import page
import plots
import settings as settings_module
import summary
import tables


def arguments():
    root = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=str(root / "build/release"), help="build folder that has bin/ [%(default)s]")
    parser.add_argument("--out", required=True, help="folder for the results; made if it is not there")
    parser.add_argument("--contestants", default="atoll,openmpi,mpich,gloo,torch",
                        help="who is compared; the others' times are related to the first's: "
                        + ", ".join(contestants_module.known("")) + " [%(default)s]")
    parser.add_argument("--collectives", default="allreduce",
                        help="comma-separated, or all: " + ", ".join(collectives_module.ALL) + " [%(default)s]")
    parser.add_argument("--settings", default="shm",
                        help="where the ranks are, comma-separated, or all: " + ", ".join(settings_module.ALL) + " [%(default)s]")
    parser.add_argument("--buffers", default="all",
                        help="warm: the same in every call; cold: rotated past the caches; or all [%(default)s]")
    parser.add_argument("--ranks", default="2,4,8", help="numbers of ranks, comma-separated [%(default)s]")
    parser.add_argument("--min", default="8", help="smallest size [%(default)s]")
    parser.add_argument("--max", default="256M", help="largest size [%(default)s]")
    parser.add_argument("--factor", type=int, default=4, help="from one size to the next [%(default)s]")
    parser.add_argument("--repetitions", type=int, default=5, help="measurements that a median is taken of [%(default)s]")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the iterations of every size [%(default)s]")
    parser.add_argument("--launcher", choices=["mpirun", "atoll"], default="mpirun", help="what starts Atoll's program [%(default)s]")
    parser.add_argument("--timeout", type=float, default=900, help="seconds for one start of a program [%(default)s]")
    parser.add_argument("--row-limit", type=float, default=20,
                        help="seconds for one size of a library that does not yield when ranks share cores [%(default)s]")
    options = parser.parse_args()
    if options.factor < 2 or options.repetitions < 1 or min(options.scale, options.timeout, options.row_limit) <= 0:
        parser.error("--factor is 2 or more, --repetitions 1 or more, --scale, --timeout and --row-limit above 0")
    return options


def chosen(text, known, what):
    names = list(known) if text == "all" else text.split(",")
    for name in names:
        if name not in known:
            sys.exit(f"compare.py: '{name}' is not a {what}; there are: {', '.join(known)}")
    return names


def check_needs(folder, contestants):
    needed = [(folder / "bounds_perf", "every comparison")]
    for name, contestant in contestants.items():
        needed.append((contestant.program(), name))
        launcher = contestant.command(settings_module.SharedMemory(), "allreduce", 2)[0]
        if not shutil.which(launcher):
            sys.exit(f"compare.py: there is no {launcher}, which {name} needs; --contestants leaves it out")
    for path, who in needed:
        if not path.exists():
            sys.exit(f"compare.py: {path} is not built, which {who} needs; --contestants leaves a library out")


def write(out, document):
    out.mkdir(parents=True, exist_ok=True)
    (out / "compare.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    text = tables.markdown(document)
    (out / "compare.md").write_text(text + "\n", encoding="utf-8")
    pictures = {}
    if plots.available():
        pictures = plots.draw(document["results"], document["contestants"], out)
    else:
        print("compare.py: no plots, for this python3 has no matplotlib (Debian: python3-matplotlib)", file=sys.stderr)
    (out / "compare.html").write_text(page.render(document, pictures), encoding="utf-8")
    return text


def main():
    options = arguments()
    folder = pathlib.Path(options.build) / "bin"
    known = contestants_module.known(folder, options.launcher)
    contestants = {name: known[name] for name in chosen(options.contestants, known, "contestant")}
    absent = [f"{name} is SKIPPED: {contestant.why_not()}" for name, contestant in contestants.items() if contestant.why_not()]
    contestants = {name: contestant for name, contestant in contestants.items() if not contestant.why_not()}
    for text in absent:
        print(f"compare.py: {text}", file=sys.stderr)
    collectives = chosen(options.collectives, collectives_module.ALL, "collective")
    settings = [settings_module.ALL[name]() for name in chosen(options.settings, settings_module.ALL, "setting")]
    buffers = chosen(options.buffers, cases.BUFFERS, "kind of buffers")
    check_needs(folder, contestants)
    about = machine.describe()
    run = campaign.Campaign(folder, contestants, options, machine.cache_bytes())
    run.run(settings, collectives, [int(text) for text in options.ranks.split(",")], buffers)

    records = run.samples.summary(list(contestants), run.bounds)
    print(write(pathlib.Path(options.out), {
        "format": "atoll-compare",
        "version": 2,
        "machine": about,
        "settings": {"type": "float", "operator": "sum", "repetitions": options.repetitions, "scale": options.scale,
                     "launcher_of_atoll": options.launcher,
                     "libraries": ", ".join(f"{name}: {text}" for name, text in run.libraries.items())},
        "contestants": list(contestants),
        "bounds": {name: bounds.document() for name, bounds in run.bounds.items()},
        "summary": summary.of_all(records, list(contestants), lambda name: known[name].peer),
        "results": records,
        "problems": absent + run.problems,
    }))
    # What took too long is a result; what failed is not.
    return 1 if run.failures else 0


if __name__ == "__main__":
    # As an interrupt does: ends what was started, and takes the namespaces away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        sys.exit(main())
    except ValueError as error:
        sys.exit(f"compare.py: {error}")

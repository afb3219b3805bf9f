#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares Atoll's collectives with other libraries' in one run on this machine.

Every contestant is measured by a program with the same sweep, warm-up, rotation of buffers, iterations, averaging and data
check, started in the same way, in turn within every repetition, so that a slow moment of the machine meets all of them.
The medians over the repetitions and their ratios go to OUT/compare.md and, with every single time, to OUT/compare.json.
"""
import argparse
import json
import os
import pathlib
import sys
import tempfile

import contestants as contestants_module
import machine
import plan
import tables


def arguments():
    root = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=str(root / "build/release"), help="build folder that has bin/ [%(default)s]")
    parser.add_argument("--out", required=True, help="folder for compare.md and compare.json; made if it is not there")
    parser.add_argument("--contestants", default="atoll,openmpi",
                        help="who is compared; the others' times are related to the first's: atoll, atoll-registered, openmpi [%(default)s]")
    parser.add_argument("--collectives", default="allreduce",
                        help="comma-separated, or all: " + ", ".join(contestants_module.ATOLL_PROGRAMS) + " [%(default)s]")
    parser.add_argument("--ranks", default="2,4,8", help="numbers of ranks, comma-separated [%(default)s]")
    parser.add_argument("--min", default="8", help="smallest size [%(default)s]")
    parser.add_argument("--max", default="64M", help="largest size [%(default)s]")
    parser.add_argument("--factor", type=int, default=4, help="from one size to the next [%(default)s]")
    parser.add_argument("--repetitions", type=int, default=5, help="measurements that a median is taken of [%(default)s]")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the iterations of every size [%(default)s]")
    parser.add_argument("--launcher", choices=["mpirun", "atoll"], default="mpirun", help="what starts Atoll's program [%(default)s]")
    parser.add_argument("--timeout", type=float, default=900, help="seconds for one start of a program [%(default)s]")
    options = parser.parse_args()
    if options.factor < 2 or options.repetitions < 1 or options.scale <= 0:
        parser.error("--factor is 2 or more, --repetitions 1 or more, --scale above 0")
    return options


def chosen(text, known, what):
    names = list(known) if text == "all" else text.split(",")
    for name in names:
        if name not in known:
            sys.exit(f"compare.py: '{name}' is not a {what}; there are: {', '.join(known)}")
    return names


def measure(contestant, collective, ranks, band, seconds):
    """One start of one contestant's program; its JSON."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "result.json")
        contestants_module.run(contestant.command(collective, ranks) + band.options() + ["-c", "1", "-J", path], seconds)
        with open(path, encoding="utf-8") as file:
            return json.load(file)


def main():
    options = arguments()
    known = contestants_module.known(pathlib.Path(options.build) / "bin", options.launcher)
    names = chosen(options.contestants, known, "contestant")
    collectives = chosen(options.collectives, contestants_module.ATOLL_PROGRAMS, "collective")
    for name in names:
        for needed in known[name].needs():
            if not needed.exists():
                sys.exit(f"compare.py: {needed} is not built, which {name} needs")
    ranks_list = [int(text) for text in options.ranks.split(",")]
    about = machine.describe()
    samples = tables.Samples()
    libraries = {}
    for collective in collectives:
        low, high = (plan.parse_bytes(options.min), plan.parse_bytes(options.max)) if collective != "barrier" else (8, 8)
        for ranks in ranks_list:
            for repetition in range(options.repetitions):
                # Alternately from either end, so that none always follows the same other.
                order = names if repetition % 2 == 0 else names[::-1]
                for band in plan.bands(low, high, options.factor, options.scale):
                    for name in order:
                        document = measure(known[name], collective, ranks, band, options.timeout)
                        samples.add(collective, ranks, name, document)
                        libraries[name] = f"{document['library']} {document['version']}"
                print(f"{collective}, {ranks} ranks: repetition {repetition + 1} of {options.repetitions}", file=sys.stderr, flush=True)

    settings = {"type": "float", "operator": "sum", "repetitions": options.repetitions, "launcher_of_atoll": options.launcher,
                "libraries": ", ".join(f"{name}: {text}" for name, text in libraries.items())}
    records = samples.summary(names)
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    document = {"machine": about, "settings": settings, "contestants": names, "results": records}
    (out / "compare.json").write_text(json.dumps(document, indent=1) + "\n")
    page = tables.markdown(records, names, about, settings)
    (out / "compare.md").write_text(page + "\n")
    print(page)


if __name__ == "__main__":
    try:
        main()
    except (contestants_module.RunFailed, ValueError) as error:
        sys.exit(f"compare.py: {error}")

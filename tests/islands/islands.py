# SPDX-License-Identifier: Apache-2.0
"""Runs a program on islands: ranks on several hosts that are network namespaces of this machine, joined by slow links."""

import argparse
import pathlib
import signal
import subprocess
import sys

import test_bed

ROOT = pathlib.Path(__file__).resolve().parents[2]


def positive(text):
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 on")
    return number


def rate(text):
    """As it was written: tc reads it too."""
    try:
        test_bed.bits_per_second(text)
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(wrong) from wrong
    return text


def parsed(arguments):
    parser = argparse.ArgumentParser(
        prog="islands", description=__doc__,
        epilog="Example: islands --hosts 4 --ranks-per-host 2 --rate 200mbit -- build/release/bin/all_reduce_perf -b 1M -e 16M")
    parser.add_argument("--hosts", type=positive, default=2, help="hosts [%(default)s]")
    parser.add_argument("--ranks-per-host", type=positive, default=2, help="ranks on each [%(default)s]")
    parser.add_argument("--rate", type=rate, default="200mbit", help="of a host's link, each way, as tc writes it [%(default)s]")
    parser.add_argument("--pods", type=positive, default=1, help="groups of hosts, each with one uplink to the others [%(default)s: none]")
    parser.add_argument("--pod-rate", type=rate, default="100mbit", help="of a pod's uplink, each way [%(default)s]")
    parser.add_argument("--by-node", action="store_true", help="deal the ranks out to the hosts in turns, not host after host")
    parser.add_argument("--mpirun", action="store_true", help="launch with Open MPI in place of atoll run")
    parser.add_argument("-x", dest="variables", metavar="NAME=VALUE", action="append", default=[], help="set for every rank")
    parser.add_argument("--atoll", default=ROOT / "build" / "release" / "bin" / "atoll", help="the launcher [%(default)s]")
    parser.add_argument("command", nargs="+", help="the program that each rank runs, after --")
    return parser.parse_args(arguments)


def launcher(bed, options):
    if options.mpirun:
        exported = [word for variable in options.variables for word in ("-x", variable)]
        return bed.open_mpi_run(exported, options.by_node)
    return bed.atoll_run(options.atoll, options.variables, options.by_node)


def report(kind, before, after):
    for number, traffic in enumerate(a - b for a, b in zip(after, before)):
        print(f"{kind} {number}: {traffic.sent / 1e6:.2f} MB sent, {traffic.received / 1e6:.2f} MB received", file=sys.stderr)


def main(arguments):
    options = parsed(arguments)
    try:
        shape = test_bed.Shape(options.hosts, options.ranks_per_host, options.rate, options.pods, options.pod_rate)
    except ValueError as wrong:
        sys.exit(f"islands: --pods: {wrong}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an orderly end, which takes the hosts down
    try:
        with test_bed.TestBed(shape) as bed:
            before = bed.traffic()
            code = subprocess.run([*launcher(bed, options), *options.command], check=False).returncode
            after = bed.traffic()
            report("host", before[0], after[0])
            report("pod", before[1], after[1])
            return code
    except test_bed.Unavailable as reason:
        sys.exit(f"islands: {reason}")
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

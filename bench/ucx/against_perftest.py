#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Large messages over Atoll's ucx transport beside ucx_perftest, in turn, on this machine.

    python3 bench/ucx/against_perftest.py --build build/release --out bench/results/FOLDER

One way: ucx_perftest's stream of active messages (ucp_am_bw), with endpoints that report failures, as Atoll's do, and
Atoll's broadcast, in place, from one rank to another. Both ways: Atoll's sendrecv between two ranks, both directions added up, for
which ucx_perftest has no test; its one-way rate stands beside it. Writes ucx.md and ucx.json.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys

SETTINGS = ("tcp", "posix")
ATOLL = {  # program, how many directions its bytes go, and the column of its time: in place the sender copies nothing
    "broadcast": ("broadcast_perf", 1, 9),
    "sendrecv": ("sendrecv_perf", 2, 5),
}
LIMIT_SECONDS = 60


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def perftest(tls, size, iterations):
    """GB/s of ucx_perftest."""
    environment = dict(os.environ, UCX_TLS=tls, UCX_MM_ERROR_HANDLING="y")
    common = ["ucx_perftest", "-p", str(free_port()), "-e"]
    with subprocess.Popen(common, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            command = common + ["127.0.0.1", "-t", "ucp_am_bw", "-s", str(size), "-n", str(iterations), "-w", "5", "-f"]
            for _ in range(100):  # until the server listens
                done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT_SECONDS)
                if done.returncode == 0:
                    return float(done.stdout.split("\n")[-2].split()[5]) * 2**20 / 1e9
            raise RuntimeError(f"ucx_perftest failed: {done.stderr.strip()}")
        finally:
            server.kill()


def atoll(build, program, factor, column, tls, size, iterations):
    """GB/s of one of the _perf programs, all directions together."""
    environment = dict(os.environ, UCX_TLS=tls, ATOLL_TRANSPORT="ucx", ATOLL_DEBUG="link")
    command = [build / "bin/atoll", "run", "--no-prefix", "-n", "2", "--", build / "bin" / program, "-b", str(size),
               "-e", str(size), "-n", str(iterations), "-w", "5", "-c", "0", "--rotation", "0"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT_SECONDS)
    row = re.search(rf"^\s*{size}\s.*$", done.stdout, re.MULTILINE)
    if done.returncode != 0 or row is None:
        raise RuntimeError(f"{program} failed: {done.stdout}{done.stderr}")
    if f"{tls}/" not in done.stderr:
        raise RuntimeError(f"{program} did not use {tls}: {done.stderr}")
    microseconds = float(row.group().split()[column])
    return factor * size / microseconds / 1e3


def measure(arguments):
    rows = []
    for tls in SETTINGS:
        for size in arguments.sizes:
            iterations = max(10, int(arguments.bytes / size))
            samples = {"ucx_perftest": []} | {name: [] for name in ATOLL}
            for _ in range(arguments.turns):
                samples["ucx_perftest"].append(perftest(tls, size, iterations))
                for name, program in ATOLL.items():
                    samples[name].append(atoll(arguments.build, *program, tls, size, iterations))
            rows.append({"tls": tls, "size": size, "samples": samples,
                         "median": {name: statistics.median(values) for name, values in samples.items()}})
            print(tls, size, {name: round(value, 2) for name, value in rows[-1]["median"].items()}, flush=True)
    return rows


def machine():
    model = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    version = subprocess.run(["ucx_info", "-v"], capture_output=True, text=True, check=False).stdout.split("\n")[0]
    return {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "cpu": model.group(1) if model else platform.processor(), "cores": os.cpu_count(),
            "kernel": platform.release(), "ucx": version.lstrip("# "), "load at start": os.getloadavg()}


def page(conditions, rows, turns):
    lines = ["# Large messages over UCX: Atoll beside ucx_perftest", ""]
    lines += [f"- {name}: {value}" for name, value in conditions.items()]
    lines += [f"- medians of {turns} turns, in GB/s (1e9 bytes); ratios to ucx_perftest's one way", "",
              "| UCX_TLS | bytes | ucx_perftest | Atoll one way | ratio | Atoll both ways, added | ratio |",
              "|---|---:|---:|---:|---:|---:|---:|"]
    for row in rows:
        median = row["median"]
        base = median["ucx_perftest"]
        lines.append(f"| {row['tls']} | {row['size']} | {base:.2f} | {median['broadcast']:.2f} | "
                     f"{median['broadcast'] / base:.2f} | {median['sendrecv']:.2f} | {median['sendrecv'] / base:.2f} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1 << 20, 4 << 20, 16 << 20])
    parser.add_argument("--bytes", type=float, default=5e8, help="that each measurement moves, about")
    arguments = parser.parse_args()
    if shutil.which("ucx_perftest") is None:
        sys.exit("ucx_perftest is not installed (Debian: ucx-utils)")
    arguments.build = arguments.build.resolve()
    conditions = machine()
    rows = measure(arguments)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "ucx.md").write_text(page(conditions, rows, arguments.turns), encoding="utf-8")
    results = {"format": "atoll-ucx", "version": 1, "machine": conditions, "results": rows}
    (arguments.out / "ucx.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

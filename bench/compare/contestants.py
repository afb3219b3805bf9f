# SPDX-License-Identifier: Apache-2.0
"""What is compared: how each contestant is started for a collective, and which version it is.

A contestant is measured by a program that takes the options of Atoll's _perf programs and writes their JSON. To add one,
write such a program and a class here.
"""
import pathlib
import subprocess

# Names of the collectives here -> Atoll's program.
ATOLL_PROGRAMS = {
    "allreduce": "all_reduce_perf",
    "allgather": "all_gather_perf",
    "reducescatter": "reduce_scatter_perf",
    "alltoall": "alltoall_perf",
    "broadcast": "broadcast_perf",
    "reduce": "reduce_perf",
    "sendrecv": "sendrecv_perf",
    "barrier": "barrier_perf",
}

MPIRUN = ["mpirun", "--oversubscribe", "--allow-run-as-root", "--bind-to", "none"]


class Atoll:
    """Atoll's own program, started by mpirun as the peers are, or by `atoll run`."""

    def __init__(self, name, folder, launcher="mpirun", extra=()):
        self.name = name
        self.folder = pathlib.Path(folder)
        self.launcher = launcher
        self.extra = list(extra)

    def command(self, collective, ranks):
        program = str(self.folder / ATOLL_PROGRAMS[collective])
        if self.launcher == "atoll":
            return [str(self.folder / "atoll"), "run", "-n", str(ranks), "--", program] + self.extra
        return MPIRUN + ["-np", str(ranks), program] + self.extra

    def needs(self):
        return [self.folder / "all_reduce_perf"]


class OpenMpi:
    """The MPI that mpi_collective_perf was built with, which Debian's mpirun starts."""

    name = "openmpi"

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def command(self, collective, ranks):
        return MPIRUN + ["-np", str(ranks), str(self.folder / "mpi_collective_perf"), collective]

    def needs(self):
        return [self.folder / "mpi_collective_perf"]


def known(folder, launcher):
    """Every contestant there is, by name."""
    everyone = [
        Atoll("atoll", folder, launcher),
        Atoll("atoll-registered", folder, launcher, ["-R", "1"]),
        OpenMpi(folder),
    ]
    return {contestant.name: contestant for contestant in everyone}


class RunFailed(Exception):
    """A contestant's program failed, printed wrong data, or took too long."""


def run(command, seconds):
    """Runs a program to its end, without input and without leaving it behind."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as expired:
        raise RunFailed(f"no end after {seconds} s: {' '.join(command)}") from expired
    if done.returncode != 0:
        raise RunFailed(f"exit code {done.returncode}: {' '.join(command)}\n{done.stdout}{done.stderr}")

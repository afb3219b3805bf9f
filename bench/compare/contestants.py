# SPDX-License-Identifier: Apache-2.0
"""Who is compared: how each contestant is started for a collective.

A contestant is measured by a program that takes the options of Atoll's _perf programs and writes their JSON. To add one,
write such a program and a class here.
"""
import os
import pathlib
import shutil

import collectives


def open_mpi_run():
    """Open MPI's mpirun, also where another implementation's has the plain name."""
    program = shutil.which("mpirun.openmpi") or "mpirun"
    return [program, "--oversubscribe", "--allow-run-as-root", "--bind-to", "none"]


class Contestant:
    """Anyone. `peer` says whether Atoll is measured against it."""

    name = ""
    peer = True

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def command(self, collective, ranks):
        raise NotImplementedError(f"{self.name}: {collective} on {ranks} ranks")

    def environment(self, scratch):  # pylint: disable=unused-argument
        """Variables to set; `scratch` is a folder for this start alone."""
        return {}

    def has(self, collective):  # pylint: disable=unused-argument
        return True

    def suffers_at(self, ranks):  # pylint: disable=unused-argument
        """Whether single calls take so long at that many ranks that iterations are cut."""
        return False

    def needs(self):
        """Files that must be there."""
        return [pathlib.Path(self.command("allreduce", 2)[-2])]


class Atoll(Contestant):
    """Atoll's own program, started by mpirun as the peers are, or by `atoll run`."""

    peer = False

    def __init__(self, name, folder, launcher="mpirun", extra=()):
        super().__init__(folder)
        self.name = name
        self.launcher = launcher
        self.extra = list(extra)

    def command(self, collective, ranks):
        program = str(self.folder / collectives.ALL[collective].program)
        if self.launcher == "atoll":
            return [str(self.folder / "atoll"), "run", "-n", str(ranks), "--", program] + self.extra
        return open_mpi_run() + ["-np", str(ranks), program] + self.extra

    def needs(self):
        return [self.folder / "all_reduce_perf"] + ([self.folder / "atoll"] if self.launcher == "atoll" else [])


class OpenMpi(Contestant):
    """The MPI that mpi_collective_perf was built with."""

    name = "openmpi"

    def command(self, collective, ranks):
        return open_mpi_run() + ["-np", str(ranks), str(self.folder / "mpi_collective_perf"), collective]


class Mpich(Contestant):
    """MPICH, whose waiting ranks do not yield: with more ranks than cores each waits for whole time slices."""

    name = "mpich"

    def command(self, collective, ranks):
        return ["mpirun.mpich", "-np", str(ranks), str(self.folder / "mpi_collective_perf_mpich"), collective]

    def suffers_at(self, ranks):
        return ranks > len(os.sched_getaffinity(0))


class Gloo(Contestant):
    """gloo over TCP on the loopback interface; mpirun only starts the processes."""

    name = "gloo"

    def command(self, collective, ranks):
        return open_mpi_run() + ["-np", str(ranks), str(self.folder / "gloo_collective_perf"), collective]

    def environment(self, scratch):
        store = pathlib.Path(scratch) / "store"
        store.mkdir()
        return {"GLOO_PERF_STORE": str(store)}

    def has(self, collective):
        return collective != "reducescatter"  # none that takes other buffers at every call


def known(folder, launcher="mpirun"):
    """Every contestant there is, by name."""
    everyone = [
        Atoll("atoll", folder, launcher),
        Atoll("atoll-registered", folder, launcher, ["-R", "1"]),
        OpenMpi(folder),
        Mpich(folder),
        Gloo(folder),
    ]
    return {contestant.name: contestant for contestant in everyone}


# SPDX-License-Identifier: Apache-2.0
"""Who is compared: how each contestant is started for a collective.

A contestant is measured by a program that takes the options of Atoll's _perf programs and writes their JSON. To add one,
write such a program and a class here.
"""
import functools
import os
import pathlib
import subprocess
import sys

import collectives


class Contestant:
    """Anyone. `peer` says whether Atoll is measured against it. A `setting` is an object of settings.py."""

    name = ""
    peer = True

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def command(self, setting, collective, ranks):
        raise NotImplementedError(f"{self.name}: {collective} on {ranks} ranks in {setting.name}")

    def environment(self, setting, scratch):  # pylint: disable=unused-argument
        """Variables to set; `scratch` is a folder for this start alone."""
        return {}

    def has(self, collective):  # pylint: disable=unused-argument
        return True

    def suffers_at(self, ranks):  # pylint: disable=unused-argument
        """Whether single calls take so long at that many ranks that iterations are cut."""
        return False

    def why_not(self):
        """Why this machine has none of it, though it was asked for; it is then left out, and the reason kept. Empty if it has."""
        return ""

    def program(self):
        """The file that has to be there."""
        raise NotImplementedError(self.name)


class Atoll(Contestant):
    """Atoll's own program, started by mpirun as the peers are, or by `atoll run`."""

    peer = False

    def __init__(self, name, folder, launcher="mpirun", extra=()):
        super().__init__(folder)
        self.name = name
        self.launcher = launcher
        self.extra = list(extra)

    def command(self, setting, collective, ranks):
        program = [str(self.folder / collectives.ALL[collective].program), *self.extra]
        if setting.threads:
            return program + ["-t", str(ranks)]
        if self.launcher == "atoll":
            return setting.atoll_run(self.folder / "atoll", ranks) + program
        return setting.launch(ranks) + program

    def environment(self, setting, scratch):
        return setting.atoll_environment

    def program(self):
        return self.folder / ("atoll" if self.launcher == "atoll" else "all_reduce_perf")


class OpenMpi(Contestant):
    """The MPI that mpi_collective_perf was built with."""

    name = "openmpi"

    def command(self, setting, collective, ranks):
        return setting.open_mpi(ranks) + [str(self.program()), collective]

    def program(self):
        return self.folder / "mpi_collective_perf"


class Mpich(Contestant):
    """MPICH, whose waiting ranks do not yield: with more ranks than cores each waits for whole time slices."""

    name = "mpich"

    def command(self, setting, collective, ranks):
        return setting.mpich(ranks) + [str(self.program()), collective]

    def environment(self, setting, scratch):
        return setting.mpich_environment

    def suffers_at(self, ranks):
        return ranks > len(os.sched_getaffinity(0))

    def program(self):
        return self.folder / "mpi_collective_perf_mpich"


class Gloo(Contestant):
    """gloo, which has TCP only; mpirun only starts the processes."""

    name = "gloo"

    def command(self, setting, collective, ranks):
        return setting.launch(ranks) + [str(self.program()), collective]

    def environment(self, setting, scratch):
        store = pathlib.Path(scratch) / "store"
        store.mkdir()
        return {"GLOO_PERF_STORE": str(store), "GLOO_PERF_INTERFACE": setting.gloo_interface}

    def has(self, collective):
        return collective != "reducescatter"  # none that takes other buffers at every call

    def program(self):
        return self.folder / "gloo_collective_perf"


class Torch(Contestant):
    """torch.distributed over PyTorch's own gloo; mpirun only starts the processes."""

    name = "torch"

    def command(self, setting, collective, ranks):
        return setting.launch(ranks) + [_python_with_torch() or "python3", str(self.program()), collective]

    def environment(self, setting, scratch):
        return {"TORCH_PERF_STORE": str(pathlib.Path(scratch) / "store"), "GLOO_SOCKET_IFNAME": setting.gloo_interface}

    def has(self, collective):
        return collective != "reducescatter"  # gloo's has none that PyTorch offers

    def program(self):
        return pathlib.Path(__file__).resolve().parents[1] / "compare_torch" / "torch_collective_perf.py"

    def why_not(self):
        return "" if _python_with_torch() else "no python3 on the PATH, nor the system's, can import torch"


@functools.lru_cache
def _python_with_torch():
    """The first interpreter that has PyTorch; Debian's python3-torch is of Debian's own python3."""
    for python in (sys.executable, "python3", "/usr/bin/python3"):
        try:
            if subprocess.run([python, "-c", "import torch.distributed"], capture_output=True, check=False).returncode == 0:
                return python
        except OSError:
            pass
    return None


def known(folder, launcher="mpirun"):
    """Every contestant there is, by name."""
    everyone = [
        Atoll("atoll", folder, launcher),
        Atoll("atoll-registered", folder, launcher, ["-R", "1"]),
        OpenMpi(folder),
        Mpich(folder),
        Gloo(folder),
        Torch(folder),
    ]
    return {contestant.name: contestant for contestant in everyone}


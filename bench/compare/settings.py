# SPDX-License-Identifier: Apache-2.0
"""Where the ranks are and what lies between them: how programs are started there, and what each library is told.

The environment of a start reaches every rank, also those that the remote-shell agent starts.
"""
import os
import pathlib
import shutil
import subprocess


class Unavailable(Exception):
    """This machine, or this user's rights, do not allow a setting."""


def open_mpi_run():
    """Open MPI's mpirun, also where another implementation's has the plain name."""
    program = shutil.which("mpirun.openmpi") or "mpirun"
    return [program, "--oversubscribe", "--allow-run-as-root", "--bind-to", "none"]


class SharedMemory:
    """Processes of one host, each library by its fastest way."""

    name = "shm"
    text = "processes of one host, over shared memory; gloo over TCP on loopback"
    # Whether Atoll's ranks are threads of one process; the peers' are processes in every setting.
    threads = False
    # What the bound of a call follows from: "memory", "tcp" (every message), "crossing" (those between two halves of the ranks).
    bound = "memory"
    gloo_interface = "lo"
    atoll_environment = {}
    mpich_environment = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def has(self, ranks):  # pylint: disable=unused-argument
        return True

    def launch(self, ranks):
        """Starts a program that only needs to be started so often: Atoll's, gloo's."""
        return open_mpi_run() + ["-np", str(ranks)]

    def open_mpi(self, ranks):
        return self.launch(ranks)

    def mpich(self, ranks):
        return ["mpirun.mpich", "-np", str(ranks)]

    def atoll_run(self, atoll, ranks):
        return [str(atoll), "run", "-n", str(ranks), "--"]

    def bounds_options(self):
        """Of bounds_perf."""
        return []


class Threads(SharedMemory):
    name = "threads"
    text = "Atoll's ranks as threads of one process, beside the others' processes over shared memory"
    threads = True


class Loopback(SharedMemory):
    name = "tcp"
    text = "processes of one host, all over TCP on the loopback interface"
    bound = "tcp"
    atoll_environment = {"ATOLL_TRANSPORT": "tcp", "ATOLL_SOCKET_IFNAME": "lo"}
    mpich_environment = {"MPIR_CVAR_NOLOCAL": "1", "UCX_TLS": "tcp,self", "UCX_NET_DEVICES": "lo"}

    def open_mpi(self, ranks):
        return self.launch(ranks) + ["--mca", "pml", "ob1", "--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include", "lo"]

    def bounds_options(self):
        return ["--no-memory"]


class Veth(SharedMemory):
    """Two network namespaces joined by a veth pair, which the libraries take for two hosts."""

    name = "veth"
    text = ("half of the ranks in each of two network namespaces, joined by a veth pair: TCP between the halves, and what each library "
            "chooses within one; MPICH over TCP throughout, for it would find shared memory across")
    bound = "crossing"
    gloo_interface = "veth0"
    network = "198.18.0.0/30"
    addresses = ["198.18.0.1", "198.18.0.2"]
    atoll_environment = {"ATOLL_TRANSPORT": "shm,tcp", "ATOLL_SOCKET_IFNAME": network}
    mpich_environment = {"MPIR_CVAR_NOLOCAL": "1", "UCX_TLS": "tcp,self", "UCX_NET_DEVICES": gloo_interface}

    def __init__(self):
        self.hosts = [f"atoll-{os.getpid()}-{side}" for side in "ab"]
        self.agent = str(pathlib.Path(__file__).with_name("namespace_agent"))

    def __enter__(self):
        here, there = self.hosts
        try:
            for host in self.hosts:
                self._ip("netns", "add", host)
            self._ip("link", "add", "veth0", "netns", here, "type", "veth", "peer", "name", "veth0", "netns", there)
            for host, address in zip(self.hosts, self.addresses):
                self._ip("-n", host, "address", "add", f"{address}/30", "dev", "veth0")
                self._ip("-n", host, "link", "set", "lo", "up")
                self._ip("-n", host, "link", "set", "veth0", "up")
            subprocess.run([self.agent, here, "true"], check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as failure:
            self.__exit__()
            reason = getattr(failure, "stderr", None) or str(failure)
            raise Unavailable(f"no two network namespaces joined by a veth pair can be made here: {' '.join(reason.split())}") from failure
        return self

    def __exit__(self, *_):
        for host in self.hosts:
            try:
                subprocess.run(["ip", "netns", "delete", host], check=False, capture_output=True)
            except OSError:
                pass  # there is no ip, hence no namespace

    @staticmethod
    def _ip(*arguments):
        subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)

    def has(self, ranks):
        return ranks % 2 == 0

    def _placed(self, ranks):
        return ",".join(f"{host}:{ranks // 2}" for host in self.hosts)

    @staticmethod
    def _cores_are_shared(ranks):
        """Each half takes all cores for its own, and its waiting ranks would keep the other half's from running."""
        return ranks > len(os.sched_getaffinity(0))

    def launch(self, ranks):
        told = ["-x", "ATOLL_SPIN=0", "--mca", "mpi_yield_when_idle", "1"] if self._cores_are_shared(ranks) else []
        return [self.agent, self.hosts[0], *open_mpi_run(), *told, "-np", str(ranks), "-H", self._placed(ranks),
                "--mca", "plm_rsh_agent", self.agent, "--mca", "oob_tcp_if_include", self.network]

    def open_mpi(self, ranks):
        return self.launch(ranks) + ["--mca", "pml", "ob1", "--mca", "btl_tcp_if_include", self.network]

    def mpich(self, ranks):
        return [self.agent, self.hosts[0], "mpirun.mpich", "-launcher", "rsh", "-launcher-exec", self.agent, "-iface", "veth0",
                "-hosts", self._placed(ranks), "-np", str(ranks)]

    def atoll_run(self, atoll, ranks):
        told = ["-x", "ATOLL_SPIN=0"] if self._cores_are_shared(ranks) else []
        return [self.agent, self.hosts[0], str(atoll), "run", *told, "--rsh", self.agent, "-H", self._placed(ranks), "-n", str(ranks), "--"]

    def bounds_options(self):
        return ["--no-memory", "--tcp-from", self.hosts[0], "--tcp-to", self.hosts[1], "--tcp-address", self.addresses[1]]


ALL = {setting.name: setting for setting in (SharedMemory, Threads, Loopback, Veth)}

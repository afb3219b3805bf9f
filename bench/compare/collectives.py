# SPDX-License-Identifier: Apache-2.0
"""What is compared: the collectives, with Atoll's program for each and the figures that follow from n ranks and size S.

S is the rows' size: the larger of a rank's send and receive buffer.
"""
import dataclasses
from typing import Callable


@dataclasses.dataclass(frozen=True)
class Collective:
    program: str
    # Bus bandwidth over size / time, as in docs/benchmarks.md.
    bus_factor: Callable[[int], float]
    # Loads and stores that cannot be avoided, of all ranks together, in units of S: every rank's input is loaded once and
    # every rank's output stored once.
    traffic: Callable[[int], float]
    # Bytes that some rank sends to another at the least, of all ranks together, in units of S …
    sent: Callable[[int], float] = lambda n: 0
    # … and those of them that go from one half of the ranks to the other.
    crossing: Callable[[int], float] = lambda n: 0
    # Whether every rank's call has to hear of another rank, so that calls in a row cannot overlap.
    waits: bool = True
    # Whether S is a whole number of blocks, one for each rank.
    blocks: bool = False


def _others_share(ranks):
    return (ranks - 1) / ranks


ALL = {
    "allreduce": Collective("all_reduce_perf", lambda n: 2 * (n - 1) / n, lambda n: 2 * n, lambda n: 2 * (n - 1), lambda n: 2),
    "allgather": Collective("all_gather_perf", _others_share, lambda n: n + 1, lambda n: n - 1, lambda n: 1, blocks=True),
    "reducescatter": Collective("reduce_scatter_perf", _others_share, lambda n: n + 1, lambda n: n - 1, lambda n: 1, blocks=True),
    "alltoall": Collective("alltoall_perf", _others_share, lambda n: 2 * n, lambda n: n - 1, lambda n: n / 2, blocks=True),
    # In place: the root only loads.
    "broadcast": Collective("broadcast_perf", lambda n: 1, lambda n: n, lambda n: n - 1, lambda n: 1, waits=False),
    "reduce": Collective("reduce_perf", lambda n: 1, lambda n: n + 1, lambda n: n - 1, lambda n: 1, waits=False),
    "sendrecv": Collective("sendrecv_perf", lambda n: 1, lambda n: 2 * n, lambda n: n, lambda n: 2),
    "barrier": Collective("barrier_perf", lambda n: 1, lambda n: 0),
}


def row_size(collective, ranks, nominal, element=4):
    """The size that the programs' row has for a nominal one; 0 when there are fewer elements than ranks."""
    if collective == "barrier":
        return 0
    unit = element * ranks if ALL[collective].blocks else element
    return nominal // unit * unit


def bus_bandwidth(collective, ranks, size, microseconds):
    """In 1e9 bytes a second; None where no time passed."""
    if not microseconds:
        return None
    return size / microseconds / 1e3 * ALL[collective].bus_factor(ranks)


def half_of(collective):
    """The form that all contestants have: the peers' broadcast has one buffer."""
    return "in_place" if collective == "broadcast" else "out_of_place"

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""COLLECTIVE [options]: a collective of torch.distributed over gloo, measured as Atoll's _perf programs measure theirs.

Takes those of their options that bench/compare uses and writes rows of their JSON. Started by Open MPI's or MPICH's mpirun, which only start
the processes; TORCH_PERF_STORE names a file, not there yet, in which they find each other.
"""
import argparse
import json
import os
import sys
import time

import torch
import torch.distributed as distributed

ELEMENT_BYTES = 4
CACHE_LINE = 64


class Buffer:
    """Float32 elements of which successive iterations use successive positions, as bench/perf/buffer.h's."""

    def __init__(self, bytes_):
        self.elements = torch.zeros(max(1, bytes_ // ELEMENT_BYTES), dtype=torch.float32)

    def position(self, index, count):
        step = -(-count * ELEMENT_BYTES // CACHE_LINE) * CACHE_LINE // ELEMENT_BYTES
        positions = max(1, len(self.elements) // step) if step else 1
        start = index % positions * step
        return self.elements[start:start + count]


def _all_reduce(_send, recv):
    distributed.all_reduce(recv)


def _all_gather(send, recv):
    distributed.all_gather(list(recv.chunk(distributed.get_world_size())), send)


def _all_to_all(send, recv):
    distributed.all_to_all_single(recv, send)


def _broadcast(_send, recv):
    distributed.broadcast(recv, 0)


def _reduce(_send, recv):
    distributed.reduce(recv, 0)


def _send_recv(send, recv):
    rank, ranks = distributed.get_rank(), distributed.get_world_size()
    incoming = distributed.irecv(recv, (rank - 1) % ranks)
    outgoing = distributed.isend(send, (rank + 1) % ranks)
    outgoing.wait()
    incoming.wait()


def _barrier(_send, _recv):
    distributed.barrier()


class Collective:
    """A call, and the parts of a row's elements that a rank sends and receives. torch reduces in place: the input lies in `recv`."""

    def __init__(self, call, expected, send=lambda count, ranks: count, in_place=False, blocks=False):
        self.call = call
        self.expected = expected  # of (rank, ranks), where rank r's input is all r + 1; None for no data
        self.send = send
        self.in_place = in_place
        self.blocks = blocks

    def elements(self, nominal, ranks):
        """Of a row, for its nominal size in bytes."""
        unit = ranks if self.blocks else 1
        return nominal // ELEMENT_BYTES // unit * unit if self.expected else 0


def _from_all(_rank, ranks):
    return [float(other + 1) for other in range(ranks)]


COLLECTIVES = {
    "allreduce": Collective(_all_reduce, lambda rank, ranks: [ranks * (ranks + 1) / 2], in_place=True),
    "allgather": Collective(_all_gather, _from_all, send=lambda count, ranks: count // ranks, blocks=True),
    "alltoall": Collective(_all_to_all, _from_all, blocks=True),
    "broadcast": Collective(_broadcast, lambda rank, ranks: [1.0], in_place=True),
    "reduce": Collective(_reduce, lambda rank, ranks: [ranks * (ranks + 1) / 2] if rank == 0 else None, in_place=True),
    "sendrecv": Collective(_send_recv, lambda rank, ranks: [float((rank - 1) % ranks + 1)]),
    "barrier": Collective(_barrier, None),
}


class Measuring:
    """One collective at one size."""

    def __init__(self, collective, options, buffers, nominal):
        self.collective = collective
        self.options = options
        self.send, self.recv = buffers
        self.rank, self.ranks = distributed.get_rank(), distributed.get_world_size()
        self.count = collective.elements(nominal, self.ranks)

    def _places(self, iteration):
        index = 0 if self.options.rotation == 0 else iteration
        return self.send.position(index, self.collective.send(self.count, self.ranks)), self.recv.position(index, self.count)

    def seconds(self):
        for iteration in range(self.options.warmup):
            self.collective.call(*self._places(iteration))
        distributed.barrier()
        start = time.perf_counter()
        for iteration in range(self.options.iterations):
            self.collective.call(*self._places(self.options.warmup + iteration))
        return self._summed((time.perf_counter() - start) / self.options.iterations) / self.ranks

    def wrong(self):
        """Wrong elements over all ranks in one call."""
        if self.collective.expected is None:
            return 0
        send, recv = self._places(0)
        send.fill_(self.rank + 1)
        recv.fill_(self.rank + 1 if self.collective.in_place else -1)
        self.collective.call(send, recv)
        expected = self.collective.expected(self.rank, self.ranks)
        wrong = 0
        if expected is not None and self.count:
            wrong = sum(int((part != value).sum()) for part, value in zip(recv.chunk(len(expected)), expected))
        return int(self._summed(wrong))

    @staticmethod
    def _summed(value):
        total = torch.tensor([float(value)], dtype=torch.float64)
        distributed.all_reduce(total)
        return float(total)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collective", choices=COLLECTIVES)
    parser.add_argument("-b", dest="low", type=int, required=True, help="smallest size in bytes")
    parser.add_argument("-e", dest="high", type=int, required=True, help="largest size in bytes")
    parser.add_argument("-f", dest="factor", type=int, default=2, help="from one size to the next [%(default)s]")
    parser.add_argument("-n", dest="iterations", type=int, default=20, help="timed iterations [%(default)s]")
    parser.add_argument("-w", dest="warmup", type=int, default=1, help="iterations before [%(default)s]")
    parser.add_argument("-c", dest="checks", type=int, default=1, help="checked runs [%(default)s]")
    parser.add_argument("--rotation", type=int, help="bytes that each buffer's positions rotate through at least; 0 for the same memory every time")
    parser.add_argument("-J", dest="output", help="file for the results")
    return parser.parse_args()


def number(*names):
    for name in names:
        if name in os.environ:
            return int(os.environ[name])
    sys.exit(f"torch_collective_perf.py: none of {', '.join(names)} is set: start this with mpirun")


def sweep(options):
    collective = COLLECTIVES[options.collective]
    buffers = [Buffer(max(options.high, options.rotation or 0)) for _ in range(2)]
    rows = []
    nominal = options.low
    while nominal <= options.high:
        measuring = Measuring(collective, options, buffers, nominal)
        if measuring.count or collective.expected is None:
            half = {"time": measuring.seconds() * 1e6, "nwrong": sum(measuring.wrong() for _ in range(options.checks))}
            # One form there is, whichever it is: broadcast is compared in place, the others out of place.
            forms = ("in_place", "out_of_place") if options.collective == "broadcast" else ("out_of_place", "in_place")
            rows.append({"size": measuring.count * ELEMENT_BYTES, forms[0]: half, forms[1]: None})
        nominal *= options.factor
    return rows


def main():
    options = arguments()
    torch.set_num_threads(1)  # a rank is one thread, as elsewhere
    rank = number("OMPI_COMM_WORLD_RANK", "PMI_RANK")
    distributed.init_process_group("gloo", init_method=f"file://{os.environ['TORCH_PERF_STORE']}", rank=rank,
                                   world_size=number("OMPI_COMM_WORLD_SIZE", "PMI_SIZE"))
    rows = sweep(options)
    wrong = sum((row["out_of_place"] or row["in_place"])["nwrong"] for row in rows)
    if rank == 0 and options.output:
        with open(options.output, "w", encoding="utf-8") as file:
            json.dump({"library": "PyTorch", "version": torch.__version__, "results": rows,
                       "out_of_bounds": {"count": wrong, "okay": wrong == 0}}, file)
    distributed.barrier()  # a rank that left earlier would be a failure to the others
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

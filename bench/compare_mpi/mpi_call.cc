// SPDX-License-Identifier: Apache-2.0
#include "bench/compare_mpi/mpi_call.h"

#include <utility>

namespace atl::perf {
namespace {

int callAllReduce(const MpiCall& c) {
  return MPI_Allreduce(c.inPlace ? MPI_IN_PLACE : c.send, c.recv, c.count, c.type, c.op, MPI_COMM_WORLD);
}

int callAllGather(const MpiCall& c) {
  return MPI_Allgather(c.inPlace ? MPI_IN_PLACE : c.send, c.count, c.type, c.recv, c.count, c.type, MPI_COMM_WORLD);
}

int callReduceScatter(const MpiCall& c) {
  return MPI_Reduce_scatter_block(c.send, c.recv, c.count, c.type, c.op, MPI_COMM_WORLD);
}

int callAllToAll(const MpiCall& c) {
  return MPI_Alltoall(c.send, c.count, c.type, c.recv, c.count, c.type, MPI_COMM_WORLD);
}

int callBroadcast(const MpiCall& c) {
  return MPI_Bcast(c.recv, c.count, c.type, c.root, MPI_COMM_WORLD);
}

int callReduce(const MpiCall& c) {
  const bool ownResult = c.inPlace && c.rank == c.root;
  return MPI_Reduce(ownResult ? MPI_IN_PLACE : c.send, c.recv, c.count, c.type, c.op, c.root, MPI_COMM_WORLD);
}

int callSendRecv(const MpiCall& c) {
  const int next = (c.rank + 1) % c.ranks;
  const int previous = (c.rank + c.ranks - 1) % c.ranks;
  return MPI_Sendrecv(c.send, c.count, c.type, next, 0, c.recv, c.count, c.type, previous, 0, MPI_COMM_WORLD,
                      MPI_STATUS_IGNORE);
}

int callBarrier(const MpiCall&) {
  return MPI_Barrier(MPI_COMM_WORLD);
}

constexpr std::pair<std::string_view, MakeMpiCall> kCalls[] = {
    {"allreduce", callAllReduce}, {"allgather", callAllGather}, {"reducescatter", callReduceScatter},
    {"alltoall", callAllToAll},   {"broadcast", callBroadcast}, {"reduce", callReduce},
    {"sendrecv", callSendRecv},   {"barrier", callBarrier},
};

}  // namespace

MakeMpiCall mpiCallNamed(std::string_view collective) {
  for (const auto& [name, make] : kCalls) {
    if (name == collective) return make;
  }
  return nullptr;
}

Result<MPI_Datatype> mpiTypeOf(DataType type) {
  switch (type) {
    case DataType::int8: return MPI_INT8_T;
    case DataType::uint8: return MPI_UINT8_T;
    case DataType::int32: return MPI_INT32_T;
    case DataType::uint32: return MPI_UINT32_T;
    case DataType::int64: return MPI_INT64_T;
    case DataType::uint64: return MPI_UINT64_T;
    case DataType::float32: return MPI_FLOAT;
    case DataType::float64: return MPI_DOUBLE;
    default: return makeError(ErrorCode::unsupported, "MPI has no type {}", nameOf(type));
  }
}

Result<MPI_Op> mpiOpOf(Reduction reduction) {
  switch (reduction) {
    case Reduction::sum: return MPI_SUM;
    case Reduction::prod: return MPI_PROD;
    case Reduction::max: return MPI_MAX;
    case Reduction::min: return MPI_MIN;
    default: return makeError(ErrorCode::unsupported, "MPI has no operator {}", nameOf(reduction));
  }
}

}  // namespace atl::perf

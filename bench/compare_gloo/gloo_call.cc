// SPDX-License-Identifier: Apache-2.0
#include "bench/compare_gloo/gloo_call.h"

#include <gloo/allgather.h>
#include <gloo/allreduce.h>
#include <gloo/alltoall.h>
#include <gloo/barrier.h>
#include <gloo/broadcast.h>
#include <gloo/math.h>
#include <gloo/reduce.h>

#include "bench/perf/collectives/collectives.h"

namespace atl::perf {
namespace {

using Context = std::shared_ptr<gloo::Context>;
using ReduceFunction = gloo::AllreduceOptions::Func;

/// gloo takes inputs as pointers to what it does not change.
template <class T>
T* unchanged(const void* data) {
  return static_cast<T*>(const_cast<void*>(data));
}

template <class T>
Result<ReduceFunction> functionOf(Reduction reduction) {
  using Plain = void (*)(void*, const void*, const void*, std::size_t);
  switch (reduction) {
    case Reduction::sum: return ReduceFunction(static_cast<Plain>(gloo::sum<T>));
    case Reduction::prod: return ReduceFunction(static_cast<Plain>(gloo::product<T>));
    case Reduction::max: return ReduceFunction(static_cast<Plain>(gloo::max<T>));
    case Reduction::min: return ReduceFunction(static_cast<Plain>(gloo::min<T>));
    default: return makeError(ErrorCode::unsupported, "gloo has no operator {}", nameOf(reduction));
  }
}

template <class T>
Result<PeerIssue> bindAllReduce(const Context& context, const PeerCall& call) {
  ATOLL_ASSIGN(const ReduceFunction function, functionOf<T>(call.reduction));
  return PeerIssue([context, call, function](const void* send, void* recv) {
    return caughtGloo("allreduce", [&] {
      gloo::AllreduceOptions options(context);
      // Without an input, the output is both.
      if (!call.inPlace) options.setInput(unchanged<T>(send), call.count);
      options.setOutput(static_cast<T*>(recv), call.count);
      options.setReduceFunction(function);
      gloo::allreduce(options);
    });
  });
}

template <class T>
Result<PeerIssue> bindReduce(const Context& context, const PeerCall& call) {
  ATOLL_ASSIGN(const ReduceFunction function, functionOf<T>(call.reduction));
  return PeerIssue([context, call, function](const void* send, void* recv) {
    return caughtGloo("reduce", [&] {
      gloo::ReduceOptions options(context);
      options.setInput(unchanged<T>(send), call.count);
      options.setOutput(static_cast<T*>(recv), call.count);
      options.setRoot(call.root);
      options.setReduceFunction(function);
      gloo::reduce(options);
    });
  });
}

/// Calls `bind` with a value of the element type.
template <class Bind>
Result<PeerIssue> withElement(DataType type, Bind&& bind) {
  switch (type) {
    case DataType::int8: return bind(std::int8_t{});
    case DataType::uint8: return bind(std::uint8_t{});
    case DataType::int32: return bind(std::int32_t{});
    case DataType::int64: return bind(std::int64_t{});
    case DataType::uint64: return bind(std::uint64_t{});
    case DataType::float32: return bind(float{});
    case DataType::float64: return bind(double{});
    default: return makeError(ErrorCode::unsupported, "gloo reduces no {}", nameOf(type));
  }
}

PeerIssue bindAllGather(const Context& context, const PeerCall& call) {
  const std::size_t bytes = call.count * atl::sizeOf(call.type);
  return [context, bytes, inPlace = call.inPlace](const void* send, void* recv) {
    return caughtGloo("allgather", [&] {
      gloo::AllgatherOptions options(context);
      if (!inPlace) options.setInput(unchanged<std::uint8_t>(send), bytes);
      options.setOutput(static_cast<std::uint8_t*>(recv), bytes * static_cast<std::size_t>(context->size));
      gloo::allgather(options);
    });
  };
}

PeerIssue bindAllToAll(const Context& context, const PeerCall& call) {
  const std::size_t bytes = call.count * atl::sizeOf(call.type) * static_cast<std::size_t>(context->size);
  return [context, bytes](const void* send, void* recv) {
    return caughtGloo("alltoall", [&] {
      gloo::AlltoallOptions options(context);
      options.setInput(unchanged<std::uint8_t>(send), bytes);
      options.setOutput(static_cast<std::uint8_t*>(recv), bytes);
      gloo::alltoall(options);
    });
  };
}

PeerIssue bindBroadcast(const Context& context, const PeerCall& call) {
  const std::size_t bytes = call.count * atl::sizeOf(call.type);
  return [context, bytes, root = call.root](const void*, void* recv) {
    return caughtGloo("broadcast", [&] {
      gloo::BroadcastOptions options(context);
      options.setOutput(static_cast<std::uint8_t*>(recv), bytes);
      options.setRoot(root);
      gloo::broadcast(options);
    });
  };
}

PeerIssue bindSendRecv(const Context& context, const PeerCall& call) {
  constexpr std::uint64_t kSlot = 1;  // outside of the slots that gloo's collectives use
  const std::size_t bytes = call.count * atl::sizeOf(call.type);
  return [context, bytes](const void* send, void* recv) {
    return caughtGloo("send and receive", [&] {
      const int ranks = context->size;
      const auto output = context->createUnboundBuffer(unchanged<void>(send), bytes);
      const auto input = context->createUnboundBuffer(recv, bytes);
      input->recv((context->rank + ranks - 1) % ranks, kSlot);
      output->send((context->rank + 1) % ranks, kSlot);
      output->waitSend();
      input->waitRecv();
    });
  };
}

PeerIssue bindBarrier(const Context& context) {
  return [context](const void*, void*) {
    return caughtGloo("barrier", [&] {
      gloo::BarrierOptions options(context);
      gloo::barrier(options);
    });
  };
}

}  // namespace

std::span<const PeerCollective> glooCollectives() {
  // In place, gloo's reduce would use the other ranks' inputs as scratch memory.
  static const PeerCollective all[] = {
      {"allreduce", &allReduce(), Forms::both},         {"allgather", &allGather(), Forms::both},
      {"alltoall", &allToAll(), Forms::outOfPlaceOnly}, {"broadcast", &broadcast(), Forms::inPlaceOnly},
      {"reduce", &reduce(), Forms::outOfPlaceOnly},     {"sendrecv", &sendRecv(), Forms::outOfPlaceOnly},
      {"barrier", &barrier(), Forms::outOfPlaceOnly},
  };
  return all;
}

Result<PeerIssue> bindGloo(const Context& context, std::string_view collective, const PeerCall& call) {
  if (collective == "barrier") return bindBarrier(context);
  // gloo refuses empty messages; the rows of size 0 are of blocks, with fewer elements than ranks.
  if (call.count == 0) return PeerIssue([](const void*, void*) { return success(); });
  if (collective == "allreduce") {
    return withElement(call.type, [&](auto element) { return bindAllReduce<decltype(element)>(context, call); });
  }
  if (collective == "reduce") {
    return withElement(call.type, [&](auto element) { return bindReduce<decltype(element)>(context, call); });
  }
  if (collective == "allgather") return bindAllGather(context, call);
  if (collective == "alltoall") return bindAllToAll(context, call);
  if (collective == "broadcast") return bindBroadcast(context, call);
  return bindSendRecv(context, call);
}

}  // namespace atl::perf

// SPDX-License-Identifier: Apache-2.0
// What a call through the C API costs beside the data that it moves: on one rank, where no peer is waited for, and
// between two ranks that are threads of this process.
#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <stdexcept>
#include <thread>

#include "atoll/atoll.h"

namespace {

void check(atollResult_t result) {
  if (result != atollSuccess) throw std::runtime_error(atollGetLastError(nullptr));
}

/// The communicators of `kRanks` ranks of this process.
template <std::size_t kRanks>
class Ranks {
 public:
  Ranks() { check(atollCommInitAll(comms_.data(), static_cast<int>(kRanks))); }
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;
  ~Ranks() {
    for (atollComm_t comm : comms_) atollCommDestroy(comm);
  }
  atollComm_t operator[](std::size_t rank) const { return comms_[rank]; }

 private:
  std::array<atollComm_t, kRanks> comms_{};
};

class Stream {
 public:
  Stream() { check(atollStreamCreate(&stream_)); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { atollStreamDestroy(stream_); }
  [[nodiscard]] atollStream_t get() const { return stream_; }
  void synchronize() const { check(atollStreamSynchronize(stream_)); }

 private:
  atollStream_t stream_ = nullptr;
};

void allReduce(atollComm_t comm, std::size_t count) {
  alignas(64) const std::array<float, 2> send{1, 2};
  alignas(64) std::array<float, 2> recv{};
  check(atollAllReduce(send.data(), recv.data(), count, atollFloat32, atollSum, comm, nullptr));
}

void oneRankAllReduce(benchmark::State& state) {
  const Ranks<1> ranks;
  const auto count = static_cast<std::size_t>(state.range(0)) / sizeof(float);
  for ([[maybe_unused]] auto _ : state) allReduce(ranks[0], count);
}
BENCHMARK(oneRankAllReduce)->Name("one_rank/all_reduce")->ArgName("bytes")->Arg(0)->Arg(8);

void oneRankBarrier(benchmark::State& state) {
  const Ranks<1> ranks;
  for ([[maybe_unused]] auto _ : state) check(atollBarrier(ranks[0], nullptr));
}
BENCHMARK(oneRankBarrier)->Name("one_rank/barrier");

void emptyGroup(benchmark::State& state) {
  for ([[maybe_unused]] auto _ : state) {
    check(atollGroupStart());
    check(atollGroupEnd());
  }
}
BENCHMARK(emptyGroup)->Name("group/empty");

void groupToMyself(benchmark::State& state) {
  const Ranks<1> ranks;
  const std::array<float, 2> send{1, 2};
  std::array<float, 2> recv{};
  for ([[maybe_unused]] auto _ : state) {
    check(atollGroupStart());
    check(atollSend(send.data(), send.size(), atollFloat32, 0, ranks[0], nullptr));
    check(atollRecv(recv.data(), recv.size(), atollFloat32, 0, ranks[0], nullptr));
    check(atollGroupEnd());
  }
}
BENCHMARK(groupToMyself)->Name("group/send_receive_myself");

/// Rank 0 is timed; rank 1 makes the same calls in a thread of its own.
template <class Call>
void twoRanks(benchmark::State& state, Call call) {
  const Ranks<2> ranks;
  std::thread peer([&ranks, &call, calls = state.max_iterations + 1] {
    for (auto left = calls; left > 0; --left) call(ranks[1]);
  });
  call(ranks[0]);  // makes the links and the program
  for ([[maybe_unused]] auto _ : state) call(ranks[0]);
  peer.join();
}

void twoRanksAllReduce(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0)) / sizeof(float);
  twoRanks(state, [count](atollComm_t comm) { allReduce(comm, count); });
}
BENCHMARK(twoRanksAllReduce)->Name("two_ranks/all_reduce")->ArgName("bytes")->Arg(0)->Arg(8)->UseRealTime();

void twoRanksBarrier(benchmark::State& state) {
  twoRanks(state, [](atollComm_t comm) { check(atollBarrier(comm, nullptr)); });
}
BENCHMARK(twoRanksBarrier)->Name("two_ranks/barrier")->UseRealTime();

/// What the caller of a host stream waits for: the call is checked and queued. The queue is emptied, untimed, before it
/// grows long.
void streamEnqueue(benchmark::State& state) {
  constexpr int kQueued = 64;
  const Ranks<1> ranks;
  const Stream stream;
  const std::array<float, 2> send{1, 2};
  std::array<float, 2> recv{};
  int queued = 0;
  for ([[maybe_unused]] auto _ : state) {
    check(atollAllReduce(send.data(), recv.data(), send.size(), atollFloat32, atollSum, ranks[0], stream.get()));
    if (++queued < kQueued) continue;
    state.PauseTiming();
    stream.synchronize();
    queued = 0;
    state.ResumeTiming();
  }
  stream.synchronize();
}
BENCHMARK(streamEnqueue)->Name("stream/enqueue")->UseRealTime();

/// A call on a host stream from its making to its end.
void streamRoundTrip(benchmark::State& state) {
  const Ranks<1> ranks;
  const Stream stream;
  const std::array<float, 2> send{1, 2};
  std::array<float, 2> recv{};
  for ([[maybe_unused]] auto _ : state) {
    check(atollAllReduce(send.data(), recv.data(), send.size(), atollFloat32, atollSum, ranks[0], stream.get()));
    stream.synchronize();
  }
}
BENCHMARK(streamRoundTrip)->Name("stream/enqueue_and_synchronize")->UseRealTime();

}  // namespace

// SPDX-License-Identifier: Apache-2.0
// A link alone, by each transport of the build: two threads of this process at its ends, no plan and no executor.
// round_trip gives a message's latency (half of it is `one_way`), stream what each further message or byte costs.
#include <benchmark/benchmark.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench/micro/blocking_end.h"
#include "tests/support/rank_pair.h"
#include "transports/registry.h"

namespace {

using atl::bench::BlockingEnd;

/// From inside a mailbox slot to sixteen bounce slots.
constexpr std::int64_t kSizes[] = {8, 64, 512, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20};

atl::Settings onlyBy(std::string_view transport) {
  atl::Settings settings;
  settings.transports = transport;
  return settings;
}

/// What an end sends: every message is written anew before it leaves, as one that is the result of a reduction. Memory
/// that the peer has read and nobody has written since would lie in the peer's cache too, and cost it nothing.
class Messages {
 public:
  explicit Messages(std::size_t bytes) : buffers_(kBuffers, std::vector<std::byte>(bytes)) {}

  const std::byte* next() {
    constexpr std::size_t kCacheLine = 64;
    auto& buffer = buffers_[++turn_ % kBuffers];
    for (std::size_t i = 0; i < buffer.size(); i += kCacheLine) buffer[i] = static_cast<std::byte>(turn_);
    return buffer.data();
  }

 private:
  /// A mailbox has no more messages under way than slots, so the peer has done with the one that is written over.
  static constexpr std::size_t kBuffers = 2 * atl::kMailSlots;
  std::vector<std::vector<std::byte>> buffers_;
  std::size_t turn_ = 0;
};

/// Both ends of a link, with what they send and where they receive it.
class LinkedThreads {
 public:
  LinkedThreads(std::string_view transport, std::size_t bytes)
      : ranks_(onlyBy(transport)), bytes_(bytes), mine_(bytes), theirs_(bytes) {
    auto ends = ranks_.join(0);
    if (!ends.ok()) throw std::runtime_error(ends.error().text);
    mine_.link = atl::bench::makeBlockingEnd(std::move(ends->first), ranks_.outbox(0));
    theirs_.link = atl::bench::makeBlockingEnd(std::move(ends->second), ranks_.outbox(1));
  }

  void send() { mine_.link->send(mine_.out.next(), bytes_); }
  void receive() { mine_.link->receive(mine_.in.data(), bytes_); }
  void peerSends() { theirs_.link->send(theirs_.out.next(), bytes_); }
  void peerReceives() { theirs_.link->receive(theirs_.in.data(), bytes_); }

 private:
  struct Side {
    explicit Side(std::size_t bytes) : out(bytes), in(bytes) {}
    Messages out;
    std::vector<std::byte> in;
    std::unique_ptr<BlockingEnd> link;
  };
  atl::test::RankPair ranks_;
  std::size_t bytes_;
  Side mine_;
  Side theirs_;
};

void roundTrip(benchmark::State& state, std::string_view transport) {
  LinkedThreads link(transport, static_cast<std::size_t>(state.range(0)));
  std::thread peer([&link, trips = state.max_iterations + 1] {
    for (auto left = trips; left > 0; --left) {
      link.peerReceives();
      link.peerSends();
    }
  });
  const auto trip = [&link] {
    link.send();
    link.receive();
  };
  trip();  // the peer is there
  for ([[maybe_unused]] auto _ : state) trip();
  peer.join();
  using benchmark::Counter;
  state.counters["one_way"] =
      Counter(2.0 * static_cast<double>(state.iterations()), Counter::kIsRate | Counter::kInvert);
}

void stream(benchmark::State& state, std::string_view transport) {
  LinkedThreads link(transport, static_cast<std::size_t>(state.range(0)));
  std::thread peer([&link, messages = state.max_iterations + 1] {
    link.peerReceives();
    link.peerSends();
    for (auto left = messages - 1; left > 0; --left) link.peerReceives();
  });
  link.send();
  link.receive();  // the peer is there
  for ([[maybe_unused]] auto _ : state) link.send();
  peer.join();
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

/// Registered at run time: a transport whose folder is not there is not measured.
const bool registered = [] {
  for (const auto& transport : atl::registeredTransports()) {
    const auto add = [&](const char* what, void (*measure)(benchmark::State&, std::string_view)) {
      const std::string name = std::string(what).append("/").append(transport.name);
      auto* const benchmark = benchmark::RegisterBenchmark(name.c_str(), measure, transport.name)->UseRealTime();
      for (const std::int64_t bytes : kSizes) benchmark->Arg(bytes);
    };
    add("round_trip", roundTrip);
    add("stream", stream);
  }
  return true;
}();

}  // namespace

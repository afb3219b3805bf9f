// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/topo/link_timer.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <thread>

#include "bench/perf/team.h"

namespace atl::tools {
namespace {

using Clock = std::chrono::steady_clock;
using perf::checked;

constexpr int kLeastTrips = 60;
constexpr int kMostTrips = 2000;
constexpr double kPatience = 0.015;                   ///< seconds of a pair that does not make the most trips in them
constexpr auto kRest = std::chrono::milliseconds(4);  ///< in which ranks that wait stop to poll, and free their cores
constexpr std::size_t kLeastBytes = 64 << 10;
constexpr std::size_t kMostBytes = 16 << 20;
constexpr double kLongEnough = 0.04;  ///< seconds of a large message
constexpr int kRepeats = 2;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

Result<LinkTimer> LinkTimer::join() {
  atollComm_t comm = nullptr;
  ATOLL_TRY(checked(atollCommInitEnv(&comm, nullptr), "joining the job", nullptr));
  int rank = 0;
  int ranks = 1;
  LinkTimer timer(comm, 0, 1);
  ATOLL_TRY(checked(atollCommUserRank(comm, &rank), "asking for the rank", comm));
  ATOLL_TRY(checked(atollCommCount(comm, &ranks), "asking for the number of ranks", comm));
  timer.rank_ = rank;
  timer.ranks_ = ranks;
  return timer;
}

LinkTimer::LinkTimer(LinkTimer&& other) noexcept
    : comm_(std::exchange(other.comm_, nullptr)), rank_(other.rank_), ranks_(other.ranks_) {}

LinkTimer::~LinkTimer() {
  if (comm_ != nullptr) atollCommDestroy(comm_);
}

Status LinkTimer::send(const void* data, std::size_t bytes, Rank peer) const {
  return checked(atollSend(data, bytes, atollUint8, peer, comm_, nullptr), "sending", comm_);
}

Status LinkTimer::receive(void* data, std::size_t bytes, Rank peer) const {
  return checked(atollRecv(data, bytes, atollUint8, peer, comm_, nullptr), "receiving", comm_);
}

Result<double> LinkTimer::transfer(const RankPair& pair, std::vector<char>& data) const {
  char answer = 0;
  const auto start = Clock::now();
  if (rank_ == pair.first) {
    ATOLL_TRY(send(data.data(), data.size(), pair.second));
    ATOLL_TRY(receive(&answer, 1, pair.second));
  } else {
    ATOLL_TRY(receive(data.data(), data.size(), pair.first));
    ATOLL_TRY(send(&answer, 1, pair.first));
  }
  return secondsSince(start);
}

Result<double> LinkTimer::latency(const RankPair& pair) const {
  // The best of many: what disturbs only ever adds. Two processes that the kernel has put on one core need some time to
  // be parted. The sender says which trip is the last.
  double best = std::numeric_limits<double>::infinity();
  const auto start = Clock::now();
  std::vector<char> last(8, 0);
  for (int trip = 1; last[0] == 0; ++trip) {
    const bool enough = trip >= kLeastTrips && secondsSince(start) > kPatience;
    if (rank_ == pair.first) last[0] = enough || trip == kMostTrips ? 1 : 0;
    ATOLL_ASSIGN(const double seconds, transfer(pair, last));
    best = std::min(best, seconds / 2);
  }
  return best;
}

Result<double> LinkTimer::rate(const RankPair& pair) const {
  double best = std::numeric_limits<double>::infinity();
  int repeats = 0;
  for (std::uint64_t bytes = kLeastBytes; bytes != 0;) {
    // The sender says how much comes next; 0 ends it.
    if (rank_ == pair.first) {
      ATOLL_TRY(send(&bytes, sizeof bytes, pair.second));
    } else {
      ATOLL_TRY(receive(&bytes, sizeof bytes, pair.first));
    }
    if (bytes == 0) break;
    std::vector<char> data(bytes);
    ATOLL_ASSIGN(const double seconds, transfer(pair, data));
    best = std::min(best, seconds / static_cast<double>(bytes));
    if (rank_ != pair.first) continue;
    if (bytes < kMostBytes && seconds < kLongEnough && repeats == 0) {
      bytes *= 2;
      best = std::numeric_limits<double>::infinity();
    } else if (++repeats > kRepeats) {
      bytes = 0;
      ATOLL_TRY(send(&bytes, sizeof bytes, pair.second));
    }
  }
  return 1 / best;
}

Result<std::vector<double>> LinkTimer::combined(const std::vector<double>& mine, atollRedOp_t how) const {
  std::vector<double> all(mine.size());
  ATOLL_TRY(checked(atollAllReduce(mine.data(), all.data(), mine.size(), atollFloat64, how, comm_, nullptr),
                    "sharing measurements", comm_));
  return all;
}

template <class Measure>
Result<std::vector<double>> LinkTimer::inTurn(std::span<const RankPair> pairs, Measure measure) const {
  std::vector<double> mine(pairs.size(), 0);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (rank_ == pairs[i].first || rank_ == pairs[i].second) {
      std::this_thread::sleep_for(kRest);
      ATOLL_ASSIGN(const double value, measure(pairs[i]));
      if (rank_ == pairs[i].first) mine[i] = value;
    }
    ATOLL_TRY(checked(atollBarrier(comm_, nullptr), "waiting for the others", comm_));
  }
  return combined(mine, atollSum);
}

Result<std::vector<double>> LinkTimer::latencies(std::span<const RankPair> pairs) const {
  return inTurn(pairs, [this](const RankPair& pair) { return latency(pair); });
}

Result<std::vector<double>> LinkTimer::rates(std::span<const RankPair> pairs) const {
  return inTurn(pairs, [this](const RankPair& pair) { return rate(pair); });
}

Result<double> LinkTimer::rateTogether(std::span<const RankPair> pairs, double expected) const {
  const auto bytes = static_cast<std::size_t>(
      std::clamp(expected * kLongEnough, static_cast<double>(kLeastBytes), static_cast<double>(kMostBytes)));
  std::vector<char> data(bytes);
  double best = 0;
  for (int i = 0; i <= kRepeats; ++i) {
    std::vector<double> mine = {0};
    ATOLL_TRY(checked(atollBarrier(comm_, nullptr), "waiting for the others", comm_));
    for (const RankPair& pair : pairs) {
      if (rank_ != pair.first && rank_ != pair.second) continue;
      ATOLL_ASSIGN(const double seconds, transfer(pair, data));
      if (rank_ == pair.first) mine[0] = seconds;
    }
    ATOLL_ASSIGN(const auto slowest, combined(mine, atollMax));
    best = std::max(best, static_cast<double>(pairs.size() * bytes) / slowest[0]);
  }
  return best;
}

}  // namespace atl::tools

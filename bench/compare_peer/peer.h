// SPDX-License-Identifier: Apache-2.0
// What another library needs to offer, so that its collectives are measured as Atoll's are.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "bench/perf/collective.h"
#include "bench/perf/reduction.h"
#include "bench/perf/report.h"
#include "src/base/result.h"

namespace atl::perf {

/// Whether a peer has the form where send and receive buffer differ, the one where they are the same in Atoll's sense,
/// or both.
enum class Forms : std::uint8_t { both, outOfPlaceOnly, inPlaceOnly };

/// A collective that the peer has.
struct PeerCollective {
  std::string_view name;          ///< as on the command line
  const Collective* description;  ///< sizes, data and factor; its own call is not used
  Forms forms;
};

/// One rank's call, but for where its buffers lie.
struct PeerCall {
  std::size_t count = 0;
  DataType type = DataType::float32;
  Reduction reduction = Reduction::sum;
  int root = 0;
  bool inPlace = false;
};

/// Makes a bound call on these buffers, and returns when it is done.
using PeerIssue = std::function<Status(const void* send, void* recv)>;

/// This process's rank in a job of the peer's.
class Peer {
 public:
  /// How combine() makes one value of every rank's.
  enum class Fold : std::uint8_t { sum, min, max };

  Peer() = default;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  /// Leaves the job in good order; every rank takes part.
  virtual ~Peer() = default;

  [[nodiscard]] virtual Library library() const = 0;
  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int ranks() const = 0;

  /// Prepares calls of the collective of that name, one of those given to peerMain(). Types, operators or counts that
  /// the peer cannot take are errors.
  virtual Result<PeerIssue> bind(std::string_view collective, const PeerCall& call) = 0;

  /// Outside of what is timed. Each is collective over all ranks.
  virtual Status barrier() = 0;
  virtual Status combine(std::span<double> values, Fold fold) = 0;
  /// Every rank's bytes, as many from each, in the order of ranks.
  virtual Result<std::vector<std::byte>> gather(std::span<const std::byte> mine) = 0;

  /// Ends the job at once, also for the other ranks, after an error.
  [[noreturn]] virtual void abort(int exitCode) = 0;
};

}  // namespace atl::perf

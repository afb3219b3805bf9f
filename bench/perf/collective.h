// SPDX-License-Identifier: Apache-2.0
// What one program measures: a collective described by its sizes, its data and its call.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>

#include "atoll/atoll.h"
#include "bench/perf/test_data.h"

namespace atl::perf {

/// One rank's part in one measured size.
struct Job {
  std::size_t count = 0;  ///< the API's count argument, in elements
  int rank = 0;
  int ranks = 1;
  int root = 0;
};

/// The arguments of one call that do not follow from the Job.
struct Call {
  const void* send = nullptr;
  void* recv = nullptr;
  atollDataType_t type = atollFloat32;
  atollRedOp_t op = atollSum;
  atollComm_t comm = nullptr;
  atollStream_t stream = nullptr;
};

/// Makes one rank's calls for one Job: round 0, then round 1 if the collective has more than one (see
/// Collective::rounds).
using Issue = std::function<atollResult_t(const Call&, int round)>;

/// Where the send and receive buffers lie in one common buffer, in elements.
struct InPlace {
  std::size_t sendOffset = 0;
  std::size_t recvOffset = 0;
};

/// Functions rather than a class hierarchy: a description has no state of its own.
struct Collective {
  std::string_view program;  ///< "all_reduce_perf"
  std::string_view what;     ///< one line for --help
  bool reduces = false;      ///< takes -o
  bool rooted = false;       ///< takes -r

  /// The call's count for a nominal size of `elements` (the larger of a rank's send and receive buffer).
  std::size_t (*countFor)(std::size_t elements, int ranks) = nullptr;
  /// The size that such a call really has, in elements: the rows' size column.
  std::size_t (*sizeOf)(std::size_t count, int ranks) = nullptr;
  /// Bus bandwidth over algorithm bandwidth.
  double (*busFactor)(int ranks) = nullptr;

  /// What a rank's send buffer holds before, and its receive buffer after, the call.
  Layout (*input)(const Job&) = nullptr;
  Layout (*output)(const Job&) = nullptr;
  /// The in-place form; null where the collective has none.
  InPlace (*inPlace)(const Job&) = nullptr;

  /// Prepares the calls of a job, so that none of that falls into the measured time.
  Issue (*bind)(const Job&) = nullptr;
  /// Calls per job that depend on each other: every rank's round is complete before the next begins. Null for one.
  int (*rounds)(int ranks) = nullptr;
  /// Null, or the reason why the collective cannot run on so many ranks (empty: it can).
  std::string_view (*refuses)(int ranks) = nullptr;
};

/// The usual functions of descriptions.
namespace common {
inline std::size_t wholeBuffer(std::size_t elements, int) {
  return elements;
}
inline std::size_t blockOf(std::size_t elements, int ranks) {
  return elements / static_cast<std::size_t>(ranks);
}
inline std::size_t allBlocks(std::size_t count, int ranks) {
  return count * static_cast<std::size_t>(ranks);
}
inline double one(int) {
  return 1.0;
}
inline double othersShare(int ranks) {
  return static_cast<double>(ranks - 1) / ranks;
}
inline InPlace sameBuffer(const Job&) {
  return {};
}
inline std::size_t blockStart(const Job& job, int block) {
  return static_cast<std::size_t>(block) * job.count;
}
}  // namespace common

}  // namespace atl::perf

// SPDX-License-Identifier: Apache-2.0
// One size of one case, out of place or in place, on the ranks of one thread: timing it and checking its data.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/perf/buffer.h"
#include "bench/perf/collective.h"
#include "bench/perf/options.h"
#include "bench/perf/statistics.h"
#include "bench/perf/team.h"
#include "bench/perf/test_data.h"

namespace atl::perf {

/// A member's memory, large enough for every size of the sweep.
struct MemberBuffers {
  Buffer send;
  Buffer recv;
  /// The in-place form lies in the larger of the two.
  [[nodiscard]] const Buffer& common() const { return send.capacity() > recv.capacity() ? send : recv; }
};

/// What does not change from size to size: element type, operator, root, and each member's data and operator handle.
struct Case {
  DataType type = DataType::float32;
  std::optional<Reduction> reduction;
  int root = -1;                        ///< -1: none
  std::vector<TestData> data;           ///< of each member
  std::vector<atollRedOp_t> operators;  ///< of each member: a built-in one, or the member's own handle for mulsum
};

class Measuring {
 public:
  /// Binds every member's call. All arguments outlive this object.
  Measuring(const Collective& collective, const Options& options, const Team& team,
            const std::vector<MemberBuffers>& buffers, const Case& oneCase, std::size_t count, bool inPlace);

  /// Warms up and times; collective over all ranks, each of which gets the same result, without `wrong`.
  Result<Measurement> time();
  /// Makes the data anew, runs once and counts what is wrong over all ranks. Every checked run has a `seed` of its own.
  Result<std::uint64_t> check(std::uint64_t seed);

 private:
  /// A member's part. Sizes in bytes, for the region that a call gets.
  struct Part {
    Job job;
    Issue issue;
    const MemberBuffers* buffers = nullptr;
    atollRedOp_t op = atollSum;
    Layout input;
    Layout output;
    std::size_t sendBytes = 0;
    std::size_t recvBytes = 0;
    InPlace offsets;
    std::size_t commonBytes = 0;
  };
  /// Where a call reads and writes.
  struct Place {
    std::byte* send = nullptr;
    std::byte* recv = nullptr;
    std::byte* common = nullptr;  ///< the region of an in-place call
  };

  [[nodiscard]] Place placeOf(const Part& part, std::size_t position) const;
  /// One iteration: every round of every member, `repeat` times.
  Status issue(std::size_t position, int repeat);
  /// Writes to every cache line of what will be sent, the same values, so that no other core has it in its cache.
  void rewriteInput(std::size_t position) const;
  Result<double> timeTogether();
  Result<std::vector<double>> timeApart();
  [[nodiscard]] double now() const;
  void prepare(std::size_t member, std::size_t position, std::uint64_t seed);
  [[nodiscard]] std::uint64_t countWrong(std::size_t member, std::size_t position, std::uint64_t seed) const;

  const Collective& collective_;
  const Options& options_;
  const Team& team_;
  const Case& case_;
  bool inPlace_;
  int rounds_;
  std::size_t bytes_;  ///< the row's size
  std::vector<Part> parts_;
};

}  // namespace atl::perf

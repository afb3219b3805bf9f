// SPDX-License-Identifier: Apache-2.0
// The ranks that one thread drives, and the small collectives by which the programs agree among themselves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "atoll/atoll.h"
#include "bench/perf/options.h"
#include "src/base/result.h"

namespace atl::perf {

/// One rank: its communicator and the stream its calls go to (null: they run in the calling thread).
struct Member {
  int rank = 0;
  atollComm_t comm = nullptr;
  atollStream_t stream = nullptr;
};

/// Turns a call's result into a Status: "allreduce: timeout: rank 3 on host b did not …".
Status checked(atollResult_t result, std::string_view what, atollComm_t comm);

/// Owns its members' communicators and streams. Driven by one thread; the collectives below are called by every team
/// alike.
class Team {
 public:
  Team(std::vector<Member> members, int ranks) : members_(std::move(members)), ranks_(ranks) {}
  ~Team();
  Team(Team&&) = default;
  Team& operator=(Team&&) = delete;

  [[nodiscard]] std::span<const Member> members() const { return members_; }
  [[nodiscard]] int ranks() const { return ranks_; }

  /// Makes the members' host streams.
  Status openStreams();

  /// call(i) for every member i, `repeat` times over; as one group if that makes more than one call.
  template <class Function>
  Status each(std::string_view what, Function&& call, int repeat = 1) const {
    if (members_.size() == 1 && repeat == 1) {
      const atollResult_t result = call(std::size_t{0});
      return result == atollSuccess ? success() : checked(result, what, members_[0].comm);
    }
    ATOLL_TRY(checked(atollGroupStart(), what, nullptr));
    Status status = success();
    for (int k = 0; k < repeat && status.ok(); ++k) {
      for (std::size_t i = 0; i < members_.size() && status.ok(); ++i)
        status = checked(call(i), what, members_[i].comm);
    }
    const atollResult_t ended = atollGroupEnd();  // also after a failed call, or the thread's group would stay open
    return status.ok() ? checked(ended, what, members_[0].comm) : status;
  }

  /// Waits until the members' streams are empty.
  [[nodiscard]] Status synchronize() const;
  /// Returns when every rank has called it.
  [[nodiscard]] Status barrier() const;

  /// One value from every rank made into one that all have, element by element. The team's ranks all give `mine`.
  [[nodiscard]] Result<std::vector<double>> combine(std::vector<double> mine, Average how) const;
  /// The sum over teams, not ranks, of a count below 2^53.
  [[nodiscard]] Result<std::uint64_t> total(std::uint64_t mine) const;
  /// Every rank's record, in the order of ranks. `mine` holds one record of `recordBytes` for each member.
  [[nodiscard]] Result<std::vector<std::byte>> gather(std::span<const std::byte> mine, std::size_t recordBytes) const;

  /// Ends the communicators in good order; every rank takes part.
  Status close();
  /// Ends them at once, also for the other ranks, after an error.
  void abort();

 private:
  [[nodiscard]] Result<std::vector<double>> allReduce(const std::vector<std::vector<double>>& inputs,
                                                      atollRedOp_t op) const;
  void closeStreams();

  std::vector<Member> members_;
  int ranks_;
};

}  // namespace atl::perf

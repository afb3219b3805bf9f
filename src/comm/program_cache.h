// SPDX-License-Identifier: Apache-2.0
// From a call to the program that runs it: looked up if the kind of call was seen before, else chosen, planned and
// lowered.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "src/comm/algorithm_choice.h"
#include "src/comm/choosing.h"
#include "src/comm/link_table.h"
#include "src/exec/call.h"
#include "src/exec/host/program.h"
#include "src/plan/hierarchy.h"

namespace atl {

class ProgramCache {
 public:
  /// `hierarchy` is where the ranks are; it must outlive this.
  ProgramCache(Rank rank, const plan::Hierarchy& hierarchy, const Settings& settings, LinkTable& links,
               Choosing choosing);

  /// Forgets every program and plan but the user's, and goes by these from now on.
  void goBy(const plan::Hierarchy& hierarchy, Choosing choosing);

  /// The program of a collective. Valid until the next call of a get.
  Result<exec::Program*> get(const Call& call);

  /// What sends and receives are for. Each has links of its own, so that a program of the one may run beside any of the
  /// other.
  enum class Exchange : std::uint8_t { group, tails };

  /// The program of fused sends and receives, bound to their buffers and numbered for their pairs.
  Result<exec::Program*> get(std::span<const PointToPoint> operations, Exchange exchange = Exchange::group);

  /// Bytes of an all-to-all-v's heads (head_bytes.h), or 0.
  Result<std::size_t> headBytes();

  /// A user's plan for every later call of its collective (the same root, where there is one).
  void use(std::shared_ptr<const Plan> plan);

  /// What a call of `bytes` payload would run, with an operator that commutes, equal blocks and, where there is one,
  /// the root 0.
  [[nodiscard]] Result<AlgorithmChoice> choiceFor(Collective collective, std::uint64_t bytes) const;

  [[nodiscard]] std::size_t size() const { return programs_.size(); }
  [[nodiscard]] std::size_t bytesHeld() const;

 private:
  /// What makes two calls of one kind: everything that lowering looks at.
  struct Key {
    std::uint64_t count = 0;
    std::uint64_t counts = 0;  ///< hash of the v-forms' arrays
    std::int32_t root = kNoRank;
    Collective collective = Collective::barrier;
    DataType type = DataType::uint8;
    std::uint8_t op = 0;
    std::uint8_t flags = 0;  ///< v-form, in place, ordered, heads
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };

  /// Sends and receives as they last were, and their program.
  struct Fused {
    std::unique_ptr<exec::Program> program;
    std::vector<PointToPoint> shape;
  };
  /// Above the lanes that any plan has.
  static constexpr std::int32_t kLaneOfTails = 1 << 15;

  [[nodiscard]] std::uint8_t flagsOf(const Call& call) const;
  [[nodiscard]] bool isLike(const Call& call, const Key& key) const;
  [[nodiscard]] Key keyOf(const Call& call) const;
  Result<std::unique_ptr<exec::Program>> make(const Call& call, const Key& key);
  Result<std::shared_ptr<const Plan>> planFor(const Call& call, std::uint64_t payloadBytes);
  [[nodiscard]] std::uint64_t payloadBytes(const Call& call) const;
  [[nodiscard]] exec::LinkSource linkSource(std::int32_t firstLane);

  Rank rank_;
  Rank ranks_;
  const plan::Hierarchy* hierarchy_;
  const Settings& settings_;
  LinkTable& links_;
  Choosing choosing_;
  std::unordered_map<Key, std::unique_ptr<exec::Program>, KeyHash> programs_;
  Key lastKey_;
  exec::Program* last_ = nullptr;
  std::unordered_map<std::uint64_t, std::shared_ptr<const Plan>> plans_;  ///< by collective, algorithm and root
  std::array<std::vector<std::shared_ptr<const Plan>>, kCollectives> userPlans_;
  std::array<Fused, 2> fused_;  ///< by Exchange
  std::optional<std::size_t> headBytes_;
};

/// Whether a call is the in-place form of its collective, for this rank.
bool isInPlace(const Call& call, Rank rank);

}  // namespace atl

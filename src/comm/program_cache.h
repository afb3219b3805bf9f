// SPDX-License-Identifier: Apache-2.0
// From a call to the program that runs it in host memory: looked up if the kind of call was seen before, else planned
// and lowered.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "src/comm/link_table.h"
#include "src/comm/planner.h"
#include "src/exec/call.h"
#include "src/exec/host/program.h"

namespace atl {

class ProgramCache {
 public:
  /// Both outlive this.
  ProgramCache(Planner& planner, LinkTable& links);

  /// Forgets every program: plans are others from now on.
  void forget();

  /// The program of a collective. Valid until the next call of a get.
  Result<exec::Program*> get(const Call& call);

  /// What sends and receives are for. Each has links of its own, so that a program of the one may run beside any of the
  /// other.
  enum class Exchange : std::uint8_t { group, tails };

  /// The program of fused sends and receives, bound to their buffers and numbered for their pairs.
  Result<exec::Program*> get(std::span<const PointToPoint> operations, Exchange exchange = Exchange::group);

  [[nodiscard]] std::size_t size() const { return programs_.size(); }
  [[nodiscard]] std::size_t bytesHeld() const;

 private:
  /// Sends and receives as they last were, and their program.
  struct Fused {
    std::unique_ptr<exec::Program> program;
    std::vector<PointToPoint> shape;
  };
  /// Above the lanes that any plan has.
  static constexpr std::int32_t kLaneOfTails = 1 << 15;

  Result<std::unique_ptr<exec::Program>> make(const Call& call, const CallKind& kind);
  [[nodiscard]] exec::LinkSource linkSource(std::int32_t firstLane);

  Planner& planner_;
  LinkTable& links_;
  std::unordered_map<CallKind, std::unique_ptr<exec::Program>, CallKindHash> programs_;
  CallKind lastKind_;
  exec::Program* last_ = nullptr;
  std::array<Fused, 2> fused_;  ///< by Exchange
};

}  // namespace atl

// SPDX-License-Identifier: Apache-2.0
// The host executor: runs a lowered program in whatever thread drives it. One a communicator, reused by every call.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/base/clock.h"
#include "src/base/settings.h"
#include "src/bootstrap/directory.h"
#include "src/exec/execution.h"
#include "src/exec/host/lane_runner.h"
#include "src/exec/peer_watch.h"
#include "transports/declared_memory.h"

namespace atl::exec {

/// Memory that a call needs besides the user's: grows to the largest call and stays.
class Workspace {
 public:
  std::byte* scratch(std::size_t bytes) { return scratch_.atLeast(bytes); }
  std::byte* input(std::size_t bytes) { return input_.atLeast(bytes); }
  [[nodiscard]] std::size_t bytesHeld() const { return scratch_.bytes + input_.bytes; }

 private:
  struct Area {
    std::unique_ptr<std::byte[], void (*)(std::byte*)> data{nullptr, nullptr};
    std::size_t bytes = 0;
    Declaration declaration;  ///< ends before the memory
    std::byte* atLeast(std::size_t wanted);
  };
  Area scratch_;
  Area input_;
};

class HostExecution final : public Execution {
 public:
  struct Environment {
    Rank rank = 0;
    const Directory* directory = nullptr;
    const Settings* settings = nullptr;
    Outbox* outbox = nullptr;
    PeerWatch* watch = nullptr;
    Patience patience;
  };
  explicit HostExecution(const Environment& environment);

  /// Takes up a call. `program` and the buffers outlive it.
  void begin(Program& program, const void* send, void* recv, const Operator& op, std::uint64_t sequence);

  /// The number of the call that was taken up last, if beginAgain() can take it up once more; else 0.
  [[nodiscard]] std::uint64_t repeatable() const { return last_ == nullptr ? 0 : last_->call.sequence; }
  /// Takes up that call again, under this number. Program and buffers are still there.
  void beginAgain(std::uint64_t sequence);
  /// Programs are going.
  void forget() { last_ = nullptr; }

  /// Polls a call of short messages for as long as one keeps one's core in a wait. True: the call is complete. False:
  /// it goes on by progress(), which also finds again whatever failed here.
  bool finishAtOnce();

  Result<bool> progress() override;
  [[nodiscard]] bool moved() const override { return moved_; }
  [[nodiscard]] Patience patience() const override { return environment_.patience; }
  CoreUse coreUse() override;
  void wanted(WakeSources& sources) const override;
  void cancel(const Error& reason) override;

  [[nodiscard]] bool active() const { return program_ != nullptr; }
  [[nodiscard]] std::size_t bytesHeld() const { return workspace_.bytesHeld(); }

 private:
  void number(std::uint64_t sequence);
  void beginSteps();
  Result<bool> connect();
  Result<bool> run();
  [[nodiscard]] Error firstCause(Error error) const;
  Error ended(Error error);
  void bindMemory(const void* send, void* recv, const Operator& op);
  Status whileIdle();
  [[nodiscard]] std::vector<const LinkEnd*> waitedFor() const;
  void waitingFor(const LinkVisitor& visit) const;
  [[nodiscard]] std::string whereItStands() const;

  Environment environment_;
  Workspace workspace_;
  Program* program_ = nullptr;
  Program* last_ = nullptr;      ///< of the last call, if that can be taken up again
  FlatProgram* flat_ = nullptr;  ///< the program's, where the call goes by it; else null, and it goes by lanes_
  StepContext context_;
  std::vector<LaneRunner> lanes_;
  std::size_t laneCount_ = 0;  ///< in use: none before the links are there, nor where the call goes by flat_
  bool moved_ = false;
  bool done_ = false;
  std::uint32_t idlePolls_ = 0;
  Clock::time_point idleSince_;
  std::optional<Clock::time_point> leftSince_;  ///< when a peer that is waited for was first seen to have left
};

}  // namespace atl::exec

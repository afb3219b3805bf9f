// SPDX-License-Identifier: Apache-2.0
#include "src/comm/communicator.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "src/base/hash.h"
#include "src/comm/device_calls.h"
#include "src/comm/device_prices.h"
#include "src/comm/heads_and_tails.h"
#include "src/comm/islands.h"
#include "src/comm/link_table.h"
#include "src/comm/lookout.h"
#include "src/comm/planner.h"
#include "src/comm/program_cache.h"
#include "src/comm/site.h"
#include "src/comm/waiting.h"
#include "src/exec/host/host_execution.h"
#include "src/plan/verify.h"

namespace atl {
namespace {

ErrorCode codeOf(const Notice& notice) {
  switch (notice.kind) {
    case Notice::Kind::aborted: return ErrorCode::aborted;
    case Notice::Kind::failed: return static_cast<ErrorCode>(notice.code);
    default: return ErrorCode::remoteError;
  }
}

/// Null: those of the transports.
LinkTable::Prices pricesOf(const Settings& settings) {
  if (settings.device < 0) return nullptr;
  return
      [peerAccess = settings.peerAccess](const ProcessInfo& a, const ProcessInfo& b, const plan::LinkModel& transport) {
        return deviceLinkModel(a, b, transport, peerAccess);
      };
}

class CommunicatorOfRank final : public Communicator, private Launches {
 public:
  CommunicatorOfRank(std::shared_ptr<Session> session, Rank me, const Settings& settings)
      : session_(std::move(session)),
        rank_(me),
        settings_(settings),
        outbox_(settings.slotBytes, settings.slots),
        links_(TransportContext{session_->communicator(), me, &session_->directory(), &settings_, nullptr, nullptr},
               outbox_, pricesOf(settings)),
        execution_(environment()) {}

  /// `topology` is null where the ranks themselves are to say where they are.
  Status prepare(std::shared_ptr<const Topology> topology) {
    if (topology == nullptr) {
      ATOLL_ASSIGN(topology, topologyOf(directory(), settings_, session_->communicator()));
    }
    ATOLL_TRY(goBy(std::move(topology), session_->communicator()));
    if (settings_.device >= 0) {
      const auto exchange = [this](std::span<const PointToPoint> operations) { return startExchange(operations); };
      const auto fail = [this](const Error& error) { tell(error); };
      ATOLL_ASSIGN(device_, DeviceCalls::create({rank_, session_->communicator(), &session_->directory(), &settings_,
                                                 &*planner_, exchange, fail}));
      ATOLL_ASSIGN(post_, Lookout::post([this] { return lookAtDevice(); }));
    }
    session_->onNotice(rank_, [this](const Notice& notice) { take(notice); });
    return success();
  }

  ~CommunicatorOfRank() override {
    post_.reset();
    // Notices still come while a device finishes: a failure elsewhere ends its wait.
    auto kept = device_ == nullptr ? nullptr : device_->finish();
    session_->onNotice(rank_, {});
    session_->leave(rank_, std::move(kept));
  }
  CommunicatorOfRank(const CommunicatorOfRank&) = delete;
  CommunicatorOfRank& operator=(const CommunicatorOfRank&) = delete;

  [[nodiscard]] Rank rank() const override { return rank_; }
  [[nodiscard]] Rank ranks() const override { return directory().ranks(); }
  [[nodiscard]] const Directory& directory() const override { return session_->directory(); }
  [[nodiscard]] const Settings& settings() const override { return settings_; }
  [[nodiscard]] const Topology& topology() const override { return *topology_; }

  Status run(const Call& call) override {
    ATOLL_TRY(begin(call));
    return finish();
  }
  Status run(std::span<const PointToPoint> operations) override {
    ATOLL_TRY(begin(operations));
    return finish();
  }

  [[nodiscard]] std::uint64_t repeatable() const override {
    return under_ == &execution_ && execution_.repeatable() == sequence_ ? sequence_ : 0;
  }
  Result<std::uint64_t> runAgain(std::uint64_t number) override {
    if (number == 0 || number != repeatable()) return 0;
    ATOLL_TRY(usable());
    execution_.beginAgain(++sequence_);
    ATOLL_TRY(finish());
    return sequence_;
  }

  Result<Execution*> start(const Call& call) override {
    ATOLL_TRY(begin(call));
    return static_cast<Execution*>(&told_);
  }
  Result<Execution*> start(std::span<const PointToPoint> operations) override {
    ATOLL_TRY(begin(operations));
    return static_cast<Execution*>(&told_);
  }

  Launches* launches() override { return device_ == nullptr ? nullptr : this; }

  Result<std::unique_ptr<Communicator>> split(int color, int key, const Settings& settings) override;
  Result<std::unique_ptr<Communicator>> shrink(std::span<const Rank> excluded, const Settings& settings) override;

  void abort() override {
    const auto text = fmt::format("{} aborted the communicator", directory().name(rank_));
    if (watch_.fail(Error{ErrorCode::aborted, text})) session_->spread({Notice::Kind::aborted, rank_, 0, text});
    if (device_ != nullptr) device_->abort();
  }

  // What is queued on a device may have failed since the lookout's last look.
  [[nodiscard]] Status failure() const override {
    if (device_ != nullptr && !watch_.failed()) {
      if (const auto error = device_->failure()) tell(*error);
    }
    return watch_.status();
  }

  Status usePlan(std::span<const Plan> family) override {
    ATOLL_TRY(plan::verify(family));
    if (family.front().ranks != ranks()) {
      return makeError(ErrorCode::invalidArgument, "the plan is for {} ranks, the communicator has {}",
                       family.front().ranks, ranks());
    }
    planner_->use(std::make_shared<const Plan>(family[static_cast<std::size_t>(rank_)]));
    forgetPrograms();
    return success();
  }

  Status useTopology(const std::string& path) override {
    if (watch_.failed()) return watch_.status();
    const std::uint64_t number = hashCombine(session_->communicator(), ++topologies_);
    auto told = topologyAt(path, directory(), number);
    const std::uint64_t mine = told.ok() ? (*told)->hash : 0;
    ATOLL_ASSIGN(const bool alike, isEverywhere(mine));
    if (!alike || !told.ok()) {
      ATOLL_ASSIGN(const auto hashes, fromEveryone(mine));
      if (!told.ok()) return std::move(told).error();
      return checkTold(hashes, directory());
    }
    return goBy({*told, &(*told)->topology}, number);
  }

  [[nodiscard]] Result<AlgorithmChoice> choiceFor(Collective collective, std::uint64_t bytes) const override {
    return planner_->choiceFor(collective, bytes);
  }

  [[nodiscard]] Result<double> predict(const Call& call) const override { return planner_->predict(call); }
  [[nodiscard]] double predict(std::span<const PointToPoint> operations) const override {
    return planner_->predict(operations);
  }

  [[nodiscard]] CommunicatorStats stats() const override {
    CommunicatorStats stats;
    // The directory and the topology are one a process; a share of them is what a rank costs.
    const auto& where = directory();
    const std::size_t shared = where.processOf.size() * sizeof(std::uint32_t) +
                               where.processes.size() * sizeof(ProcessInfo) + topology_->bytesHeld();
    const auto inProcess =
        static_cast<std::size_t>(std::ranges::count(where.processOf, where.processOf[static_cast<std::size_t>(rank_)]));
    stats.bytesHeld = sizeof *this + shared / std::max<std::size_t>(1, inProcess) + links_.bytesHeld() +
                      programs_->bytesHeld() + outbox_.bytesHeld() + execution_.bytesHeld() +
                      (headsAndTails_ ? headsAndTails_->bytesHeld() : 0) + (device_ ? device_->bytesHeld() : 0);
    stats.links = links_.size();
    stats.programs = programs_->size() + (device_ != nullptr ? device_->programs() : 0);
    stats.calls = sequence_;
    return stats;
  }

 private:
  /// Takes a topology, for the communicator that is known in this process by `number`. After an error all is as it was.
  Status goBy(std::shared_ptr<const Topology> topology, std::uint64_t number) {
    ATOLL_ASSIGN(LinkSurvey survey, links_.survey());
    const bool onDevices = settings_.device >= 0;
    if (onDevices) survey.site.links = survey.site.hosts == 1 ? "cuda" : "cuda over " + survey.site.links;
    ATOLL_ASSIGN(auto site, siteOf(directory(), *topology, links_, survey.worst, onDevices, number));
    ATOLL_ASSIGN(Choosing choosing, Choosing::create(settings_, survey.site, std::move(site), directory()));
    topology_ = std::move(topology);
    logTopology(*topology_, rank_);
    if (planner_) {
      planner_->goBy(topology_->hierarchy(), std::move(choosing));
      forgetPrograms();
    } else {
      planner_.emplace(rank_, topology_->hierarchy(), settings_, std::move(choosing));
      programs_.emplace(*planner_, links_);
    }
    return success();
  }

  /// Collective: whether all ranks have this number.
  Result<bool> isEverywhere(std::uint64_t number) {
    std::array<std::uint64_t, 2> most{number, ~number};
    Call call;
    call.collective = Collective::allReduce;
    call.send = call.recv = most.data();
    call.count = most.size();
    call.type = DataType::uint64;
    call.op.op = ReduceOp::max;
    ATOLL_TRY(run(call));
    return most[0] == ~most[1];
  }

  /// Collective: every rank's number.
  Result<std::vector<std::uint64_t>> fromEveryone(std::uint64_t number) {
    std::vector<std::uint64_t> all(static_cast<std::size_t>(ranks()));
    Call call;
    call.collective = Collective::allGather;
    call.send = &number;
    call.recv = all.data();
    call.count = 1;
    call.type = DataType::uint64;
    ATOLL_TRY(run(call));
    return all;
  }

  /// failure(), without asking where there is nobody to ask.
  [[nodiscard]] Status usable() const { return device_ == nullptr && !watch_.failed() ? success() : failure(); }

  Status begin(const Call& call) {
    ATOLL_TRY(usable());
    if (device_ != nullptr && call.onDevice) return beginOnDevice(call);
    const bool maySplit = call.vForm && call.collective == Collective::allToAll;
    return maySplit ? beginAllToAllV(call) : beginWhole(call);
  }

  Status begin(std::span<const PointToPoint> operations) {
    ATOLL_TRY(usable());
    if (device_ != nullptr && !operations.empty() && operations.front().onDevice) return beginOnDevice(operations);
    auto program = programs_->get(operations);
    if (!program.ok()) return settle(std::move(program).error());
    execution_.begin(*program.value(), nullptr, nullptr, Operator{}, 0);
    under_ = &execution_;
    return success();
  }

  Status beginWhole(const Call& call) {
    auto program = programs_->get(call);
    if (!program.ok()) return settle(std::move(program).error());
    execution_.begin(*program.value(), call.send, call.recv, call.op, ++sequence_);
    under_ = &execution_;
    return success();
  }

  void forgetPrograms() {
    execution_.forget();
    programs_->forget();
    if (device_ != nullptr) device_->forget();
  }

  [[nodiscard]] std::pair<std::uint64_t, Rank> place() const override { return {session_->communicator(), rank_}; }
  void hold() override { held_ = true; }
  Status launch() override {
    held_ = false;
    Status status = failure();
    if (status.ok()) return settle(launchReady());
    device_->drop();
    return status;
  }
  Status launchReady() {
    ATOLL_TRY(device_->launch());
    post_->begin();
    return success();
  }

  /// `what` is a Call, or the operations of a group.
  template <class What>
  Status beginOnDevice(const What& what) {
    ATOLL_TRY(device_->check(what));
    Status begun = device_->begin(what);
    if (!begun.ok()) return settle(std::move(begun));
    ++sequence_;
    under_ = device_.get();
    return success();
  }

  /// Sends and receives in host memory for a call on the device, which drives them.
  Result<Execution*> startExchange(std::span<const PointToPoint> operations) {
    ATOLL_ASSIGN(exec::Program* const program, programs_->get(operations));
    execution_.begin(*program, nullptr, nullptr, Operator{}, 0);
    return static_cast<Execution*>(&execution_);
  }

  Status beginAllToAllV(const Call& call) {
    auto headBytes = planner_->headBytes();
    if (!headBytes.ok()) return settle(std::move(headBytes).error());
    if (*headBytes == 0) return beginWhole(call);
    if (!headsAndTails_) headsAndTails_ = std::make_unique<HeadsAndTails>(environment(), execution_);
    Status begun = headsAndTails_->begin(call, *headBytes, *programs_, ++sequence_);
    if (!begun.ok()) return settle(std::move(begun));
    under_ = headsAndTails_.get();
    return success();
  }

  [[nodiscard]] exec::HostExecution::Environment environment() {
    return {rank_, &session_->directory(), &settings_, &outbox_, &watch_, patienceFor(directory(), rank_, settings_)};
  }

  /// `serial` tells it from other communicators of the same members.
  Result<std::unique_ptr<Communicator>> ofMembers(std::span<const Rank> members, std::uint64_t serial,
                                                  const Settings& settings, Deadline deadline);

  /// The call that was begun.
  Status finish() {
    if (under_ == &execution_ && execution_.finishAtOnce()) return success();
    Execution* const one[] = {&told_};
    return settle(drive(one));
  }

  // An error of mine ends the communicator for everyone: the others are told at once, and wait for nothing that will
  // not come.
  Status settle(Status status) {
    if (!status.ok()) endWith(status.error());
    return status;
  }
  void endWith(const Error& error) {
    tell(error);
    links_.close();
  }
  /// From any thread.
  void tell(const Error& error) const {
    if (watch_.fail(error)) {
      session_->spread({Notice::Kind::failed, rank_, static_cast<std::uint8_t>(error.code),
                        fmt::format("{} failed: {}", directory().name(rank_), error.text)});
    }
    if (device_ != nullptr) device_->abort();
  }

  /// On the lookout's thread: the others are to hear of a failure on the device although nobody here asks for it.
  /// Whether there is more to see. What is under way is asked first: of a call that is over by then, the failure can be
  /// seen.
  bool lookAtDevice() {
    const auto underWay = device_->underWay();
    if (!failure().ok()) return false;
    if (underWay.ok()) return *underWay;
    tell(underWay.error());
    return false;
  }

  void take(const Notice& notice) {
    if (notice.kind == Notice::Kind::left) {
      watch_.left(notice.rank);
    } else if (notice.rank != rank_) {
      watch_.fail(Error{codeOf(notice), notice.text});
      if (device_ != nullptr) device_->abort();
    }
  }

  /// Passes progress on and sees to it that a failure of a call that someone else drives ends the communicator too.
  class Told final : public Execution {
   public:
    explicit Told(CommunicatorOfRank& owner) : owner_(owner) {}
    Result<bool> progress() override {
      auto result = owner_.under_->progress();
      if (owner_.under_ == owner_.device_.get() && result.ok() && *result && !owner_.held_) {
        if (Status launched = owner_.launchReady(); !launched.ok()) result = std::move(launched).error();
      }
      if (!result.ok()) {
        owner_.endWith(result.error());
        owner_.links_.awaitReaders();
      }
      return result;
    }
    [[nodiscard]] bool moved() const override { return owner_.under_->moved(); }
    [[nodiscard]] Patience patience() const override { return owner_.under_->patience(); }
    CoreUse coreUse() override { return owner_.under_->coreUse(); }
    void wanted(WakeSources& sources) const override { owner_.under_->wanted(sources); }
    void cancel(const Error& reason) override {
      owner_.under_->cancel(reason);
      owner_.endWith(reason);
    }

   private:
    CommunicatorOfRank& owner_;
  };

  std::shared_ptr<Session> session_;
  Rank rank_;
  Settings settings_;
  std::shared_ptr<const Topology> topology_;
  mutable PeerWatch watch_;  ///< mutable: a failure on the device may be found when someone asks
  Outbox outbox_;
  LinkTable links_;
  std::optional<Planner> planner_;
  std::optional<ProgramCache> programs_;
  exec::HostExecution execution_;
  std::unique_ptr<DeviceCalls> device_;           ///< null: a communicator of host memory
  std::unique_ptr<Lookout::Post> post_;           ///< looks after the device; null without one
  std::unique_ptr<HeadsAndTails> headsAndTails_;  ///< from the first call that needs it
  bool held_ = false;                             ///< calls on the device are made ready only
  Execution* under_ = &execution_;                ///< what runs the present call
  Told told_{*this};
  std::uint64_t sequence_ = 0;
  std::uint64_t splits_ = 0;
  std::uint64_t shrinks_ = 0;
  std::uint64_t topologies_ = 0;  ///< that it was told while it ran
};

Result<std::unique_ptr<Communicator>> createWith(std::shared_ptr<const Topology> topology,
                                                 std::shared_ptr<Session> session, Rank me, const Settings& settings) {
  auto communicator = std::make_unique<CommunicatorOfRank>(std::move(session), me, settings);
  ATOLL_TRY(communicator->prepare(std::move(topology)));
  return std::unique_ptr<Communicator>(std::move(communicator));
}

Result<std::unique_ptr<Communicator>> CommunicatorOfRank::split(int color, int key, const Settings& settings) {
  if (watch_.failed()) return watch_.status().error();
  struct Choice {
    std::int32_t color;
    std::int32_t key;
  };
  const Choice mine{color, key};
  const Deadline deadline = Deadline::inSeconds(settings_.bootstrapTimeoutSeconds);
  const std::uint64_t serial = ++splits_;
  ATOLL_ASSIGN(const auto table, session_->allGather(rank_, std::as_bytes(std::span(&mine, 1)), deadline));
  if (color < 0) return std::unique_ptr<Communicator>();

  std::vector<std::pair<std::int32_t, Rank>> chosen;  // (key, old rank)
  for (Rank r = 0; r < ranks(); ++r) {
    Choice choice{};
    std::memcpy(&choice, table.data() + static_cast<std::size_t>(r) * sizeof choice, sizeof choice);
    if (choice.color == color) chosen.emplace_back(choice.key, r);
  }
  std::ranges::sort(chosen);
  std::vector<Rank> members;
  members.reserve(chosen.size());
  for (const auto& [memberKey, member] : chosen) members.push_back(member);
  // Several colors split at once: the number of the split alone would not tell their sessions apart.
  return ofMembers(members, serial << 32 | static_cast<std::uint32_t>(color), settings, deadline);
}

Result<std::unique_ptr<Communicator>> CommunicatorOfRank::ofMembers(std::span<const Rank> members, std::uint64_t serial,
                                                                    const Settings& settings, Deadline deadline) {
  const auto me = static_cast<Rank>(std::ranges::find(members, rank_) - members.begin());
  ATOLL_ASSIGN(auto session, session_->subset(rank_, members, serial, deadline));
  auto topology = topologyOfMembers(*topology_, members, session->communicator());
  return createWith(std::move(topology), std::move(session), me, settings);
}

// Who is left follows from the list, so nobody has to be asked who might be dead.
Result<std::unique_ptr<Communicator>> CommunicatorOfRank::shrink(std::span<const Rank> excluded,
                                                                 const Settings& settings) {
  constexpr std::uint64_t kShrink = std::uint64_t{1} << 63;  // apart from the serials of splits
  std::vector<Rank> members;
  for (Rank rank = 0; rank < ranks(); ++rank) {
    if (std::ranges::find(excluded, rank) == excluded.end()) members.push_back(rank);
  }
  auto made =
      ofMembers(members, kShrink | ++shrinks_, settings, Deadline::inSeconds(settings_.bootstrapTimeoutSeconds));
  if (made.ok()) return made;
  return std::move(made).error().within(
      fmt::format("shrinking to {} of {} ranks, which all have to leave out the same", members.size(), ranks()));
}

}  // namespace

Result<std::unique_ptr<Communicator>> Communicator::create(std::shared_ptr<Session> session, Rank me,
                                                           const Settings& settings) {
  return createWith(nullptr, std::move(session), me, settings);
}

}  // namespace atl

// SPDX-License-Identifier: Apache-2.0
// DeviceCalls of CUDA devices.
#include <algorithm>
#include <array>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kernels/cuda/kernels.h"
#include "src/base/call_record.h"
#include "src/base/log.h"
#include "src/comm/device_calls.h"
#include "src/comm/device_prices.h"
#include "src/comm/layouts.h"
#include "src/exec/cuda/device_rank.h"
#include "src/exec/cuda/proxy.h"
#include "src/plan/verify.h"
#include "transports/names.h"

namespace atl {
namespace {

using cuda::DeviceCall;
using cuda::DeviceProgram;
using cuda::DeviceRank;
using cuda::LinkOffer;
using cuda::nameOf;
using cuda::Way;

/// Lanes of a plan that is free to have any number: a lane for so many bytes, as many as keep the links busy.
constexpr std::uint64_t kBytesPerLane = 64 << 10;
constexpr std::int32_t kMostLanes = 16;
/// Lanes that messages between two ranks are cut over, whatever their size: both ends have to agree.
constexpr std::int32_t kPointToPointLanes = 8;
/// Programs with ever new counts and buffers must not grow without bound.
constexpr std::size_t kMostPrograms = 512;
constexpr std::size_t kMostExchanges = 64;
constexpr std::uint64_t kBytesPerThread = 16;
constexpr std::uint32_t kWarp = 32;

std::int32_t lanesFor(const Call& call, std::uint64_t bytes) {
  // Of blocks that only their ranks know the size of, nothing can be said.
  if (call.vForm && call.collective == Collective::allToAll) return kMostLanes;
  return static_cast<std::int32_t>(std::clamp<std::uint64_t>(bytes / kBytesPerLane, 1, kMostLanes));
}

/// Enough for every thread to have something to do, and a warp at least.
std::uint32_t threadsFor(std::uint64_t bytes, std::int32_t lanes) {
  const std::uint64_t wanted = bytes / static_cast<std::uint64_t>(lanes) / kBytesPerThread;
  return static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>((wanted + kWarp - 1) / kWarp * kWarp, kWarp, kernels::device::kWalkThreads));
}

class CudaCalls final : public DeviceCalls {
 public:
  CudaCalls(Environment environment, std::unique_ptr<DeviceRank> device)
      : environment_(std::move(environment)),
        device_(std::move(device)),
        proxy_(TransportContext{environment_.communicator, environment_.rank, environment_.directory,
                                environment_.settings, nullptr, nullptr},
               environment_.fail) {}

  [[nodiscard]] Status check(const Call& call) const override {
    if (call.op.kind == Operator::Kind::user) {
      return makeError(ErrorCode::unsupported,
                       "operators of the user's own are functions of the host, which device {} cannot run",
                       device_->device());
    }
    if (environment_.settings->checkCalls) {
      ATOLL_TRY(device_->checkBuffer("sendbuff", call.send));
      ATOLL_TRY(device_->checkBuffer("recvbuff", call.recv));
    }
    return success();
  }

  [[nodiscard]] Status check(std::span<const PointToPoint> operations) const override {
    if (!environment_.settings->checkCalls) return success();
    for (const PointToPoint& operation : operations) {
      ATOLL_TRY(device_->checkBuffer(operation.isSend ? "sendbuff" : "recvbuff", operation.buffer));
    }
    return success();
  }

  Status begin(const Call& call) override {
    present_ = {nullptr, call.send, call.recv, call.op, {static_cast<cudaStream_t>(call.stream)}};
    const CallKind kind = CallKind::of(call, environment_.rank, environment_.planner->ranks());
    if (!programs_.contains(kind) && programs_.size() >= kMostPrograms && ready_.empty()) {
      std::erase_if(programs_, [](const auto& entry) { return mayGo(entry.second); });
    }
    auto& program = programs_[kind];
    if (program == nullptr) {
      const std::uint64_t bytes = environment_.planner->payloadBytes(call);
      ATOLL_ASSIGN(Planned planned, environment_.planner->plan(call, lanesFor(call, bytes)));
      Unlowered unlowered{planned.plan, layoutOf(call, *planned.plan, planned.tiles)};
      if (environment_.settings->checkCalls) unlowered.tagBase = tagBaseOf(planned.record);
      unlowered.sendsEmpty = call.collective == Collective::barrier || call.vForm;
      unlowered.payloadBytes = planned.payloadBytes;
      unlowered.program.inputBytes = planned.inputBytes;
      unlowered.program.outputBytes = planned.outputBytes;
      unlowered.program.snapshotInput = kind.inPlace() && !plan::safeInPlace(*planned.plan);
      unlowered.program.type = call.type;
      unlowered.program.reduces = isReducing(call.collective);
      if (call.op.kind == Operator::Kind::builtin) unlowered.program.op = call.op.op;
      ATOLL_TRY(beginExchange(std::move(unlowered)));
    }
    itsProgram_ = &program;
    return success();
  }

  // The buffers are part of the program, so it serves the same sends and receives only.
  Status begin(std::span<const PointToPoint> operations) override {
    present_ = {};
    for (const PointToPoint& operation : operations) {
      auto* const stream = static_cast<cudaStream_t>(operation.stream);
      if (std::ranges::find(present_.streams, stream) == present_.streams.end()) present_.streams.push_back(stream);
    }
    auto found = std::ranges::find_if(
        exchanges_, [&](const auto& exchange) { return std::ranges::equal(exchange.operations, operations, isLike); });
    if (found == exchanges_.end()) {
      ATOLL_ASSIGN(auto fused,
                   fusePointToPoint(operations, environment_.rank, environment_.planner->ranks(), kPointToPointLanes));
      locatePointToPoint(fused.layout, operations);
      Unlowered unlowered{fused.plan, std::move(fused.layout)};
      unlowered.program.placesBlocks = true;
      for (const PointToPoint& operation : operations) {
        unlowered.payloadBytes += operation.count * sizeOf(operation.type);
        if (environment_.settings->checkCalls)
          unlowered.messageTags[operation.isSend ? 0 : 1].push_back(tagOf(operation));
      }
      ATOLL_TRY(beginExchange(std::move(unlowered)));
      if (exchanges_.size() >= kMostExchanges && ready_.empty() && mayGo(exchanges_.front().program)) {
        exchanges_.pop_front();
      }
      found = exchanges_.insert(exchanges_.end(), {{operations.begin(), operations.end()}, nullptr});
    }
    itsProgram_ = &found->program;
    return success();
  }

  Result<bool> progress() override {
    if (exchange_ != nullptr) {
      ATOLL_ASSIGN(const bool done, exchange_->progress());
      if (!done) return false;
      exchange_ = nullptr;
      if (trials_.empty()) {
        ATOLL_TRY(endExchange());
        ATOLL_TRY(beginTrials());
      } else {
        ATOLL_TRY(endTrials());
        ATOLL_TRY(offerWanted());
      }
      if (exchange_ != nullptr) return false;
    }
    if (*itsProgram_ == nullptr) {
      ATOLL_ASSIGN(*itsProgram_, lower());
    }
    present_.program = itsProgram_->get();
    ready_.push_back(std::move(present_));
    return true;
  }

  Status launch() override {
    Status status = device_->launch(ready_);
    ready_.clear();
    proxy_.begin();
    return status;
  }
  void drop() override { ready_.clear(); }

  [[nodiscard]] bool moved() const override { return exchange_ == nullptr || exchange_->moved(); }
  [[nodiscard]] Patience patience() const override { return exchange_ == nullptr ? Patience{} : exchange_->patience(); }
  CoreUse coreUse() override { return exchange_ == nullptr ? CoreUse::own : exchange_->coreUse(); }
  void wanted(WakeSources& sources) const override {
    if (exchange_ != nullptr) exchange_->wanted(sources);
  }
  void cancel(const Error& reason) override {
    if (exchange_ != nullptr) exchange_->cancel(reason);
    exchange_ = nullptr;
    abort();
  }

  void forget() override { programs_.clear(); }
  void abort() override {
    device_->abort();
    proxy_.cancel();
  }

  [[nodiscard]] std::optional<Error> failure() const override {
    const auto failure = device_->failure();
    if (!failure) return std::nullopt;
    const std::string who =
        failure->peer < 0 ? std::string("another lane") : environment_.directory->name(failure->peer);
    const auto where = fmt::format("in lane {}, tile {}, round {}", failure->lane, failure->tile, failure->round);
    if (failure->kind == static_cast<std::uint64_t>(device::Failure::Kind::mismatch)) {
      return makeError(ErrorCode::mismatch,
                       "{} is in another call, or sends more than is wanted, as device {} found {}", who,
                       device_->device(), where);
    }
    return makeError(ErrorCode::timeout,
                     "nothing moved for {} s (the limit, ATOLL_TIMEOUT) while device {} waited for {} {}",
                     environment_.settings->timeoutSeconds, device_->device(), who, where);
  }

  [[nodiscard]] Result<bool> underWay() override {
    const std::uint64_t begun = proxy_.begun();
    auto underWay = device_->underWay();
    if (!underWay.ok()) return std::move(underWay).error().within(fmt::format("device {}", device_->device()));
    if (!*underWay) proxy_.ended(begun);
    return underWay;
  }

  // Calls that are under way may need what the proxy moves.
  [[nodiscard]] std::shared_ptr<void> finish() override {
    auto kept = device_->finish();
    proxy_.finish();
    return kept;
  }

  [[nodiscard]] std::size_t bytesHeld() const override {
    std::size_t bytes = device_->bytesHeld() + proxy_.bytesHeld();
    for (const auto& [kind, program] : programs_) bytes += program == nullptr ? 0 : program->memory.bytes();
    for (const auto& exchange : exchanges_) bytes += exchange.program == nullptr ? 0 : exchange.program->memory.bytes();
    return bytes;
  }
  [[nodiscard]] std::size_t programs() const override { return programs_.size() + exchanges_.size(); }

 private:
  using ProgramPointer = std::unique_ptr<DeviceProgram>;

  /// A program on its way.
  struct Unlowered {
    std::shared_ptr<const Plan> plan;
    exec::Layout layout;
    std::uint64_t tagBase = 0;
    bool sendsEmpty = false;
    std::uint64_t payloadBytes = 0;
    std::array<std::vector<std::uint64_t>, 2> messageTags = {};  ///< of sends [0] and receives [1]: each has its own
    DeviceProgram program = {};                                  ///< what of it does not depend on the device
  };
  /// Of a peer's access, by its first link.
  struct Trial {
    Rank peer = 0;
    std::int32_t lane = 0;
    bool crosses = false;      ///< to another device, so that it is to be proved
    std::string whyNot;        ///< why this rank cannot reach the peer's memory; empty: it can …
    std::uint8_t reached = 0;  ///< … which the peer is told
    std::uint8_t there = 0;    ///< and this rank
  };
  struct PointToPointProgram {
    std::vector<PointToPoint> operations;
    ProgramPointer program;
  };
  /// A graph may run it at any time.
  static bool mayGo(const ProgramPointer& program) { return program == nullptr || !program->captured; }

  /// What both ends of a message must agree on.
  static std::uint64_t tagOf(const PointToPoint& operation) {
    CallRecord record;
    record.collective = Collective::pointToPoint;
    record.count = operation.count;
    record.type = operation.type;
    return tagBaseOf(record) | 1;
  }

  static bool isLike(const PointToPoint& a, const PointToPoint& b) {
    return a.isSend == b.isSend && a.buffer == b.buffer && a.count == b.count && a.type == b.type && a.peer == b.peer;
  }

  /// Every link of the plan that there is not yet is offered to its peer, whose own offer comes in exchange: the peer's
  /// plan needs the link too, and has it no sooner than this rank.
  Status beginExchange(Unlowered unlowered) {
    unlowered_.emplace(std::move(unlowered));
    wanted_.clear();
    for (const auto& [peer, lane] : device::linksOf(*unlowered_->plan)) {
      if (!device_->links().has(peer, lane)) wanted_.emplace_back(peer, lane);
    }
    return offerWanted();
  }

  Status offerWanted() {
    if (wanted_.empty()) return success();
    ATOLL_ASSIGN(const auto onDevice, cuda::OnDevice::of(device_->device()));
    leaving_.resize(wanted_.size());
    arriving_.resize(wanted_.size());
    std::vector<PointToPoint> operations;
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      const auto [peer, lane] = wanted_[i];
      ATOLL_ASSIGN(leaving_[i], device_->links().offer(peer, lane, wayTo(peer)));
      operations.push_back({true, &leaving_[i], sizeof(LinkOffer), DataType::uint8, peer});
      operations.push_back({false, &arriving_[i], sizeof(LinkOffer), DataType::uint8, peer});
    }
    ATOLL_ASSIGN(exchange_, environment_.exchange(operations));
    return success();
  }

  /// How links to a peer are offered to it.
  [[nodiscard]] Way wayTo(Rank peer) const {
    if (const auto known = ways_.find(peer); known != ways_.end()) return known->second;
    const bool near = environment_.directory->sameHost(environment_.rank, peer);
    return near && environment_.settings->peerAccess ? Way::device : wayByHost(peer);
  }
  /// Where devices do not reach each other's memory.
  [[nodiscard]] Way wayByHost(Rank peer) const {
    const Directory& directory = *environment_.directory;
    const bool together = directory.sameProcess(environment_.rank, peer) &&
                          (directory.process(peer).transports & transportBit("inproc")) != 0;
    return together ? Way::pinned : Way::staged;
  }
  void goBy(Rank peer, Way way, std::string_view reason) {
    ways_[peer] = way;
    log::line(log::Subject::link, environment_.rank, "device {} to that of {} by {}: {}", device_->device(),
              environment_.directory->name(peer), nameOf(way), reason);
  }

  /// The links are there after that, or have to be tried.
  Status endExchange() {
    ATOLL_ASSIGN(const auto onDevice, cuda::OnDevice::of(device_->device()));
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      const auto [peer, lane] = wanted_[i];
      const Way mine = leaving_[i].way;
      if (const Way theirs = arriving_[i].way; theirs != mine) {
        return makeError(ErrorCode::mismatch,
                         "{} wants to link devices by {}, this rank by {}; ATOLL_CUDA_P2P has to be the same on every "
                         "rank",
                         environment_.directory->name(peer), nameOf(theirs), nameOf(mine));
      }
      const auto trial = std::ranges::find(trials_, peer, &Trial::peer);
      if (trial != trials_.end() && trial->reached == 0) continue;
      Status accepted = device_->links().accept(peer, lane, arriving_[i]);
      const bool tries = mine == Way::device && !device_->links().isOurs(arriving_[i]) && tried_.insert(peer).second;
      if (tries) {
        trials_.push_back({peer, lane, device_->links().crossesDevices(arriving_[i]),
                           accepted.ok() ? "" : accepted.error().text, accepted.ok()});
        continue;
      }
      if (accepted.ok() && mine == Way::staged) {
        accepted = proxy_.join(peer, lane, device_->links().staging(peer, lane));
      }
      if (!accepted.ok()) {
        return std::move(accepted).error().within(fmt::format("linking device {} to {} by {}", device_->device(),
                                                              environment_.directory->name(peer), nameOf(mine)));
      }
    }
    return success();
  }

  /// With the first links to a peer whose memory may be out of reach: each end tells whether it reaches the other's,
  /// and where that is another device's it has written a pattern there. Who is tried is the same at both ends, for
  /// links are made at both in the same calls.
  Status beginTrials() {
    if (trials_.empty()) return success();
    ATOLL_ASSIGN(const auto onDevice, cuda::OnDevice::of(device_->device()));
    std::vector<PointToPoint> operations;
    for (Trial& trial : trials_) {
      if (trial.reached != 0 && trial.crosses) {
        const std::uint64_t number = proofNumber(environment_.rank, trial.peer);
        if (Status status = device_->links().writeProof(trial.peer, trial.lane, number); !status.ok()) {
          return provingWith(std::move(status).error(), trial.peer);
        }
      }
      operations.push_back({true, &trial.reached, sizeof trial.reached, DataType::uint8, trial.peer});
      operations.push_back({false, &trial.there, sizeof trial.there, DataType::uint8, trial.peer});
    }
    ATOLL_ASSIGN(exchange_, environment_.exchange(operations));
    return success();
  }

  /// Links to peers that are out of reach are wanted still, on another way.
  Status endTrials() {
    ATOLL_ASSIGN(const auto onDevice, cuda::OnDevice::of(device_->device()));
    std::vector<std::pair<Rank, std::int32_t>> still;
    for (const Trial& trial : std::exchange(trials_, {})) {
      if (trial.reached == 0 || trial.there == 0) {
        goBy(trial.peer, wayByHost(trial.peer),
             trial.reached == 0 ? trial.whyNot : "its device does not reach this one's memory");
        std::ranges::copy_if(wanted_, std::back_inserter(still),
                             [&](const auto& link) { return link.first == trial.peer; });
        continue;
      }
      if (!trial.crosses) continue;
      const std::uint64_t number = proofNumber(trial.peer, environment_.rank);
      if (Status status = device_->links().checkProof(trial.peer, trial.lane, number); !status.ok()) {
        return provingWith(std::move(status).error(), trial.peer);
      }
    }
    wanted_ = std::move(still);
    return success();
  }

  [[nodiscard]] Error provingWith(Error error, Rank peer) const {
    return std::move(error).within(fmt::format("trying peer access between device {} and that of {}", device_->device(),
                                               environment_.directory->name(peer)));
  }
  /// Each direction of each pair has a pattern of its own.
  static std::uint64_t proofNumber(Rank from, Rank to) {
    return static_cast<std::uint64_t>(from) << 32 | static_cast<std::uint32_t>(to);
  }

  Result<ProgramPointer> lower() {
    ATOLL_ASSIGN(const auto onDevice, cuda::OnDevice::of(device_->device()));
    const cuda::LinkShape& shape = device_->links().shape();
    device::LoweringOptions options{shape.slotBytes, shape.packetBytes, kDevicePacketsUpTo, unlowered_->tagBase,
                                    unlowered_->sendsEmpty};
    if (const auto& tags = unlowered_->messageTags; !tags[0].empty() || !tags[1].empty()) {
      options.tagOf = [&tags](const Chunk& chunk) {
        return tags[chunk.buffer == Buffer::input ? 0 : 1][static_cast<std::size_t>(chunk.index)];
      };
    }
    const auto link = [&](Rank peer, std::int32_t lane) -> Result<device::Link> {
      return device_->links().link(peer, lane);
    };
    ATOLL_ASSIGN(const auto image, device::ProgramImage::of(*unlowered_->plan, unlowered_->layout, link, options));
    auto program = std::make_unique<DeviceProgram>(std::move(unlowered_->program));
    ATOLL_TRY(device_->load(image, *program));
    program->threads = threadsFor(unlowered_->payloadBytes, program->lanes);
    program->scratchBytes = unlowered_->layout.scratchBytes();
    unlowered_.reset();
    return program;
  }

  Environment environment_;
  std::unique_ptr<DeviceRank> device_;
  device::Proxy proxy_;  ///< of the staged links
  std::unordered_map<CallKind, ProgramPointer, CallKindHash> programs_;
  std::deque<PointToPointProgram> exchanges_;
  DeviceCall present_;
  ProgramPointer* itsProgram_ = nullptr;  ///< null there: yet to be lowered
  std::vector<DeviceCall> ready_;         ///< their programs stay
  // Of a call that is the first of its kind:
  std::optional<Unlowered> unlowered_;
  std::vector<std::pair<Rank, std::int32_t>> wanted_;
  std::vector<LinkOffer> leaving_;
  std::vector<LinkOffer> arriving_;
  std::map<Rank, Way> ways_;       ///< where it is not what wayTo() takes at first
  std::set<Rank> tried_;           ///< peers whose memory was tried, or is being
  std::vector<Trial> trials_;      ///< while it is
  Execution* exchange_ = nullptr;  ///< of offers, or of trials, while it is under way
};

}  // namespace

Result<std::unique_ptr<DeviceCalls>> DeviceCalls::create(Environment environment) {
  const ProcessInfo& process = environment.directory->process(environment.rank);
  DeviceRank::Settings settings;
  settings.device = environment.settings->device;
  settings.process = process.id;
  settings.host = process.host;
  settings.timeoutSeconds = environment.settings->timeoutSeconds;
  ATOLL_ASSIGN(auto device, DeviceRank::create(settings));
  return std::unique_ptr<DeviceCalls>(std::make_unique<CudaCalls>(std::move(environment), std::move(device)));
}

}  // namespace atl

// SPDX-License-Identifier: Apache-2.0
// DeviceCalls of CUDA devices.
#include <algorithm>
#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kernels/cuda/kernels.h"
#include "src/base/call_record.h"
#include "src/comm/device_calls.h"
#include "src/comm/layouts.h"
#include "src/exec/cuda/device_rank.h"
#include "src/plan/verify.h"

namespace atl {
namespace {

using cuda::DeviceCall;
using cuda::DeviceProgram;
using cuda::DeviceRank;
using cuda::LinkOffer;

/// Lanes of a plan that is free to have any number: a lane for so many bytes, as many as keep the links busy.
constexpr std::uint64_t kBytesPerLane = 64 << 10;
constexpr std::int32_t kMostLanes = 16;
/// Messages up to this size go with their flags in them, and wait for no other store.
constexpr std::uint64_t kPacketsUpTo = 16 << 10;
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
      : environment_(std::move(environment)), device_(std::move(device)) {}

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
      if (proving_.empty()) {
        ATOLL_TRY(endExchange());
        ATOLL_TRY(beginProofs());
      } else {
        ATOLL_TRY(endProofs());
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
    device_->abort();
  }

  void forget() override { programs_.clear(); }
  void abort() override { device_->abort(); }

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

  [[nodiscard]] Result<bool> underWay() const override {
    auto underWay = device_->underWay();
    if (!underWay.ok()) return std::move(underWay).error().within(fmt::format("device {}", device_->device()));
    return underWay;
  }

  [[nodiscard]] std::shared_ptr<void> finish() override { return device_->finish(); }

  [[nodiscard]] std::size_t bytesHeld() const override {
    std::size_t bytes = device_->bytesHeld();
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
  /// The trial of a peer's access, by its first link.
  struct Proof {
    Rank peer = 0;
    std::int32_t lane = 0;
    std::uint8_t written = 1;  ///< what the peer is told
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
    ATOLL_ASSIGN(const auto onDevice, cuda::OnDevice::of(device_->device()));
    unlowered_.emplace(std::move(unlowered));
    wanted_.clear();
    for (const auto& [peer, lane] : device::linksOf(*unlowered_->plan)) {
      if (!device_->links().has(peer, lane)) wanted_.emplace_back(peer, lane);
    }
    if (wanted_.empty()) return success();
    leaving_.resize(wanted_.size());
    arriving_.resize(wanted_.size());
    std::vector<PointToPoint> operations;
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      const auto [peer, lane] = wanted_[i];
      ATOLL_ASSIGN(leaving_[i], device_->links().offer(peer, lane));
      operations.push_back({true, &leaving_[i], sizeof(LinkOffer), DataType::uint8, peer});
      operations.push_back({false, &arriving_[i], sizeof(LinkOffer), DataType::uint8, peer});
    }
    ATOLL_ASSIGN(exchange_, environment_.exchange(operations));
    return success();
  }

  Status endExchange() {
    ATOLL_ASSIGN(const auto onDevice, cuda::OnDevice::of(device_->device()));
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      const auto [peer, lane] = wanted_[i];
      if (Status status = device_->links().accept(peer, lane, arriving_[i]); !status.ok()) {
        return std::move(status).error().within(
            fmt::format("linking device {} to {}", device_->device(), environment_.directory->name(peer)));
      }
    }
    return success();
  }

  /// With the first links to a peer on another device: each end writes a pattern into the other's memory, and tells
  /// when it has. Who is proved is the same at both ends, for links are made at both in the same calls.
  Status beginProofs() {
    ATOLL_ASSIGN(const auto onDevice, cuda::OnDevice::of(device_->device()));
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      const auto [peer, lane] = wanted_[i];
      if (!device_->links().crossesDevices(arriving_[i]) || !proved_.insert(peer).second) continue;
      proving_.push_back({peer, lane});
      if (Status status = device_->links().writeProof(peer, lane, proofNumber(environment_.rank, peer)); !status.ok()) {
        return provingWith(std::move(status).error(), peer);
      }
    }
    if (proving_.empty()) return success();
    std::vector<PointToPoint> operations;
    for (Proof& proof : proving_) {
      operations.push_back({true, &proof.written, sizeof proof.written, DataType::uint8, proof.peer});
      operations.push_back({false, &proof.there, sizeof proof.there, DataType::uint8, proof.peer});
    }
    ATOLL_ASSIGN(exchange_, environment_.exchange(operations));
    return success();
  }

  Status endProofs() {
    ATOLL_ASSIGN(const auto onDevice, cuda::OnDevice::of(device_->device()));
    for (const Proof& proof : std::exchange(proving_, {})) {
      const std::uint64_t number = proofNumber(proof.peer, environment_.rank);
      if (Status status = device_->links().checkProof(proof.peer, proof.lane, number); !status.ok()) {
        return provingWith(std::move(status).error(), proof.peer);
      }
    }
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
    device::LoweringOptions options{shape.slotBytes, shape.packetBytes, kPacketsUpTo, unlowered_->tagBase,
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
  std::set<Rank> proved_;          ///< peers on other devices whose peer access was tried, or is being
  std::vector<Proof> proving_;     ///< while it is
  Execution* exchange_ = nullptr;  ///< of offers, or of the news that patterns are written, while it is under way
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

// Of an NVLink of 450 GB/s and packets that take 1.5 us to arrive, as published for H100s; not measured yet.
plan::LinkModel DeviceCalls::linkModel() {
  plan::LinkModel model;
  model.memory = true;
  model.latency = 1.5e-6;
  model.perMessage = 0.2e-6;
  model.perByte = 1 / 450e9;
  model.perPostedByte = 1 / 450e9;
  model.perReducedByte = 1 / 2000e9;
  model.inlined = kPacketsUpTo;
  model.bulkLatency = 1.5e-6;
  return model;
}

}  // namespace atl

// SPDX-License-Identifier: Apache-2.0
#include "src/exec/host/host_execution.h"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>

#include "src/base/pause.h"
#include "src/exec/host/flat_program.h"
#include "src/exec/spinning.h"

namespace atl::exec {
namespace {

constexpr std::align_val_t kAlign{64};

/// Polls without movement before the clock is looked at: a short wait should cost no clock reads.
constexpr std::uint32_t kPollsBeforeClock = 32;
/// A sender that waited this long for a bounce slot may trickle inline; see send_action.h.
constexpr auto kStarvingAfter = std::chrono::milliseconds(20);
/// A peer that a rank waits for in vain for so long may have left: and if it is seen to have, what it had sent is here
/// after as long again. Both are needed, since a rank that did not run for a while has seen nothing in between.
constexpr auto kGraceAfterLeaving = std::chrono::milliseconds(250);

/// Bounce slots that one link may hold. Without a bound, the first peers of a step would take all the slots, and a peer
/// whose fold needs a slice from everyone would wait for slots that only its own progress can free.
std::uint64_t fairSlots(const Program& program, int slots) {
  const std::size_t bouncing = program.bouncingLinks();
  return bouncing == 0 ? kMailSlots
                       : std::clamp<std::uint64_t>(static_cast<std::uint64_t>(slots) / bouncing, 1, kMailSlots);
}

}  // namespace

std::byte* Workspace::Area::atLeast(std::size_t wanted) {
  if (wanted > bytes) {
    declaration = {};
    data.reset();
    bytes = 0;
    data = {static_cast<std::byte*>(::operator new(wanted, kAlign)),
            [](std::byte* p) { ::operator delete(p, kAlign); }};
    bytes = wanted;
    declaration = Declaration(data.get(), bytes);
  }
  return data.get();
}

HostExecution::HostExecution(const Environment& environment) : environment_(environment) {
  context_.rank = environment.rank;
  context_.check = environment.settings->checkCalls;
  context_.outbox = environment.outbox;
  context_.direct = environment.settings->direct;
  context_.stream = environment.settings->paths.stream;
  context_.forward = environment.settings->paths.forward;
  context_.deliver = environment.settings->paths.deliver;
}

void HostExecution::begin(Program& program, const void* send, void* recv, const Operator& op, std::uint64_t sequence) {
  program_ = &program;
  context_.call = &program.call;
  context_.layout = &program.layout;
  // One program serves every operator that a user made.
  if (op.kind != Operator::Kind::builtin) program.reducer = Reducer(program.call.type, op, program.plan->ranks);
  context_.reducer = &program.reducer;
  bindMemory(send, recv, op);
  // An input that had to be copied has to be copied again.
  const bool asItIs = op.kind == Operator::Kind::builtin && !program.snapshotInput;
  last_ = asItIs && sequence != 0 ? &program : nullptr;
  number(sequence);
  laneCount_ = 0;
  flat_ = nullptr;
  if (program.linked()) beginSteps();
}

void HostExecution::beginAgain(std::uint64_t sequence) {
  program_ = last_;
  number(sequence);
  if (flat_ != nullptr && !flat_->copiesShareable()) {
    flat_->begin();
  } else {
    beginSteps();
  }
}

void HostExecution::number(std::uint64_t sequence) {
  program_->call.sequence = sequence;
  context_.tag = context_.check ? program_->call.tag() : 0;
  context_.starving = false;
  moved_ = false;
  idlePolls_ = 0;
}

// Stands before the first step of a program all of whose links are there.
void HostExecution::beginSteps() {
  context_.slotsPerLink = program_->slotsPerLink;
  context_.beyondCache = program_->bufferBytes > 2 * kernels::coreCacheBytes();
  flat_ = program_->flat.get();
  if (flat_ != nullptr && flat_->copiesShareable()) flat_ = nullptr;
  if (flat_ != nullptr) return flat_->begin();
  laneCount_ = program_->lanes.size();
  if (lanes_.size() < laneCount_) lanes_.resize(laneCount_);
  for (std::size_t i = 0; i < laneCount_; ++i) lanes_[i].begin(*program_, i);
}

// Two calls need their input copied first: premulsum, which scales it, and the in-place form of a plan that is not made
// for it.
void HostExecution::bindMemory(const void* send, void* recv, const Operator& op) {
  const void* input = send;
  const std::size_t bytes = program_->inputBytes;
  if (bytes > 0 && (op.kind == Operator::Kind::preMulSum || program_->snapshotInput)) {
    std::byte* const copy = workspace_.input(bytes);
    if (op.kind == Operator::Kind::preMulSum) {
      const DataType type = program_->call.type;
      kernels::scaleKernel(type)(copy, send, op.scalar.data(), bytes / sizeOf(type));
    } else {
      std::memcpy(copy, send, bytes);
    }
    input = copy;
  }
  program_->layout.bind(input, recv, workspace_.scratch(program_->layout.scratchBytes()));
}

// Links are made when a plan first needs them; nothing of the call begins before all of its links are there.
Result<bool> HostExecution::connect() {
  auto& connecting = program_->connecting;
  bool moved = false;
  for (std::size_t i = 0; i < connecting.size();) {
    LinkEnd* const link = connecting[i];
    auto ready = link->connect();
    if (!ready.ok()) {
      return std::move(ready).error().within(
          fmt::format("connecting to {} by {}", environment_.directory->name(link->peer), link->transport));
    }
    if (!ready.value()) {
      ++i;
      continue;
    }
    (link->isMemory() ? program_->memoryLinks : program_->messageLinks).push_back(link);
    connecting[i] = connecting.back();
    connecting.pop_back();
    moved = true;
  }
  return moved;
}

Result<bool> HostExecution::run() {
  if (!program_->linked()) {
    program_->flat = FlatProgram::of(*program_, *environment_.settings);
    program_->slotsPerLink = fairSlots(*program_, environment_.settings->slots);
    beginSteps();
  }
  if (flat_ != nullptr) {
    auto result = flat_->progress(context_);
    done_ = flat_->done();
    return result;
  }
  bool moved = false;
  for (LinkEnd* const link : program_->messageLinks) {
    auto result = link->message->progress();
    if (!result.ok()) return result;
    moved |= result.value();
  }
  done_ = true;
  for (std::size_t i = 0; i < laneCount_; ++i) {
    if (lanes_[i].done()) continue;
    auto result = lanes_[i].progress(context_, {lanes_.data(), laneCount_});
    if (!result.ok()) return result;
    moved |= result.value();
    done_ &= lanes_[i].done();
  }
  return moved;
}

Result<bool> HostExecution::progress() {
  if (environment_.watch->failed()) return ended(environment_.watch->status().error());
  done_ = false;
  auto result = program_->connecting.empty() ? run() : connect();
  if (!result.ok()) return ended(firstCause(std::move(result).error()));
  moved_ = result.value();
  if (done_) {
    program_ = nullptr;
    return true;
  }
  if (moved_) {
    idlePolls_ = 0;
    context_.starving = false;
  } else if (auto status = whileIdle(); !status.ok()) {
    return ended(std::move(status).error());
  }
  return false;
}

bool HostExecution::finishAtOnce() {
  if (flat_ == nullptr) return false;
  int most = -1;  // not asked yet: the first look may do
  for (int polls = 0;; ++polls) {
    if (!flat_->progress(context_).ok()) return false;
    if (flat_->done()) {
      program_ = nullptr;
      return true;
    }
    if (most < 0) most = Spinning::ofThisThread().polls(environment_.patience);
    if (polls >= most) return false;
    pauseCore();
  }
}

Status HostExecution::whileIdle() {
  ++idlePolls_;
  if (idlePolls_ < kPollsBeforeClock) return success();
  const auto now = Clock::now();
  if (idlePolls_ == kPollsBeforeClock) {
    idleSince_ = now;
    leftSince_.reset();
    return success();
  }
  idlePolls_ = kPollsBeforeClock + 1;  // saturates: a wait may be long
  const auto idle = now - idleSince_;
  context_.starving = idle >= kStarvingAfter;
  if (idle >= kGraceAfterLeaving) {
    for (const LinkEnd* const link : waitedFor()) {
      if (!environment_.watch->hasLeft(link->peer)) continue;
      if (!leftSince_) leftSince_ = now;
      if (now - *leftSince_ < kGraceAfterLeaving) break;
      return makeError(ErrorCode::remoteError, "{} has destroyed its communicator while {}",
                       environment_.directory->name(link->peer), whereItStands());
    }
  }
  const double limit = environment_.settings->timeoutSeconds;
  if (limit > 0 && seconds(idle) >= limit) {
    return makeError(ErrorCode::timeout, "nothing moved for {} s (the limit, ATOLL_TIMEOUT) while {}", limit,
                     whereItStands());
  }
  return success();
}

std::vector<const LinkEnd*> HostExecution::waitedFor() const {
  std::vector<const LinkEnd*> links(program_->connecting.begin(), program_->connecting.end());
  waitingFor([&](const LinkEnd& link) { links.push_back(&link); });
  return links;
}

/// Those of the steps that are under way.
void HostExecution::waitingFor(const LinkVisitor& visit) const {
  if (flat_ != nullptr) flat_->waitingFor(visit);
  for (std::size_t i = 0; i < laneCount_; ++i) lanes_[i].waitingFor(visit);
}

std::string HostExecution::whereItStands() const {
  constexpr std::size_t kNamed = 4;
  std::string text = "waiting for ";
  const auto links = waitedFor();
  if (links.empty()) text += "nobody";
  for (std::size_t i = 0; i < links.size() && i < kNamed; ++i) {
    text += fmt::format("{}{} by {}", i == 0 ? "" : ", ", environment_.directory->name(links[i]->peer),
                        links[i]->transport);
  }
  if (links.size() > kNamed) text += fmt::format(" and {} more", links.size() - kNamed);
  if (flat_ != nullptr) return text + fmt::format(" in round {}", flat_->round());
  for (std::size_t i = 0; i < laneCount_; ++i) {
    if (!lanes_[i].done()) return text + " in " + lanes_[i].position();
  }
  return text;
}

// A lost connection is often the second thing to happen: a rank dies, its neighbour hears of it first and ends, and its
// connections go. The notice that names the first cause is then on its way, and it is the one that the user needs.
Error HostExecution::firstCause(Error error) const {
  constexpr auto kPatience = std::chrono::milliseconds(300);
  if (error.code != ErrorCode::remoteError) return error;
  const Deadline deadline = Deadline::in(kPatience);
  while (!environment_.watch->failed() && !deadline.passed()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return environment_.watch->failed() ? environment_.watch->status().error() : error;
}

// The error as the caller reads it: which call, then what. From here on the communicator is of no use.
Error HostExecution::ended(Error error) {
  Error named = std::move(error).within(describe(*context_.call));
  cancel(named);
  return named;
}

void HostExecution::cancel(const Error&) {
  if (program_ == nullptr) return;
  for (LinkEnd* const link : program_->messageLinks) link->message->cancel();
  program_ = nullptr;
}

CoreUse HostExecution::coreUse() {
  if (program_ == nullptr) return CoreUse::own;
  const int cpu = sched_getcpu();
  if (cpu < 0) return CoreUse::unknown;
  const auto here = static_cast<std::uint32_t>(cpu) + 1;
  const bool onlyMemory = program_->messageLinks.empty() && program_->connecting.empty();
  CoreUse use = onlyMemory ? CoreUse::own : CoreUse::unknown;
  for (const LinkEnd* const link : program_->memoryLinks) {
    link->memory.in->core.store(here, std::memory_order_relaxed);
    const std::uint32_t theirs = link->memory.out->core.load(std::memory_order_relaxed);
    if (theirs == 0) use = std::max(use, CoreUse::unknown);
    if (theirs == here) use = CoreUse::shared;
  }
  return use;
}

// Bells only of peers whose part is waited for now: in front of bells and sockets at once a thread cannot sleep until
// it is woken, and a plan for islands has links of both kinds, but rarely waits for both.
void HostExecution::wanted(WakeSources& sources) const {
  if (program_ == nullptr) return;
  for (const LinkEnd* const link : program_->messageLinks) link->message->wanted(sources.descriptors);
  bool memory = false;
  waitingFor([&](const LinkEnd& link) {
    if (!link.isMemory()) return;
    sources.add(link.memory.in->bell);
    memory = true;
  });
  // Earlier calls' messages may hold the bounce slots that this call needs.
  if (memory) environment_.outbox->eachReader([&](const MemoryLink& link) { sources.add(link.in->bell); });
  if (!program_->connecting.empty() || environment_.settings->paths.sleep == Path::off) sources.addUnheard();
}

}  // namespace atl::exec

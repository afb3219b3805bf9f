// SPDX-License-Identifier: Apache-2.0
#include "src/api/group.h"

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "src/api/arguments.h"
#include "src/api/dispatch.h"
#include "src/api/report.h"

namespace atl::api {
namespace {

constexpr auto kEnd = "atollGroupEnd";
constexpr auto kSimulateEnd = "atollGroupSimulateEnd";

struct Group {
  struct Part {
    atollComm_t comm;
    std::vector<QueuedCall> calls;
  };
  struct Spoiled {
    atollResult_t result;
    std::string text;
  };
  std::vector<Part> parts;                              ///< by communicator, in the order of their first calls
  std::unordered_map<atollComm_t, std::size_t> partOf;  ///< once there are more than a few
  StreamSet streams;
  std::vector<PendingStart> starts;
  std::optional<Spoiled> spoiled;

  /// The part of a communicator, the one added last being the likeliest. A new one gets `room`.
  Part& part(atollComm_t comm, std::vector<QueuedCall>& room) {
    constexpr std::size_t kFew = 8;
    if (parts.size() <= kFew) {
      const auto found = std::find_if(parts.rbegin(), parts.rend(), [&](const Part& p) { return p.comm == comm; });
      if (found != parts.rend()) return *found;
      if (parts.size() == kFew) {
        for (std::size_t i = 0; i < parts.size(); ++i) partOf.emplace(parts[i].comm, i);
      }
    } else if (const auto found = partOf.find(comm); found != partOf.end()) {
      return parts[found->second];
    }
    if (parts.size() >= kFew) partOf.emplace(comm, parts.size());
    return parts.emplace_back(Part{comm, std::exchange(room, {})});
  }

  /// True for calls of one communicator on the null stream, and nothing else.
  [[nodiscard]] bool isSimple() const {
    return parts.size() == 1 && streams.host.empty() && starts.empty() && !spoiled;
  }
};

/// What a thread keeps from one group to the next.
struct ThreadState {
  Exchange exchange;
  Group group;
  std::vector<QueuedCall> room;  ///< memory for calls
};

ThreadState& state() {
  thread_local ThreadState state;
  return state;
}

Group& current() {
  return state().group;
}

/// The group is to hold something that no exchange does: what it has so far becomes calls like others.
void becomeGeneral() {
  Exchange* const exchange = std::exchange(openGroup.exchange, nullptr);
  if (exchange == nullptr) return;
  for (const PointToPoint& operation : exchange->operations) {
    current().part(exchange->comm, state().room).calls.emplace_back(operation);
    current().streams.null = true;
  }
}

/// Runs `calls(communicator)` in this thread, after what its streams have.
template <class Calls>
Status runOn(atollComm_t comm, Calls&& calls) {
  const Claim claim(comm);
  if (!claim) return refusal(comm);
  Entry& entry = claim.entry();
  entry.turns.drain();
  Status status = calls(*entry.communicator);
  if (!status.ok()) entry.fail(kEnd, status.error());
  return status;
}

/// Allocates nothing when repeated.
Status runExchange(const Exchange& exchange) {
  if (exchange.operations.empty()) return success();
  return runOn(exchange.comm, [&](Communicator& communicator) { return communicator.run(exchange.operations); });
}

/// Calls of one communicator. Allocates nothing when repeated.
Status runSimple() {
  Group& group = current();
  const atollComm_t comm = group.parts.front().comm;
  std::vector<QueuedCall> calls = std::move(group.parts.front().calls);
  group.parts.clear();
  group.streams.null = false;
  Status status = runOn(comm, [&](Communicator& communicator) { return runInOrder(communicator, calls); });
  calls.clear();
  state().room = std::move(calls);
  return status;
}

Status runCalls(Group group) {
  if (group.parts.empty()) return success();
  // All claims are held while turns and places on streams are taken, so that every group has one place in all orders.
  std::vector<Claim> claims;
  const auto batch = std::make_shared<Batch>(kEnd);
  for (Group::Part& part : group.parts) {
    const Claim& claim = claims.emplace_back(part.comm);
    if (!claim) return refusal(part.comm);
    batch->add(claim.entry(), std::move(part.calls));
  }
  return dispatch(batch, group.streams);
}

atollResult_t open() {
  if (openGroup.depth++ > 0) return atollSuccess;
  openGroup.exchange = &state().exchange;
  openGroup.exchange->operations.clear();
  return atollSuccess;
}

Error noGroup() {
  return makeError(ErrorCode::invalidUsage, "no group is open in this thread; atollGroupStart begins one");
}

/// The end of a group in which a call was refused.
atollResult_t endSpoiled(const char* call, Group& group) {
  drop(std::move(group.starts));
  return report(call, group.spoiled->result, fmt::format("nothing of the group was run: {}", group.spoiled->text));
}

atollResult_t end() {
  if (openGroup.depth == 0) return report(kEnd, noGroup());
  if (--openGroup.depth > 0) return atollSuccess;
  if (Exchange* const exchange = std::exchange(openGroup.exchange, nullptr)) {
    const Status status = runExchange(*exchange);
    return status.ok() ? atollSuccess : report(kEnd, status.error());
  }
  if (current().isSimple()) {
    const Status status = runSimple();
    return status.ok() ? atollSuccess : report(kEnd, status.error());
  }
  Group group = std::exchange(current(), Group());
  if (group.spoiled) return endSpoiled(kEnd, group);
  const atollResult_t started = startAll(std::move(group.starts));
  if (started != atollSuccess && started != atollInProgress) return started;
  const Status status = runCalls(std::move(group));
  return status.ok() ? started : report(kEnd, status.error());
}

/// Communicators run side by side, so the slowest tells.
Result<double> predict(const Group& group) {
  double longest = 0;
  for (const Group::Part& part : group.parts) {
    const Claim claim(part.comm);
    if (!claim) return refusal(part.comm);
    claim.entry().turns.drain();
    ATOLL_ASSIGN(const double seconds, predictInOrder(*claim.entry().communicator, part.calls));
    longest = std::max(longest, seconds);
  }
  return longest;
}

atollResult_t simulateEnd(double* seconds) {
  if (openGroup.depth == 0) return report(kSimulateEnd, noGroup());
  if (seconds != nullptr) *seconds = 0;
  if (--openGroup.depth > 0) return atollSuccess;
  becomeGeneral();
  Group group = std::exchange(current(), Group());
  if (group.spoiled) return endSpoiled(kSimulateEnd, group);
  if (!group.starts.empty()) {
    drop(std::move(group.starts));
    return report(kSimulateEnd, makeError(ErrorCode::invalidUsage,
                                          "the group makes communicators, which cannot be simulated; nothing of it was "
                                          "run"));
  }
  if (const Status status = checkNotNull("seconds", seconds); !status.ok()) return report(kSimulateEnd, status.error());
  const auto predicted = predict(group);
  if (!predicted.ok()) return report(kSimulateEnd, predicted.error());
  *seconds = *predicted;
  return atollSuccess;
}

}  // namespace

void addToGroup(atollComm_t comm, std::shared_ptr<HostStream> stream, QueuedCall call) {
  becomeGeneral();
  Group& group = current();
  group.part(comm, state().room).calls.push_back(std::move(call));
  group.streams.add(std::move(stream));
}

void addToGroup(PendingStart start) {
  becomeGeneral();
  current().starts.push_back(std::move(start));
}

atollResult_t spoilGroup(atollResult_t result) {
  if (!groupIsOpen()) return result;
  becomeGeneral();
  if (!current().spoiled) current().spoiled = Group::Spoiled{result, lastErrorOfThread()};
  return result;
}

}  // namespace atl::api

atollResult_t atollGroupStart() {
  return atl::api::guarded("atollGroupStart", [] { return atl::api::open(); });
}

atollResult_t atollGroupEnd() {
  return atl::api::guarded(atl::api::kEnd, [] { return atl::api::end(); });
}

atollResult_t atollGroupSimulateEnd(double* seconds) {
  return atl::api::guarded(atl::api::kSimulateEnd, [&] { return atl::api::simulateEnd(seconds); });
}

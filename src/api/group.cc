// SPDX-License-Identifier: Apache-2.0
#include "src/api/group.h"

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "src/api/dispatch.h"
#include "src/api/report.h"

namespace atl::api {
namespace {

constexpr auto kEnd = "atollGroupEnd";

struct Group {
  struct Part {
    atollComm_t comm;
    std::vector<QueuedCall> calls;
  };
  struct Spoiled {
    atollResult_t result;
    std::string text;
  };
  std::vector<Part> parts;  ///< by communicator, in the order of their first calls
  std::unordered_map<atollComm_t, std::size_t> partOf;
  StreamSet streams;
  std::vector<PendingStart> starts;
  std::optional<Spoiled> spoiled;
};

Group& current() {
  thread_local Group group;
  return group;
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

atollResult_t end() {
  if (groupDepth == 0) {
    return report(kEnd,
                  makeError(ErrorCode::invalidUsage, "no group is open in this thread; atollGroupStart begins one"));
  }
  if (--groupDepth > 0) return atollSuccess;
  Group group = std::exchange(current(), Group());
  if (group.spoiled) {
    drop(std::move(group.starts));
    return report(kEnd, group.spoiled->result, fmt::format("nothing of the group was run: {}", group.spoiled->text));
  }
  const atollResult_t started = startAll(std::move(group.starts));
  if (started != atollSuccess && started != atollInProgress) return started;
  const Status status = runCalls(std::move(group));
  return status.ok() ? started : report(kEnd, status.error());
}

}  // namespace

void addToGroup(atollComm_t comm, std::shared_ptr<HostStream> stream, QueuedCall call) {
  Group& group = current();
  const auto [place, isNew] = group.partOf.try_emplace(comm, group.parts.size());
  if (isNew) group.parts.push_back(Group::Part{comm, {}});
  group.parts[place->second].calls.push_back(std::move(call));
  group.streams.add(std::move(stream));
}

void addToGroup(PendingStart start) {
  current().starts.push_back(std::move(start));
}

atollResult_t spoilGroup(atollResult_t result) {
  if (groupIsOpen() && !current().spoiled) current().spoiled = Group::Spoiled{result, lastErrorOfThread()};
  return result;
}

}  // namespace atl::api

atollResult_t atollGroupStart() {
  ++atl::api::groupDepth;
  return atollSuccess;
}

atollResult_t atollGroupEnd() {
  return atl::api::guarded(atl::api::kEnd, [] { return atl::api::end(); });
}

// SPDX-License-Identifier: Apache-2.0
// What can be asked of a communicator, and the loading of plans into it.
#include <algorithm>
#include <cstring>

#include "src/api/arguments.h"
#include "src/api/entry.h"
#include "src/api/group.h"
#include "src/api/plan_file.h"
#include "src/api/report.h"

namespace atl::api {
namespace {

/// Any thread may ask these, at any time while the communicator lives.
template <class Read>
atollResult_t query(const char* call, atollComm_t comm, const char* outName, int* out, Read&& read) noexcept {
  return guarded(call, [&]() -> atollResult_t {
    if (const Status status = checkNotNull(outName, out); !status.ok()) return report(call, status.error());
    {
      const Inspection inspection(comm);
      if (inspection && (inspection.phase() == Phase::ready || inspection.phase() == Phase::finalized)) {
        *out = read(inspection.entry());
        return atollSuccess;
      }
    }
    return report(call, refusal(comm));
  });
}

Status stats(atollComm_t comm, atollCommStats_t* out) {
  ATOLL_TRY(checkNotNull("stats", out));
  std::size_t size = 0;
  std::memcpy(&size, &out->size, sizeof size);
  if (size < offsetof(atollCommStats_t, bytesHeld)) {
    return makeError(ErrorCode::invalidArgument, "argument stats has size {}; it must be sizeof(atollCommStats_t)",
                     size);
  }
  const Claim claim(comm);
  if (!claim) return refusal(comm);
  claim.entry().turns.drain();
  const CommunicatorStats found = claim.entry().communicator->stats();
  const atollCommStats_t known{size, found.bytesHeld, found.links, found.programs, found.calls};
  std::memcpy(out, &known, std::min(size, sizeof known));
  return success();
}

/// The text, cut to what the array holds.
template <std::size_t N>
void put(char (&out)[N], const std::string& text) {
  const std::size_t length = std::min(text.size(), N - 1);
  std::memcpy(out, text.data(), length);
  out[length] = '\0';
}

Status choice(atollComm_t comm, const char* collective, std::size_t bytes, atollChoice_t* out) {
  ATOLL_TRY(checkNotNull("collective", collective));
  ATOLL_TRY(checkNotNull("choice", out));
  const auto which = collectiveNamed(collective);
  if (!which) return makeError(ErrorCode::invalidArgument, "argument collective is '{}', which is none", collective);
  std::size_t size = 0;
  std::memcpy(&size, &out->size, sizeof size);
  if (size < offsetof(atollChoice_t, chooser)) {
    return makeError(ErrorCode::invalidArgument, "argument choice has size {}; it must be sizeof(atollChoice_t)", size);
  }
  const Claim claim(comm);
  if (!claim) return refusal(comm);
  claim.entry().turns.drain();
  ATOLL_ASSIGN(const auto found, claim.entry().communicator->choiceFor(*which, bytes));
  atollChoice_t known{};
  known.size = size;
  switch (found.by) {
    case plan::Decision::By::model: known.chooser = atollChosenByModel; break;
    case plan::Decision::By::table: known.chooser = atollChosenByTable; break;
    case plan::Decision::By::user: known.chooser = atollChosenByUser; break;
  }
  put(known.algorithm, found.algorithm);
  put(known.model, found.ofModel);
  known.seconds = found.seconds;
  known.hosts = found.site.hosts;
  put(known.links, found.site.links);
  std::memcpy(out, &known, std::min(size, sizeof known));
  return success();
}

Status loadPlan(atollComm_t comm, const char* path) {
  ATOLL_TRY(checkNotNull("path", path));
  const Claim claim(comm);
  if (!claim) return refusal(comm);
  ATOLL_ASSIGN(const auto family, readPlanFile(path));
  claim.entry().turns.drain();
  auto status = claim.entry().communicator->usePlan(family);
  if (!status.ok()) return std::move(status).error().within(fmt::format("plan file {}", path));
  return success();
}

Status setTopology(atollComm_t comm, const char* path) {
  ATOLL_TRY(checkNotNull("path", path));
  if (groupIsOpen()) {
    return makeError(ErrorCode::invalidUsage, "a group is open in this thread; topologies change outside groups");
  }
  const Claim claim(comm);
  if (!claim) return refusal(comm);
  claim.entry().turns.drain();
  return claim.entry().communicator->useTopology(path);
}

}  // namespace
}  // namespace atl::api

using namespace atl;       // NOLINT(google-build-using-namespace): the C functions are outside
using namespace atl::api;  // NOLINT(google-build-using-namespace)

atollResult_t atollCommCount(atollComm_t comm, int* count) {
  return query("atollCommCount", comm, "count", count, [](const Entry& entry) { return entry.ranks; });
}

atollResult_t atollCommUserRank(atollComm_t comm, int* rank) {
  return query("atollCommUserRank", comm, "rank", rank, [](const Entry& entry) { return entry.rank; });
}

atollResult_t atollCommDevice(atollComm_t comm, int* device) {
  return query("atollCommDevice", comm, "device", device, [](const Entry& entry) { return entry.device; });
}

atollResult_t atollCommGetStats(atollComm_t comm, atollCommStats_t* out) {
  return guarded("atollCommGetStats", [&] { return finish("atollCommGetStats", stats(comm, out)); });
}

atollResult_t atollCommGetChoice(atollComm_t comm, const char* collective, size_t bytes, atollChoice_t* out) {
  return guarded("atollCommGetChoice",
                 [&] { return finish("atollCommGetChoice", choice(comm, collective, bytes, out)); });
}

atollResult_t atollCommLoadPlan(atollComm_t comm, const char* path) {
  return guarded("atollCommLoadPlan", [&] { return finish("atollCommLoadPlan", loadPlan(comm, path)); });
}

atollResult_t atollCommSetTopology(atollComm_t comm, const char* path) {
  return guarded("atollCommSetTopology", [&] { return finish("atollCommSetTopology", setTopology(comm, path)); });
}

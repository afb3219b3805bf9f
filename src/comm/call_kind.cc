// SPDX-License-Identifier: Apache-2.0
#include "src/comm/call_kind.h"

#include "src/base/hash.h"

namespace atl {
namespace {

std::uint64_t hashCounts(const std::size_t* counts, Rank ranks, std::uint64_t seed) {
  return counts == nullptr ? seed : hashBytes(counts, static_cast<std::size_t>(ranks) * sizeof *counts, seed + 1);
}

}  // namespace

CallKind CallKind::of(const Call& call, Rank rank, Rank ranks) {
  CallKind kind;
  kind.count = call.count;
  kind.root = call.root;
  kind.collective = call.collective;
  kind.type = call.type;
  kind.op = codeOf(call);
  kind.flags = flagsOf(call, rank);
  if (call.vForm) {
    kind.counts = hashCounts(call.sendCounts, ranks, 0);
    kind.counts = hashCounts(call.sendDispls, ranks, kind.counts);
    kind.counts = hashCounts(call.recvCounts, ranks, kind.counts);
    kind.counts = hashCounts(call.recvDispls, ranks, kind.counts);
  }
  return kind;
}

std::size_t CallKindHash::operator()(const CallKind& kind) const {
  return hashCombine(0, kind);
}

CallRecord recordOf(const Call& call, Rank ranks, std::uint64_t planHash, std::int32_t tiles) {
  CallRecord record;
  record.collective = call.collective;
  record.type = call.type;
  record.op = CallKind::codeOf(call);
  record.root = call.root;
  record.count = call.count;
  record.planHash = hashCombine(planHash, tiles);
  record.flags =
      static_cast<std::uint8_t>((call.vForm ? CallRecord::kVForm : 0) | (call.heads ? CallRecord::kHeads : 0));
  if (call.vForm) {
    record.count = call.collective == Collective::allGather       ? hashCounts(call.recvCounts, ranks, 0)
                   : call.collective == Collective::reduceScatter ? hashCounts(call.sendCounts, ranks, 0)
                                                                  : 0;
  }
  return record;
}

}  // namespace atl

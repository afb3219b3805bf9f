// SPDX-License-Identifier: Apache-2.0
#include "src/base/call_record.h"

#include <iterator>

#include "src/base/hash.h"

namespace atl {
namespace {

constexpr std::uint8_t kPreMulSum = 0xfe;
constexpr std::uint8_t kUserOp = 0xff;

std::string opName(std::uint8_t op) {
  if (op == kPreMulSum) return "premulsum";
  if (op == kUserOp) return "a user's function";
  if (op < kReduceOps) return std::string(nameOf(static_cast<ReduceOp>(op)));
  return fmt::format("operator {}", op);
}

bool known(const CallRecord& record) {
  return static_cast<int>(record.collective) < kCollectives && static_cast<int>(record.type) < kDataTypes;
}

std::string_view formOf(const CallRecord& record) {
  if ((record.flags & CallRecord::kVForm) != 0) return "-v";
  return (record.flags & CallRecord::kHeads) != 0 ? "-v (heads of blocks)" : "";
}

}  // namespace

std::uint64_t tagBaseOf(const CallRecord& record) {
  CallRecord kind = record;
  kind.sequence = 0;
  return hashBytes(&kind, sizeof kind);
}

std::string describe(const CallRecord& r) {
  if (!known(r)) return "a call that this version does not know";
  auto text =
      fmt::format("{}{} #{}(count {}, {}", nameOf(r.collective), formOf(r), r.sequence, r.count, nameOf(r.type));
  if (isReducing(r.collective)) fmt::format_to(std::back_inserter(text), ", {}", opName(r.op));
  if (r.root != kNoRank) fmt::format_to(std::back_inserter(text), ", root {}", r.root);
  fmt::format_to(std::back_inserter(text), ", plan {:016x})", r.planHash);
  return text;
}

Error mismatch(Rank mine, const CallRecord& a, Rank peer, const CallRecord& b) {
  std::string differ;
  const auto note = [&differ](bool differs, std::string_view what) {
    if (!differs) return;
    if (!differ.empty()) differ += ", ";
    differ += what;
  };
  note(a.collective != b.collective, "collective");
  note(a.flags != b.flags, "v-form");
  note(a.sequence != b.sequence, "order of calls");
  note(a.count != b.count, "count");
  note(a.type != b.type, "type");
  note(a.op != b.op, "op");
  note(a.root != b.root, "root");
  // Different arguments usually give different plans; the plan is news only when nothing else differs.
  note(differ.empty() && a.planHash != b.planHash, "plan (algorithm settings, tuning tables or plan files differ)");
  return makeError(ErrorCode::mismatch,
                   "ranks disagree on the call: rank {} is in {}, rank {} is in {}; they differ in {}", mine,
                   describe(a), peer, describe(b), differ.empty() ? "the size of a message" : differ);
}

}  // namespace atl

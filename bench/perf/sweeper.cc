// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/sweeper.h"

#include <algorithm>

#include "bench/perf/element.h"
#include "bench/perf/extents.h"

namespace atl::perf {
namespace {

/// The roots to go through; −1 alone where there is none.
std::vector<int> rootsOf(const Collective& collective, const Options& options, int ranks) {
  if (!collective.rooted) return {-1};
  if (options.root != Options::kAllRoots) return {options.root};
  std::vector<int> roots;
  for (int r = 0; r < ranks; ++r) roots.push_back(r);
  return roots;
}

std::vector<std::optional<Reduction>> reductionsOf(const Collective& collective, const Options& options) {
  if (!collective.reduces) return {std::nullopt};
  return {options.reductions.begin(), options.reductions.end()};
}

}  // namespace

std::size_t caseCount(const Collective& collective, const Options& options, int ranks) {
  return options.types.size() * reductionsOf(collective, options).size() * rootsOf(collective, options, ranks).size();
}

std::vector<Case> Sweeper::cases() const {
  std::vector<Case> all;
  for (const DataType type : options_.types) {
    for (const auto& reduction : reductionsOf(collective_, options_)) {
      for (const int root : rootsOf(collective_, options_, team_.ranks()))
        all.push_back({type, reduction, root, {}, {}});
    }
  }
  return all;
}

Status Sweeper::fitMemory(const std::vector<RankInfo>& ranks) {
  ATOLL_ASSIGN(const std::uint64_t most, largestSize(team_, ranks));
  if (options_.sweep.minBytes > most) {
    return makeError(ErrorCode::systemError,
                     "minbytes {} is more than the memory of the smallest host allows: {} bytes a buffer",
                     options_.sweep.minBytes, most);
  }
  options_.sweep.maxBytes = std::min(options_.sweep.maxBytes, most);
  if (options_.rotation) options_.rotation = std::min(*options_.rotation, most);
  return success();
}

Status Sweeper::allocate() {
  for (const Member& member : team_.members()) {
    Extents extents;  // of the type that needs most
    for (const DataType type : options_.types) {
      const std::size_t count = collective_.countFor(sizes_.back() / atl::sizeOf(type), team_.ranks());
      const Extents ofType = extentsFor(collective_, count, type, member.rank, team_.ranks());
      extents.send = std::max(extents.send, ofType.send);
      extents.recv = std::max(extents.recv, ofType.recv);
    }
    const atollComm_t owner = options_.registerBuffers ? member.comm : nullptr;
    ATOLL_ASSIGN(auto send, Buffer::allocate(options_.capacityFor(extents.send), owner));
    ATOLL_ASSIGN(auto recv, Buffer::allocate(options_.capacityFor(extents.recv), owner));
    buffers_.push_back({std::move(send), std::move(recv)});
  }
  return success();
}

Status Sweeper::prepare(Case& oneCase) const {
  const bool patterned = oneCase.reduction && options_.checks > 0;
  const auto pattern = patterned ? sharedPattern(oneCase.type, *oneCase.reduction, team_.ranks()) : nullptr;
  for (const Member& member : team_.members()) {
    oneCase.data.emplace_back(oneCase.type, pattern, member.rank);
    atollRedOp_t op = atollSum;
    if (oneCase.reduction == Reduction::mulsum) {
      const int factor = ReductionPattern::factorOf(member.rank);
      std::uint64_t scalar =
          isReal(oneCase.type) ? bitsOfReal(oneCase.type, factor) : static_cast<std::uint64_t>(factor);
      ATOLL_TRY(checked(atollRedOpCreatePreMulSum(&op, &scalar, static_cast<atollDataType_t>(oneCase.type),
                                                  atollScalarHostImmediate, member.comm),
                        "making the mulsum operator", member.comm));
    } else if (oneCase.reduction) {
      op = static_cast<atollRedOp_t>(*oneCase.reduction);
    }
    oneCase.operators.push_back(op);
  }
  return success();
}

Status Sweeper::releaseOperators(const Case& oneCase) const {
  if (oneCase.reduction != Reduction::mulsum) return success();
  for (std::size_t i = 0; i < oneCase.operators.size(); ++i) {
    const atollComm_t comm = team_.members()[i].comm;
    ATOLL_TRY(checked(atollRedOpDestroy(oneCase.operators[i], comm), "destroying the mulsum operator", comm));
  }
  return success();
}

Result<std::uint64_t> Sweeper::run() {
  ATOLL_ASSIGN(const auto ranks, describeRanks(world_, team_));
  ATOLL_TRY(fitMemory(ranks));
  ATOLL_ASSIGN(sizes_, sizesOf(options_.sweep));
  ATOLL_TRY(allocate());
  if (observer_ != nullptr) observer_->begun(options_, ranks);
  for (int cycle = 0; options_.cycles == 0 || cycle < options_.cycles; ++cycle) {
    for (Case& oneCase : cases()) {
      ATOLL_TRY(prepare(oneCase));
      ATOLL_TRY(runCase(oneCase));
      ATOLL_TRY(releaseOperators(oneCase));
    }
    if (observer_ != nullptr) observer_->cycleDone();
  }
  return wrong_;
}

Status Sweeper::runCase(const Case& oneCase) {
  for (const std::uint64_t bytes : sizes_) {
    if (observer_ != nullptr) observer_->sizeBegun(bytes);
    ATOLL_ASSIGN(const Row row,
                 runSize(oneCase, collective_.countFor(bytes / atl::sizeOf(oneCase.type), team_.ranks())));
    if (observer_ != nullptr) observer_->sizeDone(row);
  }
  return success();
}

Result<Row> Sweeper::runSize(const Case& oneCase, std::size_t count) {
  Row row;
  row.bytes = collective_.sizeOf(count, team_.ranks()) * atl::sizeOf(oneCase.type);
  row.count = count;
  row.type = oneCase.type;
  row.reduction = oneCase.reduction;
  row.root = oneCase.root;
  ATOLL_ASSIGN(row.outOfPlace, runHalf(oneCase, count, false));
  if (collective_.inPlace != nullptr && !options_.outOfPlaceOnly) {
    ATOLL_ASSIGN(row.inPlace, runHalf(oneCase, count, true));
  }
  return row;
}

Result<Measurement> Sweeper::runHalf(const Case& oneCase, std::size_t count, bool inPlace) {
  Measuring measuring(collective_, options_, team_, buffers_, oneCase, count, inPlace);
  ATOLL_ASSIGN(Measurement measurement, measuring.time());
  if (options_.checks > 0) measurement.wrong = 0;
  for (int i = 0; i < options_.checks; ++i) {
    ATOLL_ASSIGN(const std::uint64_t wrong, measuring.check(checkedRuns_++));
    *measurement.wrong += wrong;
    wrong_ += wrong;
  }
  return measurement;
}

}  // namespace atl::perf

// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/team.h"

namespace atl::perf {
namespace {

ErrorCode codeOf(atollResult_t result) {
  switch (result) {
    case atollInvalidArgument: return ErrorCode::invalidArgument;
    case atollInvalidUsage: return ErrorCode::invalidUsage;
    case atollUnsupported: return ErrorCode::unsupported;
    case atollSystemError: return ErrorCode::systemError;
    case atollRemoteError: return ErrorCode::remoteError;
    case atollTimeout: return ErrorCode::timeout;
    case atollAborted: return ErrorCode::aborted;
    case atollMismatch: return ErrorCode::mismatch;
    default: return ErrorCode::internalError;
  }
}

}  // namespace

Status checked(atollResult_t result, std::string_view what, atollComm_t comm) {
  if (result == atollSuccess) return success();
  const char* const detail = atollGetLastError(comm);
  const std::string_view meaning = atollGetErrorString(result);
  if (detail == nullptr || *detail == '\0') return makeError(codeOf(result), "{}: {}", what, meaning);
  return makeError(codeOf(result), "{}: {} ({})", what, detail, meaning);
}

Team::~Team() {
  abort();
}

Status Team::openStreams() {
  for (Member& member : members_) ATOLL_TRY(checked(atollStreamCreate(&member.stream), "creating a stream", nullptr));
  return success();
}

Status Team::synchronize() const {
  for (const Member& member : members_) {
    if (member.stream == nullptr) continue;
    ATOLL_TRY(checked(atollStreamSynchronize(member.stream), "waiting for a stream", member.comm));
  }
  return success();
}

Status Team::barrier() const {
  return each("barrier", [this](std::size_t i) { return atollBarrier(members_[i].comm, nullptr); });
}

Result<std::vector<double>> Team::allReduce(const std::vector<std::vector<double>>& inputs, atollRedOp_t op) const {
  const std::size_t count = inputs[0].size();
  std::vector<std::vector<double>> outputs(members_.size(), std::vector<double>(count));
  ATOLL_TRY(each("allreduce of results", [&](std::size_t i) {
    return atollAllReduce(inputs[i].data(), outputs[i].data(), count, atollFloat64, op, members_[i].comm, nullptr);
  }));
  return std::move(outputs[0]);
}

Result<std::vector<double>> Team::combine(std::vector<double> mine, Average how) const {
  std::vector<std::vector<double>> inputs(members_.size(), mine);
  if (how == Average::min) return allReduce(inputs, atollMin);
  if (how == Average::max) return allReduce(inputs, atollMax);
  if (how == Average::mean) return allReduce(inputs, atollAvg);
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].rank != 0) inputs[i].assign(mine.size(), 0.0);
  }
  return allReduce(inputs, atollSum);
}

Result<std::uint64_t> Team::total(std::uint64_t mine) const {
  std::vector<std::vector<double>> inputs(members_.size(), std::vector<double>{0.0});
  inputs[0][0] = static_cast<double>(mine);
  ATOLL_ASSIGN(const auto sum, allReduce(inputs, atollSum));
  return static_cast<std::uint64_t>(sum[0]);
}

Result<std::vector<std::byte>> Team::gather(std::span<const std::byte> mine, std::size_t recordBytes) const {
  std::vector<std::vector<std::byte>> all(members_.size(),
                                          std::vector<std::byte>(recordBytes * static_cast<std::size_t>(ranks_)));
  ATOLL_TRY(each("allgather of ranks", [&](std::size_t i) {
    return atollAllGather(mine.data() + i * recordBytes, all[i].data(), recordBytes, atollUint8, members_[i].comm,
                          nullptr);
  }));
  return std::move(all[0]);
}

void Team::closeStreams() {
  for (Member& member : members_) {
    if (member.stream != nullptr) atollStreamDestroy(member.stream);
    member.stream = nullptr;
  }
}

Status Team::close() {
  closeStreams();
  // Finalize is called for all before the first is destroyed: a rank's finalize may wait for its neighbours'.
  Status status = each("finalize", [this](std::size_t i) { return atollCommFinalize(members_[i].comm); });
  for (Member& member : members_) {
    if (member.comm == nullptr) continue;
    Status destroyed = checked(atollCommDestroy(member.comm), "destroy", nullptr);
    member.comm = nullptr;
    if (status.ok()) status = std::move(destroyed);
  }
  members_.clear();
  return status;
}

void Team::abort() {
  for (Member& member : members_) {
    if (member.comm != nullptr) atollCommAbort(member.comm);
    member.comm = nullptr;
  }
  closeStreams();
  members_.clear();
}

}  // namespace atl::perf

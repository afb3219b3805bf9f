// SPDX-License-Identifier: Apache-2.0
#include "src/api/report.h"

#include "src/base/log.h"

namespace atl::api {
namespace {

std::string& threadText() {
  thread_local std::string text;
  return text;
}

}  // namespace

atollResult_t resultOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalidArgument: return atollInvalidArgument;
    case ErrorCode::invalidUsage: return atollInvalidUsage;
    case ErrorCode::unsupported: return atollUnsupported;
    case ErrorCode::systemError: return atollSystemError;
    case ErrorCode::internalError: return atollInternalError;
    case ErrorCode::remoteError: return atollRemoteError;
    case ErrorCode::timeout: return atollTimeout;
    case ErrorCode::aborted: return atollAborted;
    case ErrorCode::mismatch: return atollMismatch;
    case ErrorCode::deviceError: return atollUnhandledCudaError;
  }
  return atollInternalError;
}

atollResult_t report(std::string_view call, const Error& error) {
  return report(call, resultOf(error.code), error.text);
}

atollResult_t report(std::string_view call, atollResult_t result, std::string_view text) {
  std::string& last = threadText();
  last = fmt::format("{}: {}", call, text);
  log::line(log::Subject::info, kNoRank, "{} ({})", last, atollGetErrorString(result));
  return result;
}

const std::string& lastErrorOfThread() {
  return threadText();
}

}  // namespace atl::api

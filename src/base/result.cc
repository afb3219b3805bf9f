// SPDX-License-Identifier: Apache-2.0
#include "src/base/result.h"

#include <system_error>

namespace atl {

std::string_view nameOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalidArgument: return "invalid argument";
    case ErrorCode::invalidUsage: return "invalid usage";
    case ErrorCode::unsupported: return "unsupported";
    case ErrorCode::systemError: return "system error";
    case ErrorCode::internalError: return "internal error";
    case ErrorCode::remoteError: return "remote error";
    case ErrorCode::timeout: return "timeout";
    case ErrorCode::aborted: return "aborted";
    case ErrorCode::mismatch: return "mismatch";
    case ErrorCode::deviceError: return "device error";
  }
  return "unknown error";
}

Error systemError(int errnoValue, std::string_view what) {
  return makeError(ErrorCode::systemError, "{}: {}", what, std::generic_category().message(errnoValue));
}

}  // namespace atl

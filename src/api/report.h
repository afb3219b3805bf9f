// SPDX-License-Identifier: Apache-2.0
// Errors on their way out: the one place where an ErrorCode becomes an atollResult_t, and where the thread's last error
// is kept.
#pragma once

#include <new>
#include <string>
#include <string_view>
#include <system_error>

#include "atoll/atoll.h"
#include "src/base/result.h"

namespace atl::api {

/// The C result of an error code.
atollResult_t resultOf(ErrorCode code);

/// Keeps "call: text" as this thread's last error and gives its result.
atollResult_t report(std::string_view call, const Error& error);

/// The same for a result that was made from an error already.
atollResult_t report(std::string_view call, atollResult_t result, std::string_view text);

/// This thread's last error, as report() kept it; empty if there was none.
const std::string& lastErrorOfThread();

/// Runs `body`, which gives an atollResult_t, and lets no exception out of it: the callers are C.
template <class Body>
atollResult_t guarded(const char* call, Body&& body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return report(call, makeError(ErrorCode::systemError, "out of memory"));
  } catch (const std::system_error& failure) {  // std::thread, std::mutex
    return report(call, makeError(ErrorCode::systemError, "{}", failure.what()));
  } catch (const std::exception& failure) {
    return report(call, makeError(ErrorCode::internalError, "unexpected exception: {}", failure.what()));
  }
}

/// Success, or the reported error.
inline atollResult_t finish(std::string_view call, const Status& status) {
  return status.ok() ? atollSuccess : report(call, status.error());
}

}  // namespace atl::api

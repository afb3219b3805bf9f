// SPDX-License-Identifier: Apache-2.0
// Threads of the library's own.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "src/base/result.h"

namespace atl {

/// Starts a thread that no signal is delivered to: signals are the program's affair, and it does not know of this
/// thread. `name` has at most 15 characters.
template <class Body>
Result<std::thread> startQuietThread(const char* name, Body body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread;
  std::string refused;
  try {
    thread = std::thread(std::move(body));
    ::pthread_setname_np(thread.native_handle(), name);
  } catch (const std::system_error& failure) {
    refused = failure.what();
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!thread.joinable()) return makeError(ErrorCode::systemError, "cannot start a thread: {}", refused);
  return thread;
}

}  // namespace atl

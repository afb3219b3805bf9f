// SPDX-License-Identifier: Apache-2.0
// What is common to all functions of the runtime: they are counted, may be told to fail, need a driver, a device that
// is still there, and remember their error. Every function's body goes through call().
#pragma once

#include <cuda_runtime_api.h>

#include <string>
#include <utility>
#include <vector>

namespace fakecuda {

/// What a function needs in order to do anything.
enum class Needs : unsigned char {
  nothing,  ///< works without a driver
  driver,   ///< asks the driver, but touches no device
  device,   ///< needs the current device, and reports if it has disappeared
  unsafe,   ///< the same, and must not be called while streams are captured (cudaThreadExchangeStreamCaptureMode)
};

/// May the function go on? Counts the call.
cudaError_t admit(const char* function, Needs needs);

/// Remembers an error as the thread's last, and returns it.
cudaError_t leave(cudaError_t result);

template <class Body>
cudaError_t call(const char* function, Needs needs, Body&& body) {
  const cudaError_t refused = admit(function, needs);
  return leave(refused == cudaSuccess ? std::forward<Body>(body)() : refused);
}

/// Does CUDA keep returning this error once it has happened, until the process ends?
bool isSticky(cudaError_t error);

/// While one exists, its thread is inside a host function or a kernel, where CUDA's functions are not permitted.
class InsideCallback {
 public:
  InsideCallback();
  ~InsideCallback();
  InsideCallback(const InsideCallback&) = delete;
  InsideCallback& operator=(const InsideCallback&) = delete;
};

/// Takes FAKECUDA_FAIL's items in place of the failures that were planned.
void planFailures(const std::vector<std::string>& items);

/// Forgets counts and remembered failures.
void forgetCalls();

}  // namespace fakecuda

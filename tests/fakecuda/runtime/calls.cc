// SPDX-License-Identifier: Apache-2.0
#include "tests/fakecuda/runtime/calls.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>

#include "tests/fakecuda/runtime/capture.h"
#include "tests/fakecuda/runtime/configuration.h"
#include "tests/fakecuda/runtime/devices.h"

namespace fakecuda {
namespace {

/// Never destroyed: threads of the runtime may still run while the process ends.
struct Ledger {
  std::mutex mutex;
  std::map<std::string, int> counts;
  std::map<std::pair<std::string, int>, cudaError_t> planned;  ///< by function and number of the call, from 1
  std::vector<std::string> failures;
};

Ledger& ledger() {
  static auto* const made = new Ledger;
  return *made;
}

struct LastError {
  unsigned long long generation = 0;
  cudaError_t error = cudaSuccess;
};

LastError& lastError() {
  thread_local LastError last;
  if (last.generation != generation()) last = {generation(), cudaSuccess};
  return last;
}

thread_local int callbackDepth = 0;

/// Ends a process whose failures nobody looked at, so that a worker of a test cannot hide one behind a good result.
struct EndOfProcess {
  ~EndOfProcess() {
    const std::vector<std::string> left = takeFailures();
    if (left.empty()) return;
    for (const std::string& failure : left) std::fprintf(stderr, "fakecuda: %s\n", failure.c_str());
    std::fflush(nullptr);  // what the process has written is part of the picture
    _exit(70);
  }
};
const EndOfProcess endOfProcess;

cudaError_t countAndFail(const char* function) {
  Ledger& all = ledger();
  const std::lock_guard lock(all.mutex);
  const int number = ++all.counts[function];
  const auto planned = all.planned.find({function, number});
  if (planned == all.planned.end()) return cudaSuccess;
  const cudaError_t error = planned->second;
  all.planned.erase(planned);
  return error;
}

bool driverSuffices() {
  return configuration().driverVersion >= CUDART_VERSION / 1000 * 1000;
}

/// What every call of the thread returns, and reading the last error does not end.
cudaError_t lastingError() {
  return driverSuffices() ? deviceError(currentDevice()) : cudaErrorInsufficientDriver;
}

}  // namespace

cudaError_t admit(const char* function, Needs needs) {
  configuration();  // may plan failures
  const cudaError_t injected = countAndFail(function);
  if (injected != cudaSuccess) {
    if (isSticky(injected) && currentDevice() < deviceCount()) loseDevice(currentDevice(), injected);
    return injected;
  }
  if (needs == Needs::nothing) return cudaSuccess;
  if (callbackDepth > 0) {
    reportFailure(std::string(function) + " was called inside a host function or a kernel");
    return cudaErrorNotPermitted;
  }
  if (!driverSuffices()) return cudaErrorInsufficientDriver;
  if (needs == Needs::driver) return cudaSuccess;
  if (deviceCount() == 0) return cudaErrorNoDevice;
  const cudaError_t lost = deviceError(currentDevice());
  if (lost != cudaSuccess) return lost;
  return needs == Needs::unsafe ? forbidWhileCapturing() : cudaSuccess;
}

cudaError_t leave(cudaError_t result) {
  if (result != cudaSuccess) lastError().error = result;
  return result;
}

bool isSticky(cudaError_t error) {
  switch (error) {
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorAssert:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
    case cudaErrorUnknown: return true;
    default: return false;
  }
}

InsideCallback::InsideCallback() {
  ++callbackDepth;
}
InsideCallback::~InsideCallback() {
  --callbackDepth;
}

void planFailures(const std::vector<std::string>& items) {
  Ledger& all = ledger();
  const std::lock_guard lock(all.mutex);
  all.planned.clear();
  for (const std::string& item : items) {
    const std::size_t first = item.find(':');
    const std::size_t second = item.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) {
      std::fprintf(stderr, "fakecuda: FAKECUDA_FAIL has '%s', which is not FUNCTION:CALL:ERROR\n", item.c_str());
      _exit(70);
    }
    all.planned[{item.substr(0, first), std::atoi(item.c_str() + first + 1)}] =
        static_cast<cudaError_t>(std::atoi(item.c_str() + second + 1));
  }
}

void forgetCalls() {
  Ledger& all = ledger();
  const std::lock_guard lock(all.mutex);
  all.counts.clear();
  all.planned.clear();
  all.failures.clear();
}

void failCall(const std::string& function, int which, cudaError_t error) {
  Ledger& all = ledger();
  const std::lock_guard lock(all.mutex);
  all.planned[{function, all.counts[function] + which}] = error;
}

int callCount(const std::string& function) {
  Ledger& all = ledger();
  const std::lock_guard lock(all.mutex);
  const auto count = all.counts.find(function);
  return count == all.counts.end() ? 0 : count->second;
}

std::vector<std::string> failures() {
  Ledger& all = ledger();
  const std::lock_guard lock(all.mutex);
  return all.failures;
}

void reportFailure(std::string what) {
  Ledger& all = ledger();
  const std::lock_guard lock(all.mutex);
  all.failures.push_back(std::move(what));
}

std::vector<std::string> takeFailures() {
  Ledger& all = ledger();
  const std::lock_guard lock(all.mutex);
  return std::exchange(all.failures, {});
}

}  // namespace fakecuda

using fakecuda::call;
using fakecuda::Needs;

extern "C" {

cudaError_t cudaGetLastError() {
  const cudaError_t lasting = fakecuda::lastingError();
  const cudaError_t last = std::exchange(fakecuda::lastError().error, cudaSuccess);
  return lasting != cudaSuccess ? lasting : last;
}

cudaError_t cudaPeekAtLastError() {
  const cudaError_t lasting = fakecuda::lastingError();
  return lasting != cudaSuccess ? lasting : fakecuda::lastError().error;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  return call(__func__, Needs::nothing, [&] {
    if (version == nullptr) return cudaErrorInvalidValue;
    *version = CUDART_VERSION;
    return cudaSuccess;
  });
}

cudaError_t cudaDriverGetVersion(int* version) {
  return call(__func__, Needs::nothing, [&] {
    if (version == nullptr) return cudaErrorInvalidValue;
    *version = fakecuda::configuration().driverVersion;
    return cudaSuccess;
  });
}

}  // extern "C"

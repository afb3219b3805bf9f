// SPDX-License-Identifier: Apache-2.0
// Copies and fills: what the runtime checks of them, and when it waits.
#include <cuda_runtime_api.h>

#include "tests/fakecuda/runtime/calls.h"
#include "tests/fakecuda/runtime/capture.h"
#include "tests/fakecuda/runtime/memory.h"
#include "tests/fakecuda/runtime/streams.h"

namespace fakecuda {
namespace {

enum class Place : unsigned char { pageable, pinned, device, either };

Place placeOf(const void* pointer) {
  const std::optional<Allocation> allocation = find(pointer);
  if (!allocation) return Place::pageable;
  if (allocation->onHost()) return Place::pinned;
  return allocation->kind == MemoryKind::managed ? Place::either : Place::device;
}

bool canBeHost(Place place) {
  return place != Place::device;
}
bool canBeDevice(Place place) {
  return place != Place::pageable;
}  // pinned memory is the device's to read too

bool agrees(cudaMemcpyKind kind, Place to, Place from) {
  switch (kind) {
    case cudaMemcpyHostToHost: return canBeHost(to) && canBeHost(from);
    case cudaMemcpyHostToDevice: return canBeDevice(to) && canBeHost(from);
    case cudaMemcpyDeviceToHost: return canBeHost(to) && canBeDevice(from);
    case cudaMemcpyDeviceToDevice: return canBeDevice(to) && canBeDevice(from);
    default: return true;
  }
}

bool isMulticast(const void* pointer) {
  const std::optional<Allocation> allocation = find(pointer);
  return allocation && allocation->kind == MemoryKind::multicast;
}

cudaError_t check(const void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  if (kind < cudaMemcpyHostToHost || kind > cudaMemcpyDefault) return cudaErrorInvalidMemcpyDirection;
  if (to == nullptr || from == nullptr || !fits(to, bytes) || !fits(from, bytes)) return cudaErrorInvalidValue;
  if (isMulticast(to) || isMulticast(from)) return cudaErrorInvalidValue;
  return agrees(kind, placeOf(to), placeOf(from)) ? cudaSuccess : cudaErrorInvalidValue;
}

enum class Waits : unsigned char { asTheMemoryDemands, always };

/// Where pageable memory is involved, a copy is not as asynchronous as it is called: the source is read before the call
/// returns, and the target is written. Between devices not even the blocking form waits.
cudaError_t copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream, Waits waits) {
  if (bytes == 0) return cudaSuccess;
  const cudaError_t wrong = check(to, from, bytes, kind);
  if (wrong != cudaSuccess) return wrong;
  const Place target = placeOf(to);
  const Place source = placeOf(from);
  if (waits == Waits::always) {
    const cudaError_t forbidden = forbidSynchronousCopy(stream);
    if (forbidden != cudaSuccess) return forbidden;
  }
  CopyWork work{to, from, bytes, kind, nullptr};
  const bool betweenDevices = target == Place::device && source == Place::device;
  if (target == Place::pageable || (waits == Waits::always && !betweenDevices)) return submitAndWait(stream, work);
  if (source == Place::pageable && !isCapturing(stream)) {
    const auto* const begin = static_cast<const std::byte*>(from);
    work.staged = std::make_shared<const std::vector<std::byte>>(begin, begin + bytes);
  }
  return submit(stream, work);
}

cudaError_t fill(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  if (bytes == 0) return cudaSuccess;
  if (to == nullptr || !fits(to, bytes) || !canBeDevice(placeOf(to)) || isMulticast(to)) return cudaErrorInvalidValue;
  return submit(stream, FillWork{{to, bytes, static_cast<unsigned>(value) & 0xFF, 1, bytes, 1}});
}

}  // namespace

}  // namespace fakecuda

using namespace fakecuda;

extern "C" {

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  return call(__func__, Needs::device, [&] { return copy(to, from, bytes, kind, nullptr, Waits::always); });
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  return call(__func__, Needs::device, [&] { return copy(to, from, bytes, kind, stream, Waits::asTheMemoryDemands); });
}

cudaError_t cudaMemcpyPeer(void* to, int /*toDevice*/, const void* from, int /*fromDevice*/, std::size_t bytes) {
  return call(__func__, Needs::device,
              [&] { return copy(to, from, bytes, cudaMemcpyDeviceToDevice, nullptr, Waits::always); });
}

cudaError_t cudaMemcpyPeerAsync(void* to, int /*toDevice*/, const void* from, int /*fromDevice*/, std::size_t bytes,
                                cudaStream_t stream) {
  return call(__func__, Needs::device,
              [&] { return copy(to, from, bytes, cudaMemcpyDeviceToDevice, stream, Waits::asTheMemoryDemands); });
}

cudaError_t cudaMemset(void* to, int value, std::size_t bytes) {
  return call(__func__, Needs::device, [&] { return fill(to, value, bytes, nullptr); });
}

cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  return call(__func__, Needs::device, [&] { return fill(to, value, bytes, stream); });
}

}  // extern "C"

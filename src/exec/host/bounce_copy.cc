// SPDX-License-Identifier: Apache-2.0
#include "src/exec/host/bounce_copy.h"

#include <algorithm>

#include "kernels/host/kernels.h"

namespace atl::exec {
namespace {

constexpr std::uint32_t kTimedEvery = 16;
constexpr std::uint32_t kOtherEvery = 128;  ///< a multiple of kTimedEvery

}  // namespace

std::uint32_t blendedCost(std::uint32_t known, Duration spent, std::size_t bytes) {
  const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(spent).count();
  const auto sample = static_cast<std::uint64_t>(std::max<std::int64_t>(nanoseconds, 1)) * 1000 / bytes + 1;
  std::uint64_t blended = sample;
  if (known != 0 && sample > known) {
    const std::uint64_t bounded = std::min<std::uint64_t>(sample, std::uint64_t{known} * 2);
    blended = known + (bounded - known + 7) / 8;
  }
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(blended, UINT32_MAX));
}

CopyMarks BounceCopier::choose(Known& known, const std::atomic<std::uint32_t> (&readCost)[2]) {
  const std::uint32_t turn = known.messages++;
  if (turn < kFirstTimed) return {turn % 2 == 1, true};
  const std::uint32_t read[2] = {readCost[0].load(std::memory_order_relaxed),
                                 readCost[1].load(std::memory_order_relaxed)};
  // Unknown: the peer runs the call in a form that does not time. Around the cache is never very wrong.
  const bool unknown = read[0] == 0 || read[1] == 0;
  const bool streamed =
      unknown || std::uint64_t{known.writeCost[1]} + read[1] <= std::uint64_t{known.writeCost[0]} + read[0];
  return {turn % kOtherEvery == 0 ? !streamed : streamed, turn % kTimedEvery == 0};
}

CopyMarks BounceCopier::copy(std::byte* slot, const std::byte* data, std::size_t bytes, const Mailbox& out,
                             Path stream) {
  CopyMarks marks{stream != Path::off, false};
  const std::size_t sizes = copyClassOf(bytes);
  if (stream == Path::automatic && bytes <= kMostAdaptive) marks = choose(known_[sizes], out.readCost[sizes]);
  const auto write = marks.streamed ? kernels::streamBytes : kernels::copyBytes;
  if (!marks.timed) {
    write(slot, data, bytes);
    return marks;
  }
  const auto begin = Clock::now();
  write(slot, data, bytes);
  std::uint32_t& cost = known_[sizes].writeCost[marks.streamed ? 1 : 0];
  cost = blendedCost(cost, Clock::now() - begin, bytes);
  return marks;
}

void noteReading(Mailbox& in, CopyMarks marks, Duration spent, std::size_t bytes) {
  auto& cost = in.readCost[copyClassOf(bytes)][marks.streamed ? 1 : 0];
  cost.store(blendedCost(cost.load(std::memory_order_relaxed), spent, bytes), std::memory_order_relaxed);
}

}  // namespace atl::exec

// SPDX-License-Identifier: Apache-2.0
#include "src/exec/host/output_reads.h"

namespace atl::exec {
namespace {

/// Calls `visit` with every part that a chunk names in any repetition, until it returns false.
template <typename Visit>
void eachPart(const Chunk& chunk, std::int32_t repeat, Visit visit) {
  const std::int32_t repetitions = chunk.stride == 0 ? 1 : repeat;
  for (std::int32_t k = 0; k < repetitions; ++k) {
    const Chunk at = atRepetition(chunk, k, 1);
    for (std::int32_t part = at.index; part < at.index + at.span; ++part) {
      if (!visit(static_cast<std::size_t>(part))) return;
    }
  }
}

}  // namespace

OutputReads::OutputReads(const Plan& plan) {
  forEachStep(plan, [this](const Step& step, std::int32_t repeat) {
    if (step.kind == Step::Kind::send) add(step.chunk, repeat);
    for (const Operand& operand : step.operands) {
      if (!operand.isPeer()) add(operand.chunk, repeat);
    }
  });
}

void OutputReads::add(const Chunk& chunk, std::int32_t repeat) {
  if (chunk.buffer != Buffer::output) return;
  if (parts_ == 0) {
    parts_ = chunk.parts;
    read_.resize(static_cast<std::size_t>(chunk.parts));
  }
  mixed_ |= chunk.parts != parts_;
  if (mixed_) return;
  eachPart(chunk, repeat, [&](std::size_t part) { return read_[part] = true; });
}

bool OutputReads::includes(const Chunk& destination, std::int32_t repeat) const {
  if (destination.buffer != Buffer::output) return true;
  if (parts_ == 0) return false;
  if (mixed_ || destination.parts != parts_) return true;
  bool found = false;
  eachPart(destination, repeat, [&](std::size_t part) {
    found = read_[part];
    return !found;
  });
  return found;
}

}  // namespace atl::exec

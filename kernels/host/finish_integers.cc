// SPDX-License-Identifier: Apache-2.0
// The finishing of integer averages. Plain loops: vectors have no integer division.
#include <cstdint>

#include "kernels/host/dispatch.h"

namespace atl::kernels {
namespace {

/// Divides by a divisor of the element's own width where it fits, which machines do faster than 64-bit division.
/// A divisor above every value of the type leaves zeros, except that −128 / 128 is −1, which the wider type gets right.
template <class T, class Wide>
void average(void* data, std::size_t count, int ranks) {
  T* const elements = static_cast<T*>(data);
  const Wide divisor = static_cast<Wide>(ranks);
  for (std::size_t i = 0; i < count; ++i) {
    elements[i] = static_cast<T>(static_cast<Wide>(elements[i]) / divisor);
  }
}

}  // namespace

FinishFn integerAverage(DataType type) {
  switch (type) {
    case DataType::int8: return &average<std::int8_t, std::int32_t>;
    case DataType::uint8: return &average<std::uint8_t, std::uint32_t>;
    case DataType::int32: return &average<std::int32_t, std::int32_t>;
    case DataType::uint32: return &average<std::uint32_t, std::uint32_t>;
    case DataType::int64: return &average<std::int64_t, std::int64_t>;
    case DataType::uint64: return &average<std::uint64_t, std::uint64_t>;
    default: return nullptr;
  }
}

}  // namespace atl::kernels

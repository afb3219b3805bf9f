// SPDX-License-Identifier: Apache-2.0
// The scaling of an input before a sum, as premulsum wants it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cuda/elements.h"

namespace atl::kernels::device {

/// to[i] = from[i] · *scalar, rounded as the type rounds; 16- and 8-bit floats multiply in float32, integers wrap.
struct Scaling {
  std::byte* to = nullptr;  ///< elements' alignment suffices
  const std::byte* from = nullptr;
  const std::byte* scalar = nullptr;  ///< one element that the device reads when the kernel runs; null: `value`
  alignas(8) std::byte value[8] = {};
  std::uint64_t count = 0;
  DataType type = DataType::uint8;
};

template <DataType type>
ATOLL_HOST_DEVICE void scaleElements(const Scaling& scaling, std::uint64_t first, std::uint64_t stride) {
  using Elements = ElementsOf<type>;
  constexpr std::uint64_t kBytes = sizeof(Quad) / Elements::kPerQuad;
  // Every element is taken as the first of a quad of its own: what the rest of the quad holds does not matter.
  const auto load = [](const std::byte* at) {
    Quad quad{};
    __builtin_memcpy(&quad, at, kBytes);
    typename Elements::Folded folded[Elements::kPerQuad];
    Elements::load(quad, folded);
    return folded[0];
  };
  const auto factor = load(scaling.scalar != nullptr ? scaling.scalar : scaling.value);
  for (std::uint64_t i = first; i < scaling.count; i += stride) {
    typename Elements::Folded products[Elements::kPerQuad] = {};
    products[0] = product(load(scaling.from + i * kBytes), factor);
    const Quad quad = Elements::store(products);
    __builtin_memcpy(scaling.to + i * kBytes, &quad, kBytes);
  }
}

/// Elements number `first`, `first` + stride, …
ATOLL_HOST_DEVICE inline void scale(const Scaling& scaling, std::uint64_t first, std::uint64_t stride) {
  switch (scaling.type) {
    case DataType::int8: return scaleElements<DataType::int8>(scaling, first, stride);
    case DataType::uint8: return scaleElements<DataType::uint8>(scaling, first, stride);
    case DataType::int32: return scaleElements<DataType::int32>(scaling, first, stride);
    case DataType::uint32: return scaleElements<DataType::uint32>(scaling, first, stride);
    case DataType::int64: return scaleElements<DataType::int64>(scaling, first, stride);
    case DataType::uint64: return scaleElements<DataType::uint64>(scaling, first, stride);
    case DataType::float16: return scaleElements<DataType::float16>(scaling, first, stride);
    case DataType::float32: return scaleElements<DataType::float32>(scaling, first, stride);
    case DataType::float64: return scaleElements<DataType::float64>(scaling, first, stride);
    case DataType::bfloat16: return scaleElements<DataType::bfloat16>(scaling, first, stride);
    case DataType::float8e4m3: return scaleElements<DataType::float8e4m3>(scaling, first, stride);
    case DataType::float8e5m2: return scaleElements<DataType::float8e5m2>(scaling, first, stride);
  }
}

}  // namespace atl::kernels::device

// SPDX-License-Identifier: Apache-2.0
// Proof that what one device stores in another's memory arrives there. On machines whose IOMMU or PCIe bridges (ACS)
// stand in the way, peer access is granted and works without an error, and data is lost or wrong: so it is tried before
// it is trusted.
//
// One rank writes a pattern, tells the other when it is written, and that one looks for it in its own memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "src/cuda/runtime.h"

namespace atl::cuda {

/// Bytes of a pattern.
inline constexpr std::size_t kProofBytes = 4096;

/// Writes pattern number `number` to the peer's memory as kernels write, by way of as many bytes of this device's.
/// Returns when it is written.
Status writeProof(std::byte* to, std::byte* way, std::uint64_t number, Stream& stream);

/// Whether the pattern lies in this device's memory; an error says how much of it does not.
Status checkProof(const std::byte* at, std::uint64_t number, Stream& stream);

}  // namespace atl::cuda

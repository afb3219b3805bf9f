// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

namespace atl {

/// Bytes that the kernel expects to be able to give without killing anyone; nothing if it does not say. It grants a
/// file's pages one by one and never refuses a single page, so a request that cannot be met would end in its
/// out-of-memory killer rather than in an error.
std::optional<std::uint64_t> availableMemory();

}  // namespace atl

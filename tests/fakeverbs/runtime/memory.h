// SPDX-License-Identifier: Apache-2.0
// Registered memory as the hardware reaches it: by keys. The caller holds the world's lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tests/fakeverbs/runtime/world.h"

namespace fakeverbs {

/// Where local memory of a work request lies; null if the key does not cover all of it, belongs to another domain or
/// lacks the access.
std::byte* localMemory(const World& all, const ibv_pd* domain, std::uint32_t key, std::uint64_t address,
                       std::size_t bytes, unsigned access);
/// The same for a peer's request.
std::byte* remoteMemory(const World& all, const ibv_pd* domain, std::uint32_t key, std::uint64_t address,
                        std::size_t bytes, unsigned access);

/// Are all parts of a work request covered?
bool mayAccess(const World& all, const ibv_pd* domain, const std::vector<ibv_sge>& parts, unsigned access);

/// Copies [offset, offset + to.size()) of a work request's memory. False if it is not covered, any more.
bool gather(const World& all, const ibv_pd* domain, const std::vector<ibv_sge>& parts, std::size_t offset,
            std::span<std::byte> to);
bool scatter(const World& all, const ibv_pd* domain, const std::vector<ibv_sge>& parts, std::size_t offset,
             std::span<const std::byte> from);

std::size_t totalLength(const std::vector<ibv_sge>& parts);

}  // namespace fakeverbs

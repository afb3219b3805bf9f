// SPDX-License-Identifier: Apache-2.0
// A link whose peer neither device can reach: what lies between this device and the host, in pinned memory. The device
// works it as it works any link (mail.h); the host does what the peer would have done, with the peer's host (relay.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "src/exec/cuda/device/mail.h"

namespace atl::device {

struct Staging {
  Region* in = nullptr;          ///< the device's `here`, which the host writes …
  std::byte* inSlots = nullptr;  ///< … with kMails slots
  Region* out = nullptr;         ///< the device's `there`, which the host reads …
  std::byte* outSlots = nullptr;
  std::uint64_t slotBytes = 0;
};

}  // namespace atl::device

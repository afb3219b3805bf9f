// SPDX-License-Identifier: Apache-2.0
// Running the kernels with each instruction set that this machine has.
#pragma once

#include <cstdint>
#include <functional>

namespace atl::kernels::test {

/// Calls `body` once per compiled instruction set that runs here, with that set in use and its name in the failure
/// trace.
void forEachTarget(const std::function<void()>& body);

}  // namespace atl::kernels::test

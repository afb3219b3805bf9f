// SPDX-License-Identifier: Apache-2.0
// The kernels for the fake CUDA runtime: their control code on host threads, their reductions as hosts compile them.
#pragma once

namespace atl::test {

/// Once a process, before kernels are launched.
void registerKernels();

}  // namespace atl::test

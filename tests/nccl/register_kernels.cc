// SPDX-License-Identifier: Apache-2.0
// For a program that knows nothing of the tests' CUDA runtime.
#include "tests/cuda/fake_kernels.h"

namespace {
[[maybe_unused]] const bool kRegistered = (atl::test::registerKernels(), true);
}  // namespace

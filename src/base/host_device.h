// SPDX-License-Identifier: Apache-2.0
// Code that runs on hosts and, where CUDA's compiler reads it, on devices too.
#pragma once

#ifdef __CUDACC__
#define ATOLL_HOST_DEVICE __host__ __device__
#else
#define ATOLL_HOST_DEVICE
#endif

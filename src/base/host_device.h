// SPDX-License-Identifier: Apache-2.0
// Code that runs on hosts and, where CUDA's compiler reads it, on devices too.
#pragma once

#ifdef __CUDACC__
#define ATOLL_HOST_DEVICE __host__ __device__
/// A function with registers of its own, so that those of its caller are not counted with them.
#define ATOLL_HOST_DEVICE_APART __host__ __device__ __noinline__
#else
#define ATOLL_HOST_DEVICE
#define ATOLL_HOST_DEVICE_APART
#endif

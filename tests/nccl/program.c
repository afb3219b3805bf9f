/* SPDX-License-Identifier: Apache-2.0 */
/* A program as NCCL's users write them, compiled with NVIDIA's header: two devices in one process, a sum in a group. */
#include <cuda_runtime_api.h>
#include <nccl.h>
#include <stdio.h>
#include <stdlib.h>

#define RANKS 2
#define COUNT 1000

static void check(int good, const char* what, const char* why) {
  if (good) return;
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}
#define NCCL(call) check((call) == ncclSuccess, #call, ncclGetLastError(NULL))
#define CUDA(call) check((call) == cudaSuccess, #call, cudaGetErrorString(cudaPeekAtLastError()))

int main(void) {
  ncclComm_t comms[RANKS];
  cudaStream_t streams[RANKS];
  float* buffers[RANKS];
  float values[COUNT];
  NCCL(ncclCommInitAll(comms, RANKS, NULL));
  for (int rank = 0; rank < RANKS; ++rank) {
    CUDA(cudaSetDevice(rank));
    CUDA(cudaStreamCreate(&streams[rank]));
    CUDA(cudaMalloc((void**)&buffers[rank], sizeof values));
    for (int i = 0; i < COUNT; ++i) values[i] = (float)(i + rank);
    CUDA(cudaMemcpy(buffers[rank], values, sizeof values, cudaMemcpyHostToDevice));
  }
  NCCL(ncclGroupStart());
  for (int rank = 0; rank < RANKS; ++rank) {
    NCCL(ncclAllReduce(buffers[rank], buffers[rank], COUNT, ncclFloat, ncclSum, comms[rank], streams[rank]));
  }
  NCCL(ncclGroupEnd());
  for (int rank = 0; rank < RANKS; ++rank) {
    CUDA(cudaStreamSynchronize(streams[rank]));
    CUDA(cudaMemcpy(values, buffers[rank], sizeof values, cudaMemcpyDeviceToHost));
    for (int i = 0; i < COUNT; ++i) check(values[i] == (float)(2 * i + 1), "sum", "wrong");
    CUDA(cudaFree(buffers[rank]));
    CUDA(cudaStreamDestroy(streams[rank]));
    NCCL(ncclCommDestroy(comms[rank]));
  }
  return 0;
}

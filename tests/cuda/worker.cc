// SPDX-License-Identifier: Apache-2.0
// One rank of a job of processes: worker RANK RANKS FILE [VICTIM]. Sums, gathers and sends between devices, by two
// communicators, and ends with 0 if every element is right. A VICTIM kills itself after that, and the others end with 0
// if their next call fails and names it.
#include <cuda_runtime_api.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "atoll/atoll.h"
#include "tests/cuda/fake_kernels.h"
#include "tests/fakecuda/fakecuda.h"

namespace {

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "worker: %s\n", what.c_str());
  std::exit(1);
}
void need(cudaError_t error) {
  if (error != cudaSuccess) fail(cudaGetErrorString(error));
}
void need(atollResult_t result) {
  if (result != atollSuccess) fail(atollGetLastError(nullptr));
}

/// Memory of the thread's device.
class Numbers {
 public:
  Numbers(std::size_t count, int value) : count_(count) {
    const std::vector<int> values(count, value);
    need(cudaMalloc(&data_, count * sizeof(int)));
    need(cudaMemcpy(data_, values.data(), count * sizeof(int), cudaMemcpyHostToDevice));
  }
  ~Numbers() { cudaFree(data_); }
  Numbers(const Numbers&) = delete;
  Numbers& operator=(const Numbers&) = delete;
  [[nodiscard]] void* data() const { return data_; }

  /// Part `part` of `parts`, all of whose numbers are to be `want`.
  void expect(int want, const char* what, int part = 0, int parts = 1) const {
    std::vector<int> got(count_ / static_cast<std::size_t>(parts));
    need(cudaMemcpy(got.data(), static_cast<int*>(data_) + static_cast<std::size_t>(part) * got.size(),
                    got.size() * sizeof(int), cudaMemcpyDeviceToHost));
    for (const int value : got) {
      if (value != want) fail(std::string(what) + ": " + std::to_string(value) + ", not " + std::to_string(want));
    }
  }

 private:
  std::size_t count_;
  void* data_ = nullptr;
};

/// Where a rank is, and where its calls go.
struct Place {
  atollComm_t comm;
  int rank;
  int ranks;
  cudaStream_t stream;
  [[nodiscard]] atollStream_t queue() const { return reinterpret_cast<atollStream_t>(stream); }
  [[nodiscard]] int sum() const { return ranks * (ranks + 1) / 2; }
};

void sumsAndGathers(const Place& at, std::size_t count) {
  const Numbers send(count, at.rank + 1);
  const Numbers sum(count, 0);
  const Numbers all(count * static_cast<std::size_t>(at.ranks), 0);
  for (int i = 0; i < 2; ++i) {
    need(atollAllReduce(send.data(), sum.data(), count, atollInt, atollSum, at.comm, at.queue()));
    need(atollAllGather(send.data(), all.data(), count, atollInt, at.comm, at.queue()));
    need(cudaStreamSynchronize(at.stream));
    sum.expect(at.sum(), "sum");
    for (int from = 0; from < at.ranks; ++from) all.expect(from + 1, "gathered", from, at.ranks);
  }
}

/// In place, and each rank's number goes to the next rank.
void sumAndRingInAGroup(const Place& at, std::size_t count) {
  const Numbers sum(count, at.rank + 1);
  const Numbers send(count, at.rank);
  const Numbers recv(count, -1);
  const int before = (at.rank + at.ranks - 1) % at.ranks;
  need(atollGroupStart());
  need(atollAllReduce(sum.data(), sum.data(), count, atollInt, atollSum, at.comm, at.queue()));
  need(atollSend(send.data(), count, atollInt, (at.rank + 1) % at.ranks, at.comm, at.queue()));
  need(atollRecv(recv.data(), count, atollInt, before, at.comm, at.queue()));
  need(atollGroupEnd());
  need(cudaStreamSynchronize(at.stream));
  sum.expect(at.sum(), "sum in a group");
  recv.expect(before, "received");
}

/// The same ranks in another order; their links are others than those of the first.
void inAnotherCommunicator(const Place& first) {
  Place at = first;
  at.rank = first.ranks - 1 - first.rank;
  need(atollCommSplit(first.comm, 0, at.rank, &at.comm, nullptr));
  sumsAndGathers(at, 1000);
  sumsAndGathers(first, 1000);
  need(atollCommDestroy(at.comm));
  sumsAndGathers(first, 1000);
}

/// The victim dies, and whoever is left hears of it in a call that waits for the victim.
[[noreturn]] void outlive(const Place& at, int victim) {
  if (at.rank == victim) ::raise(SIGKILL);
  const Numbers sum(100, 0);
  atollResult_t result = atollAllReduce(sum.data(), sum.data(), 100, atollInt, atollSum, at.comm, at.queue());
  need(cudaStreamSynchronize(at.stream));
  if (result == atollSuccess) need(atollCommGetAsyncError(at.comm, &result));
  if (result == atollSuccess) fail("no error after a rank was killed");
  const std::string text = atollGetLastError(at.comm);
  if (text.find("rank " + std::to_string(victim)) == std::string::npos) fail("the error does not name it: " + text);
  need(atollCommAbort(at.comm));
  std::_Exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) fail("arguments: RANK RANKS FILE [VICTIM]");
  Place at{nullptr, std::atoi(argv[1]), std::atoi(argv[2]), nullptr};
  atl::test::registerKernels();
  atollConfig_t config = ATOLL_CONFIG_INITIALIZER;
  config.device = at.rank % 2;
  config.timeout = 20;
  need(atollCommInitFile(&at.comm, at.ranks, at.rank, argv[3], &config));
  need(cudaSetDevice(config.device));
  need(cudaStreamCreateWithFlags(&at.stream, cudaStreamNonBlocking));
  for (const std::size_t count : {std::size_t{100}, std::size_t{100'000}}) {
    sumsAndGathers(at, count);
    sumAndRingInAGroup(at, count);
  }
  inAnotherCommunicator(at);
  if (argc == 5) outlive(at, std::atoi(argv[4]));
  need(atollCommDestroy(at.comm));
  need(cudaStreamDestroy(at.stream));
  if (!(fakecuda::liveObjects() == fakecuda::LiveObjects{})) fail("something is left");
  return 0;
}

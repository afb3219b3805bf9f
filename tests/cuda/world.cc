// SPDX-License-Identifier: Apache-2.0
#include "tests/cuda/world.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/cuda/fake_kernels.h"
#include "tests/fakecuda/fakecuda.h"
#include "tests/support/rank_threads.h"

namespace atl::test {
namespace {

void need(cudaError_t error, const char* what) {
  if (error != cudaSuccess) throw std::runtime_error(fmt::format("{}: {}", what, cudaGetErrorString(error)));
}

/// This rank's part of a case.
std::optional<std::string> runAs(Communicator& communicator, const CollectiveCase& c, cudaStream_t stream) {
  const Rank rank = communicator.rank();
  const Rank ranks = communicator.ranks();
  const std::size_t in = inputCount(c, rank, ranks);
  const std::size_t out = outputCount(c, rank, ranks);
  const std::size_t element = sizeOf(c.type);
  const std::size_t own = static_cast<std::size_t>(rank) * c.count;
  const bool gathers = c.collective == Collective::allGather || c.collective == Collective::gather;
  const bool scatters = c.collective == Collective::reduceScatter || c.collective == Collective::scatter;
  const std::size_t sendAt = c.inPlace && gathers && out > 0 ? own : 0;
  const std::size_t recvAt = c.inPlace && scatters && in > 0 ? own : 0;

  std::vector<std::byte> source((c.inPlace ? std::max(in, out) : in) * element);
  for (std::size_t i = 0; i < in; ++i) {
    store(c.type, source.data() + (sendAt + i) * element, contribution(c, rank, ranks, i));
  }
  DeviceBuffer input(source.size());
  std::optional<DeviceBuffer> output;
  if (!c.inPlace) output.emplace(out * element);
  input.put(source.data());
  DeviceBuffer& target = c.inPlace ? input : *output;
  const Call call = deviceCall(c, input.data() + sendAt * element, target.data() + recvAt * element, stream);
  if (auto status = communicator.run(call); !status.ok()) return status.error().text;
  need(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
  if (auto status = communicator.failure(); !status.ok()) return status.error().text;

  std::vector<std::byte> got(c.inPlace ? source.size() : out * element);
  target.get(got.data());
  for (std::size_t i = 0; i < out; ++i) {
    const double want = expected(c, rank, ranks, i);
    const double is = load(c.type, got.data() + (recvAt + i) * element);
    const double tolerance =
        c.op == ReduceOp::avg && isReducing(c.collective) && element == 1 ? 0.26 * std::abs(want) : 0;
    if (!(std::abs(is - want) <= tolerance)) {
      return fmt::format("rank {} of {}: element {} is {}, should be {}", rank, ranks, i, is, want);
    }
  }
  return std::nullopt;
}

}  // namespace

DeviceBuffer::DeviceBuffer(std::size_t bytes) : bytes_(bytes) {
  need(cudaMalloc(&data_, std::max<std::size_t>(bytes, 1)), "cudaMalloc");
}

void DeviceBuffer::put(const void* from) {
  if (bytes_ > 0) need(cudaMemcpy(data_, from, bytes_, cudaMemcpyHostToDevice), "cudaMemcpy");
}

void DeviceBuffer::get(void* to) const {
  if (bytes_ > 0) need(cudaMemcpy(to, data_, bytes_, cudaMemcpyDeviceToHost), "cudaMemcpy");
}

DeviceWorld::DeviceWorld(std::vector<int> devices, double timeoutSeconds, const std::string& algorithms)
    : DeviceWorld(devices, std::vector<double>(devices.size(), timeoutSeconds), algorithms) {}

DeviceWorld::DeviceWorld(std::vector<int> devices, const std::vector<double>& timeouts, const std::string& algorithms)
    : devices_(std::move(devices)) {
  make(fakecuda::configurationFromEnvironment(), timeouts, algorithms);
}

DeviceWorld::DeviceWorld(std::vector<int> devices, const fakecuda::Configuration& machine)
    : devices_(std::move(devices)) {
  make(machine, std::vector<double>(devices_.size(), 20), {});
}

DeviceWorld::DeviceWorld(std::vector<int> devices, Between between, double timeoutSeconds,
                         const std::string& algorithms)
    : devices_(std::move(devices)) {
  make(fakecuda::configurationFromEnvironment(), std::vector<double>(devices_.size(), timeoutSeconds), algorithms,
       between);
}

void DeviceWorld::make(const fakecuda::Configuration& machine, const std::vector<double>& timeouts,
                       const std::string& algorithms, Between between) {
  fakecuda::reset(machine);
  static const bool registered = (registerKernels(), true);
  static_cast<void>(registered);
  Settings settings = testSettings();
  settings.algorithms = algorithms;
  settings.peerAccess = between == Between::peerAccess;
  if (between == Between::hosts) settings.transports = "tcp";
  if (between == Between::nothing) settings.transports = "shm";
  auto session = Session::local(ranks(), settings);
  for (Rank r = 0; r < ranks(); ++r) {
    settings.device = devices_[static_cast<std::size_t>(r)];
    settings.timeoutSeconds = timeouts[static_cast<std::size_t>(r)];
    auto made = Communicator::create(session, r, settings);
    if (!made.ok()) throw std::runtime_error(made.error().text);
    communicators_.push_back(std::move(made).value());
  }
}

DeviceWorld::~DeviceWorld() {
  communicators_.clear();
  if (!lost_) {
    EXPECT_EQ(fakecuda::liveObjects(), fakecuda::LiveObjects{});
  }
  for (const std::string& failure : fakecuda::takeFailures()) ADD_FAILURE() << failure;
}

void DeviceWorld::onRanks(const std::function<void(Rank, cudaStream_t)>& body) {
  onThreads(ranks(), [&](Rank rank) {
    need(cudaSetDevice(devices_[static_cast<std::size_t>(rank)]), "cudaSetDevice");
    cudaStream_t stream = nullptr;
    need(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    body(rank, stream);
    cudaStreamDestroy(stream);
  });
}

std::optional<std::string> DeviceWorld::run(const CollectiveCase& c) {
  std::vector<std::optional<std::string>> wrong(devices_.size());
  onRanks(
      [&](Rank rank, cudaStream_t stream) { wrong[static_cast<std::size_t>(rank)] = runAs((*this)[rank], c, stream); });
  for (const auto& text : wrong) {
    if (text) return text;
  }
  return std::nullopt;
}

Call deviceCall(const CollectiveCase& c, const void* send, void* recv, cudaStream_t stream) {
  Call call;
  call.collective = c.collective;
  call.count = c.count;
  call.type = c.type;
  call.op.op = c.op;
  call.root = c.root;
  call.send = send;
  call.recv = recv;
  call.onDevice = true;
  call.stream = stream;
  return call;
}

}  // namespace atl::test

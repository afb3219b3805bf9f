// SPDX-License-Identifier: Apache-2.0
#include "src/exec/cuda/device_rank.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "kernels/cuda/kernels.h"
#include "src/exec/cuda/device/launch.h"

namespace atl::cuda {
namespace {

/// Counters of lanes that a rank has room for; more than any plan's lanes that could all be resident.
constexpr std::size_t kMostLanes = 1024;
constexpr std::size_t kBehindControl = 256;
static_assert(sizeof(device::Control) <= kBehindControl);
constexpr std::size_t kBehindProgram = 512;
static_assert(sizeof(device::Program) <= kBehindProgram);

constexpr double kNanoseconds = 1e9;

/// To where the next copy is read as fast as any.
constexpr std::uint64_t alignedUp(std::uint64_t bytes) {
  constexpr std::uint64_t kAlign = 256;
  return (bytes + kAlign - 1) / kAlign * kAlign;
}

std::uint32_t blocksFor(std::uint64_t elements, int multiprocessors) {
  const std::uint64_t blocks = (elements + kernels::device::kScaleThreads - 1) / kernels::device::kScaleThreads;
  return static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(blocks, 1, 4 * static_cast<std::uint64_t>(multiprocessors)));
}

Status loadKernel(const void* kernel) {
  cudaFuncAttributes attributes{};
  return checked(cudaFuncGetAttributes(&attributes, kernel), "cudaFuncGetAttributes");
}

}  // namespace

Result<std::byte*> DeviceRank::Workspace::atLeast(std::uint64_t bytes) {
  if (bytes == 0) return static_cast<std::byte*>(nullptr);
  if (areas.empty() || areas.back().bytes() < bytes) {
    const std::uint64_t before = areas.empty() ? 0 : areas.back().bytes();
    ATOLL_ASSIGN(auto area, Memory::allocate(Memory::Place::device, std::max(bytes, 2 * before)));
    areas.push_back(std::move(area));
  }
  return areas.back().data();
}

Result<std::unique_ptr<DeviceRank>> DeviceRank::create(const Settings& settings) {
  ATOLL_ASSIGN(const int devices, deviceCount());
  if (settings.device < 0 || settings.device >= devices) {
    return makeError(ErrorCode::invalidArgument, "device {} is not one of the {} that this process sees",
                     settings.device, devices);
  }
  std::unique_ptr<DeviceRank> rank(new DeviceRank(settings));
  ATOLL_ASSIGN(const OnDevice onDevice, OnDevice::of(settings.device));
  ATOLL_TRY(rank->prepare());
  return rank;
}

Status DeviceRank::prepare() {
  ATOLL_TRY(checked(cudaDeviceGetAttribute(&multiprocessors_, cudaDevAttrMultiProcessorCount, settings_.device),
                    "cudaDeviceGetAttribute"));
  // A kernel that is loaded when it is first launched waits for the device, on which a call may be spinning.
  ATOLL_TRY(loadKernel(kernels::device::scaleKernel()));
  for (int type = 0; type < kDataTypes; ++type) {
    ATOLL_TRY(loadKernel(kernels::device::walkKernel(static_cast<DataType>(type))));
  }
  ATOLL_ASSIGN(shared_, Memory::allocate(Memory::Place::pinned, sizeof(Shared)));
  std::memset(shared_.data(), 0, sizeof(Shared));
  shared().signals.patience = static_cast<std::uint64_t>(settings_.timeoutSeconds * kNanoseconds);
  ATOLL_ASSIGN(private_, Memory::allocate(Memory::Place::device, kBehindControl + kMostLanes * sizeof(std::uint64_t)));
  ATOLL_ASSIGN(stream_, Stream::create());
  ATOLL_TRY(stream_->clear(private_.data(), private_.bytes()));
  ATOLL_TRY(checked(cudaEventCreateWithFlags(&joined_, cudaEventDisableTiming), "cudaEventCreateWithFlags"));
  return checked(cudaEventCreateWithFlags(&last_, cudaEventDisableTiming), "cudaEventCreateWithFlags");
}

std::shared_ptr<void> DeviceRank::finish() {
  const auto onDevice = OnDevice::of(settings_.device);
  if (std::exchange(launched_, false)) cudaEventSynchronize(last_);
  return std::make_shared<std::vector<Memory>>(links_.surrender());
}

DeviceRank::~DeviceRank() {
  const auto unused = finish();
  const auto onDevice = OnDevice::of(settings_.device);
  for (const cudaEvent_t event : {last_, joined_}) {
    if (event != nullptr) cudaEventDestroy(event);
  }
}

Status DeviceRank::checkBuffer(std::string_view argument, const void* buffer) const {
  if (buffer == nullptr) return success();
  cudaPointerAttributes attributes{};
  ATOLL_TRY(checked(cudaPointerGetAttributes(&attributes, buffer), "cudaPointerGetAttributes"));
  switch (attributes.type) {
    case cudaMemoryTypeUnregistered:
      return makeError(ErrorCode::invalidArgument,
                       "argument {} is {}, memory of the host's; the communicator works on CUDA device {}", argument,
                       buffer, settings_.device);
    case cudaMemoryTypeDevice:
      if (attributes.device == settings_.device) return success();
      return makeError(ErrorCode::invalidArgument,
                       "argument {} is {}, memory of CUDA device {}; the communicator works on device {}", argument,
                       buffer, attributes.device, settings_.device);
    default: return success();  // pinned or managed: the device reaches it
  }
}

Status DeviceRank::load(const device::ProgramImage& image, DeviceProgram& program) {
  const std::size_t bytes = kBehindProgram + image.bytes().size();
  ATOLL_ASSIGN(program.memory, Memory::allocate(Memory::Place::device, bytes));
  const device::Program placed = image.program(program.memory.data() + kBehindProgram);
  std::vector<std::byte> all(bytes);
  std::memcpy(all.data(), &placed, sizeof placed);
  std::ranges::copy(image.bytes(), all.begin() + kBehindProgram);
  ATOLL_TRY(stream_->copy(program.memory.data(), all.data(), bytes));
  program.lanes = placed.laneCount;
  if (program.lanes > multiprocessors_ || static_cast<std::size_t>(program.lanes) > kMostLanes) {
    return makeError(ErrorCode::unsupported,
                     "the plan has {} lanes, and device {} has {} multiprocessors for them to run on at once",
                     program.lanes, settings_.device, multiprocessors_);
  }
  return success();
}

// A communicator's calls run one after another, whatever streams they are on. What a graph under capture waits for has
// to be captured too, so there the order is the user's.
Status DeviceRank::follow(cudaStream_t stream) {
  if (!launched_ || stream == lastStream_) return success();
  return checked(cudaStreamWaitEvent(stream, last_, 0), "cudaStreamWaitEvent");
}

/// What the others have is waited for too.
Status DeviceRank::join(cudaStream_t stream, std::span<const cudaStream_t> others) {
  for (const cudaStream_t other : others) {
    ATOLL_TRY(checked(cudaEventRecord(joined_, other), "cudaEventRecord"));
    ATOLL_TRY(checked(cudaStreamWaitEvent(stream, joined_, 0), "cudaStreamWaitEvent"));
  }
  return success();
}

Status DeviceRank::launch(std::span<const DeviceCall> calls) {
  ATOLL_ASSIGN(const OnDevice onDevice, OnDevice::of(settings_.device));
  while (!calls.empty()) {
    const std::size_t together = callsOfALaunch(calls);
    ATOLL_TRY(launchTogether(calls.first(together)));
    calls = calls.subspan(together);
  }
  return success();
}

/// On the call's stream, and scaled where the operator wants it.
Status DeviceRank::copyInput(const DeviceCall& call, std::byte* to) {
  const DeviceProgram& program = *call.program;
  const cudaStream_t stream = call.streams.front();
  if (call.op.kind != Operator::Kind::preMulSum) {
    return checked(cudaMemcpyAsync(to, call.send, program.inputBytes, cudaMemcpyDeviceToDevice, stream),
                   "cudaMemcpyAsync");
  }
  kernels::device::Scaling scaling;
  scaling.to = to;
  scaling.from = static_cast<const std::byte*>(call.send);
  scaling.type = program.type;
  scaling.count = program.inputBytes / sizeOf(program.type);
  scaling.scalar = static_cast<const std::byte*>(call.op.scalarThere);
  std::memcpy(scaling.value, call.op.scalar.data(), sizeof scaling.value);
  void* arguments[] = {&scaling};
  return checked(cudaLaunchKernel(kernels::device::scaleKernel(), dim3(blocksFor(scaling.count, multiprocessors_)),
                                  dim3(kernels::device::kScaleThreads), arguments, 0, stream),
                 "cudaLaunchKernel");
}

// One after another, calls can use the same scratch.
Status DeviceRank::launchTogether(std::span<const DeviceCall> calls) {
  const cudaStream_t stream = calls.front().streams.front();
  const auto others = std::span(calls.front().streams).subspan(1);
  cudaStreamCaptureStatus capturing = cudaStreamCaptureStatusNone;
  ATOLL_TRY(checked(cudaStreamIsCapturing(stream, &capturing), "cudaStreamIsCapturing"));
  if (capturing == cudaStreamCaptureStatusNone) ATOLL_TRY(follow(stream));
  ATOLL_TRY(join(stream, others));

  device::Launch launch;
  std::uint32_t threads = 0;
  std::uint64_t scratchBytes = 0;
  std::uint64_t copiedBytes = 0;
  for (const DeviceCall& call : calls) copiedBytes += call.copiesInput() ? alignedUp(call.program->inputBytes) : 0;
  ATOLL_ASSIGN(std::byte * copy, input_.atLeast(copiedBytes));
  for (const DeviceCall& call : calls) {
    const DeviceProgram& program = *call.program;
    device::Run& run = launch.runs[launch.perRank++];
    run.program = reinterpret_cast<const device::Program*>(program.memory.data());
    run.control = reinterpret_cast<device::Control*>(private_.data());
    run.tilesDone = reinterpret_cast<std::uint64_t*>(private_.data() + kBehindControl);
    run.failure = &shared().failure;
    run.input = call.send;
    if (call.copiesInput()) {
      ATOLL_TRY(copyInput(call, copy));
      run.input = copy;
      copy += alignedUp(program.inputBytes);
    }
    run.output = call.recv;
    run.type = program.type;
    run.op = program.op;
    launch.blocks = std::max(launch.blocks, program.lanes);
    threads = std::max(threads, program.threads);
    scratchBytes = std::max(scratchBytes, program.scratchBytes);
  }
  ATOLL_ASSIGN(std::byte* const scratch, scratch_.atLeast(scratchBytes));
  for (device::Run& run : launch.runs) run.scratch = scratch;
  const device::Signals* signals = &shared().signals;
  void* arguments[] = {&launch, &signals};
  ATOLL_TRY(checked(cudaLaunchKernel(kernels::device::walkKernel(kernelType(calls)),
                                     dim3(static_cast<unsigned>(launch.blocks)), dim3(threads), arguments, 0, stream),
                    "cudaLaunchKernel"));
  for (const cudaStream_t other : others) ATOLL_TRY(join(other, {&stream, 1}));
  if (capturing != cudaStreamCaptureStatusNone) {
    for (const DeviceCall& call : calls) call.program->captured = true;
    captured_ = true;
    return success();
  }
  lastStream_ = stream;
  launched_ = true;
  return checked(cudaEventRecord(last_, stream), "cudaEventRecord");
}

void DeviceRank::abort() {
  __atomic_store_n(&shared().signals.abort, 1, __ATOMIC_RELAXED);
}

std::optional<device::Failure> DeviceRank::failure() const {
  device::Failure& failure = shared().failure;
  if (__atomic_load_n(&failure.kind, __ATOMIC_ACQUIRE) == 0) return std::nullopt;
  return failure;
}

Result<bool> DeviceRank::underWay() const {
  ATOLL_TRY(settleOn(settings_.device));
  const cudaError_t last = cudaEventQuery(last_);
  if (last == cudaErrorNotReady) {
    cudaGetLastError();
    return true;
  }
  ATOLL_TRY(checked(last, "cudaEventQuery"));
  return captured_.load();
}

std::size_t DeviceRank::bytesHeld() const {
  std::size_t bytes = shared_.bytes() + private_.bytes() + links_.bytesHeld();
  for (const Workspace* const workspace : {&scratch_, &input_}) {
    for (const Memory& area : workspace->areas) bytes += area.bytes();
  }
  return bytes;
}

}  // namespace atl::cuda

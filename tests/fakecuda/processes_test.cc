// SPDX-License-Identifier: Apache-2.0
// What crosses the borders of a process: memory, the environment, and failures that nobody looked at.
#include <cuda.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>

#include "tests/fakecuda/fixture.h"

extern char** environ;

namespace fakecuda {
namespace {

using ::testing::HasSubstr;

/// A running program, its standard input and output at the other end of a socket.
class Child {
 public:
  Child(std::vector<std::string> command, std::vector<std::string> variables = {}) {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    socket_ = ends[0];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    std::vector<char*> arguments;
    for (std::string& word : command) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::vector<char*> environment;
    for (std::string& variable : variables) environment.push_back(variable.data());
    for (char** inherited = environ; *inherited != nullptr; ++inherited) environment.push_back(*inherited);
    environment.push_back(nullptr);
    EXPECT_EQ(posix_spawn(&process_, arguments[0], &actions, nullptr, arguments.data(), environment.data()), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
  }
  ~Child() {
    close(socket_);
    if (process_ > 0) waitpid(process_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void sayGo() const { EXPECT_EQ(write(socket_, "g", 1), 1); }

  /// Its exit status, -1 if it was killed.
  int end() {
    int status = 0;
    EXPECT_EQ(waitpid(process_, &status, 0), process_);
    process_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  /// Everything that it writes until it ends.
  [[nodiscard]] std::string readAll() const {
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t count = 0; (count = read(socket_, buffer.data(), buffer.size())) > 0;) {
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return text;
  }

  [[nodiscard]] cudaIpcMemHandle_t receiveHandle() const {
    cudaIpcMemHandle_t handle{};
    EXPECT_EQ(recv(socket_, &handle, sizeof(handle), MSG_WAITALL), static_cast<ssize_t>(sizeof(handle)));
    return handle;
  }

  [[nodiscard]] int receiveDescriptor() const {
    char byte = 0;
    iovec part{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    EXPECT_EQ(recvmsg(socket_, &message, MSG_CMSG_CLOEXEC), 1);
    int descriptor = -1;
    const cmsghdr* const header = CMSG_FIRSTHDR(&message);
    if (header != nullptr) std::memcpy(&descriptor, CMSG_DATA(header), sizeof(descriptor));
    return descriptor;
  }

 private:
  int socket_ = -1;
  pid_t process_ = -1;
};

class Processes : public FakeCuda {};

TEST_F(Processes, Memory_IsSharedByHandle) {
  Child owner({FAKECUDA_WORKER, "share", "1"});
  const cudaIpcMemHandle_t handle = owner.receiveHandle();
  int* data = nullptr;
  void* again = nullptr;
  int value = 0;
  EXPECT_CUDA(cudaErrorInvalidValue, cudaIpcOpenMemHandle(reinterpret_cast<void**>(&data), handle, 0));
  ASSERT_CUDA(cudaIpcOpenMemHandle(reinterpret_cast<void**>(&data), handle, cudaIpcMemLazyEnablePeerAccess));
  ASSERT_CUDA(cudaIpcOpenMemHandle(&again, handle, cudaIpcMemLazyEnablePeerAccess));
  EXPECT_EQ(again, data);
  EXPECT_TRUE(mayAccess(0, data, 4000));
  EXPECT_FALSE(mayAccess(2, data, 4000));
  cudaPointerAttributes attributes{};
  ASSERT_CUDA(cudaPointerGetAttributes(&attributes, data));
  EXPECT_EQ(attributes.type, cudaMemoryTypeDevice);
  EXPECT_EQ(attributes.device, 1);
  EXPECT_CUDA(cudaSuccess, cudaMemcpy(&value, data, 4, cudaMemcpyDeviceToHost));
  EXPECT_EQ(value, 41);
  ++value;
  EXPECT_CUDA(cudaSuccess, cudaMemcpy(data, &value, 4, cudaMemcpyHostToDevice));
  EXPECT_CUDA(cudaErrorInvalidValue, cudaFree(data));
  EXPECT_CUDA(cudaSuccess, cudaIpcCloseMemHandle(data));
  EXPECT_CUDA(cudaSuccess, cudaIpcCloseMemHandle(data));
  EXPECT_CUDA(cudaErrorInvalidValue, cudaIpcCloseMemHandle(data));
  owner.sayGo();
  EXPECT_EQ(owner.end(), 0);
  EXPECT_CUDA(cudaErrorMapBufferObjectFailed, cudaIpcOpenMemHandle(&again, handle, cudaIpcMemLazyEnablePeerAccess));
}

TEST_F(Processes, Handle_CannotBeOpenedWhereItWasMade) {
  DeviceInts data(1);
  cudaIpcMemHandle_t handle{};
  void* pointer = nullptr;
  ASSERT_CUDA(cudaIpcGetMemHandle(&handle, data.data()));
  EXPECT_CUDA(cudaErrorDeviceUninitialized, cudaIpcOpenMemHandle(&pointer, handle, cudaIpcMemLazyEnablePeerAccess));
  int local = 0;
  EXPECT_CUDA(cudaErrorInvalidValue, cudaIpcGetMemHandle(&handle, &local));
}

TEST_F(Processes, HandleOfFreedMemory_DoesNotOpenWhatCameAfterIt) {
  Child owner({FAKECUDA_WORKER, "share-freed"});
  void* pointer = nullptr;
  EXPECT_CUDA(cudaErrorMapBufferObjectFailed,
              cudaIpcOpenMemHandle(&pointer, owner.receiveHandle(), cudaIpcMemLazyEnablePeerAccess));
  owner.sayGo();
  EXPECT_EQ(owner.end(), 0);
}

TEST_F(Processes, MemoryOfADeviceOutOfReach_CannotBeOpened) {
  Child owner({FAKECUDA_WORKER, "share", "1"});
  const cudaIpcMemHandle_t handle = owner.receiveHandle();
  resetWith([](Configuration& machine) { machine.peers = "none"; });
  void* pointer = nullptr;
  EXPECT_CUDA(cudaErrorPeerAccessUnsupported, cudaIpcOpenMemHandle(&pointer, handle, cudaIpcMemLazyEnablePeerAccess));
  ASSERT_CUDA(cudaSetDevice(1));
  EXPECT_CUDA(cudaSuccess, cudaIpcOpenMemHandle(&pointer, handle, cudaIpcMemLazyEnablePeerAccess));
  EXPECT_CUDA(cudaSuccess, cudaIpcCloseMemHandle(pointer));
}

TEST_F(Processes, Memory_IsSharedByDescriptor) {
  Child owner({FAKECUDA_WORKER, "share-descriptor"});
  const int descriptor = owner.receiveDescriptor();
  const auto driver = [](const char* name) {
    void* found = nullptr;
    EXPECT_CUDA(cudaSuccess, cudaGetDriverEntryPointByVersion(name, &found, 12010, cudaEnableDefault, nullptr));
    return found;
  };
  const auto import =
      reinterpret_cast<decltype(&cuMemImportFromShareableHandle)>(driver("cuMemImportFromShareableHandle"));
  const auto reserve = reinterpret_cast<decltype(&cuMemAddressReserve)>(driver("cuMemAddressReserve"));
  const auto map = reinterpret_cast<decltype(&cuMemMap)>(driver("cuMemMap"));
  const auto setAccess = reinterpret_cast<decltype(&cuMemSetAccess)>(driver("cuMemSetAccess"));
  const auto unmap = reinterpret_cast<decltype(&cuMemUnmap)>(driver("cuMemUnmap"));
  const auto freeAddress = reinterpret_cast<decltype(&cuMemAddressFree)>(driver("cuMemAddressFree"));
  const auto release = reinterpret_cast<decltype(&cuMemRelease)>(driver("cuMemRelease"));
  constexpr std::size_t bytes = 2 << 20;
  const CUmemAccessDesc access{{CU_MEM_LOCATION_TYPE_DEVICE, 0}, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
  CUmemGenericAllocationHandle handle = 0;
  CUdeviceptr address = 0;
  ASSERT_CUDA(
      import(&handle, reinterpret_cast<void*>(std::intptr_t{descriptor}), CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR));
  close(descriptor);
  ASSERT_CUDA(reserve(&address, bytes, 0, 0, 0));
  ASSERT_CUDA(map(address, bytes, 0, handle, 0));
  ASSERT_CUDA(setAccess(address, bytes, &access, 1));
  EXPECT_EQ(*reinterpret_cast<int*>(address), 41);
  *reinterpret_cast<int*>(address) = 42;
  owner.sayGo();
  EXPECT_EQ(owner.end(), 0);
  EXPECT_CUDA(cudaSuccess, unmap(address, bytes));
  EXPECT_CUDA(cudaSuccess, freeAddress(address, bytes));
  EXPECT_CUDA(cudaSuccess, release(handle));
}

TEST_F(Processes, WithFailuresThatNobodyTook_EndBadly) {
  Child child({FAKECUDA_WORKER, "launch-unknown"}, {"FAKECUDA_DEVICES=1"});
  EXPECT_EQ(child.end(), 70);
}

#ifdef FAKECUDA_PROBE
/// The probe, linked to the library proper, with another in its place.
std::string probe(const std::string& libraries, const std::vector<std::string>& variables) {
  std::vector<std::string> environment = variables;
  environment.push_back("LD_LIBRARY_PATH=" + libraries);
  Child child({FAKECUDA_PROBE}, environment);
  const std::string output = child.readAll();
  EXPECT_EQ(child.end(), 0);
  return output;
}

TEST_F(Processes, LinkedToTheRealLibrary_RunOnTheFakeWhenItComesFirst) {
  EXPECT_THAT(probe(FAKECUDA_FOLDER, {"FAKECUDA_DEVICES=3"}), HasSubstr("cudaGetDeviceCount 0 3\n"));
}

TEST_F(Processes, WithoutADriver_SeeWhatTheRealLibraryShows) {
  const std::string real = probe(FAKECUDA_REAL_FOLDER, {});
  if (real.find("cudaDriverGetVersion 0 0\n") == std::string::npos) GTEST_SKIP() << "this machine has a CUDA driver";
  EXPECT_EQ(probe(FAKECUDA_FOLDER, {"FAKECUDA_DRIVER=none"}), real);
}
#else
TEST_F(Processes, LinkedToTheRealLibrary_RunOnTheFakeWhenItComesFirst) {
  GTEST_SKIP() << "no libcudart was found at configuration";
}
TEST_F(Processes, WithoutADriver_SeeWhatTheRealLibraryShows) {
  GTEST_SKIP() << "no libcudart was found at configuration";
}
#endif

}  // namespace
}  // namespace fakecuda

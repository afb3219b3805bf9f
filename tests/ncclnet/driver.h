// SPDX-License-Identifier: Apache-2.0
// Calls a network plug-in as NCCL does: opens the library, takes the table of one version of the interface, asks for
// devices, connects with a handle that goes another way, keeps several sends and receives under way, and closes all.
#pragma once

#include <dlfcn.h>

#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "src/base/clock.h"
#include "transports/ncclnet/abi.h"

namespace atl::test {

/// What went wrong in a driver; it ends the test that runs it.
class DriverError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Warnings that the plug-in has logged.
inline std::string& warnings() {
  static std::string text;
  return text;
}

inline void logWarnings(ncclnet::LogLevel level, unsigned long /*subjects*/, const char* /*file*/, int /*line*/,
                        const char* format, ...) {
  char text[1024];
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (level == ncclnet::LogLevel::warn) warnings() += std::string(text) + "\n";
}

template <int Version>
class Driver {
 public:
  using Net = typename ncclnet::Abi<Version>::Net;
  using Properties = typename ncclnet::Abi<Version>::Properties;
  using Bytes = std::conditional_t<Version >= 9, std::size_t, int>;

  explicit Driver(const char* library) : library_(::dlopen(library, RTLD_NOW | RTLD_LOCAL)) {
    if (library_ == nullptr) throw DriverError(::dlerror());
    const std::string symbol = "ncclNetPlugin_v" + std::to_string(Version);
    net_ = static_cast<const Net*>(::dlsym(library_, symbol.c_str()));
    if (net_ == nullptr) throw DriverError(symbol + " is not there");
    if constexpr (Version >= 11) {
      ncclnet::CommConfig config{ncclnet::kUndefined};
      expect(net_->init(&context_, 42, &config, &logWarnings, nullptr), "init");
    } else if constexpr (Version == 10) {
      expect(net_->init(&logWarnings, nullptr), "init");
    } else {
      expect(net_->init(&logWarnings), "init");
    }
  }
  /// NCCL unloads it with the last communicator.
  ~Driver() {
    if constexpr (Version >= 11) net_->finalize(context_);
    ::dlclose(library_);
  }
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  const Net& net() const { return *net_; }

  static void expect(ncclnet::Code code, const char* call) {
    if (code == ncclnet::Code::success) return;
    throw DriverError(std::string(call) + " returned " + std::to_string(static_cast<int>(code)) + ": " + warnings());
  }

  int devices() const {
    int count = 0;
    expect(net_->devices(&count), "devices");
    return count;
  }
  Properties properties(int device) const {
    Properties properties{};
    expect(net_->getProperties(device, &properties), "getProperties");
    return properties;
  }

  void* listen(int device, char* handle) const {
    void* comm = nullptr;
    if constexpr (Version >= 11)
      expect(net_->listen(context_, device, handle, &comm), "listen");
    else
      expect(net_->listen(device, handle, &comm), "listen");
    if (comm == nullptr) throw DriverError("listen gives nothing");
    return comm;
  }
  ncclnet::Code connect(int device, char* handle, void** comm) const {
    ncclnet::DeviceHandle* none = nullptr;
    if constexpr (Version >= 11) return net_->connect(context_, device, handle, comm, &none);
    [[maybe_unused]] ncclnet::CommConfig config{ncclnet::kUndefined};
    if constexpr (Version == 10) return net_->connect(device, &config, handle, comm, &none);
    if constexpr (Version < 10) return net_->connect(device, handle, comm, &none);
  }
  ncclnet::Code accept(void* listenComm, void** comm) const {
    ncclnet::DeviceHandle* none = nullptr;
    return net_->accept(listenComm, comm, &none);
  }

  ncclnet::Code isend(void* comm, void* data, std::size_t bytes, int tag, void* memory, void** request) const {
    if constexpr (Version >= 10)
      return net_->isend(comm, data, bytes, tag, memory, nullptr, request);
    else
      return net_->isend(comm, data, static_cast<Bytes>(bytes), tag, memory, request);
  }
  ncclnet::Code irecv(void* comm, void* data, std::size_t room, int tag, void* memory, void** request) const {
    auto bytes = static_cast<Bytes>(room);
    void* profile = nullptr;
    if constexpr (Version >= 10)
      return net_->irecv(comm, 1, &data, &bytes, &tag, &memory, &profile, request);
    else
      return net_->irecv(comm, 1, &data, &bytes, &tag, &memory, request);
  }

  /// Repeats until it gives a connection.
  template <class Attempt>
  static void* repeat(Attempt attempt, const char* call) {
    void* comm = nullptr;
    const auto deadline = Deadline::inSeconds(60);
    while (comm == nullptr) {
      expect(attempt(&comm), call);
      if (deadline.passed()) throw DriverError(std::string(call) + " gives nothing for a minute");
      std::this_thread::yield();
    }
    return comm;
  }

  static constexpr std::size_t kUnderWay = 8;
  static constexpr int kTag = 3;
  /// What NCCL's receiver has room for: more than is sent.
  static constexpr std::size_t kRoom = 1 << 20;

  /// Message i of a connection.
  static std::size_t sizeOf(std::size_t message) {
    constexpr std::size_t kSizes[] = {1, 0, 4096, 70'000, kRoom, 16, 524'288, 12'345};
    return kSizes[message % std::size(kSizes)];
  }
  static std::byte contentOf(std::size_t message, std::size_t at) { return std::byte((message * 31 + at * 7) & 0xff); }

  void sendAll(void* comm, std::size_t messages) const {
    std::vector<std::byte> memory(kUnderWay * kRoom);
    void* registration = nullptr;
    expect(net_->regMr(comm, memory.data(), memory.size(), ncclnet::kHostMemory, &registration), "regMr");
    std::vector<void*> requests(messages);
    const auto deadline = Deadline::inSeconds(120);
    std::size_t posted = 0;
    for (std::size_t done = 0; done < messages;) {
      if (posted < messages && posted < done + kUnderWay) {
        std::byte* const data = memory.data() + posted % kUnderWay * kRoom;
        for (std::size_t i = 0; i < sizeOf(posted); ++i) data[i] = contentOf(posted, i);
        expect(isend(comm, data, sizeOf(posted), kTag, registration, &requests[posted]), "isend");
        if (requests[posted] != nullptr) ++posted;
      }
      if (done < posted && isDone(requests[done], sizeOf(done))) ++done;
      if (deadline.passed()) throw DriverError("sends are not done within two minutes");
    }
    expect(net_->deregMr(comm, registration), "deregMr");
  }

  void receiveAll(void* comm, std::size_t messages) const {
    std::vector<std::byte> memory(kUnderWay * kRoom);
    void* registration = nullptr;
    expect(net_->regMr(comm, memory.data(), memory.size(), ncclnet::kHostMemory, &registration), "regMr");
    std::vector<void*> requests(messages);
    const auto deadline = Deadline::inSeconds(120);
    std::size_t posted = 0;
    for (std::size_t done = 0; done < messages;) {
      if (posted < messages && posted < done + kUnderWay) {
        // NCCL says so where it looks at the data itself.
        requests[posted] = posted % 2 == 0 ? nullptr : reinterpret_cast<void*>(1);
        expect(irecv(comm, memory.data() + posted % kUnderWay * kRoom, kRoom, kTag, registration, &requests[posted]),
               "irecv");
        if (requests[posted] != nullptr) ++posted;
      }
      std::byte* const data = memory.data() + done % kUnderWay * kRoom;
      if (done < posted && isDone(requests[done], sizeOf(done))) {
        flush(comm, data, sizeOf(done), registration);
        for (std::size_t i = 0; i < sizeOf(done); ++i) {
          if (data[i] != contentOf(done, i)) throw DriverError("message " + std::to_string(done) + " is wrong");
        }
        std::memset(data, 0, sizeOf(done));
        ++done;
      }
      if (deadline.passed()) throw DriverError("receives are not done within two minutes");
    }
    expect(net_->deregMr(comm, registration), "deregMr");
  }

 private:
  bool isDone(void* request, std::size_t expected) const {
    int done = 0;
    int bytes = -1;
    expect(net_->test(request, &done, &bytes), "test");
    if (done != 0 && static_cast<std::size_t>(bytes) != expected) throw DriverError("a size is wrong");
    return done != 0;
  }
  void flush(void* comm, void* data, std::size_t bytes, void* registration) const {
    void* request = nullptr;
    int size = static_cast<int>(bytes);
    expect(net_->iflush(comm, 1, &data, &size, &registration, &request), "iflush");
    int done = 0;
    while (request != nullptr && done == 0) expect(net_->test(request, &done, nullptr), "test");
  }

  void* library_;
  const Net* net_ = nullptr;
  void* context_ = nullptr;
};

}  // namespace atl::test

// SPDX-License-Identifier: Apache-2.0
// Atoll's plug-in as NCCL uses it, without NCCL: in every version of the interface, between two processes. The
// transport is what ATOLL_NCCL_NET_TRANSPORT says.
#include "tests/ncclnet/driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "src/base/unique_fd.h"

namespace atl {
namespace {

using ncclnet::Code;
using test::DriverError;
using testing::HasSubstr;

/// NCCL's own way from rank to rank, for handles.
struct Way {
  UniqueFd receiver;
  UniqueFd sender;
};

Way makeWay() {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) throw DriverError("socketpair");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

void tell(const UniqueFd& way, const char* bytes, std::size_t count) {
  if (::write(way.get(), bytes, count) != static_cast<ssize_t>(count)) throw DriverError("the other process is gone");
}
void hear(const UniqueFd& way, char* bytes, std::size_t count) {
  for (std::size_t have = 0; have < count;) {
    const auto got = ::read(way.get(), bytes + have, count - have);
    if (got <= 0) throw DriverError("the other process is gone");
    have += static_cast<std::size_t>(got);
  }
}

/// Forked before anything here has used the plug-in. 0: all was well.
template <class Body>
pid_t child(Body body) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  int status = 0;
  try {
    body();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n%s", error.what(), test::warnings().c_str());
    status = 1;
  }
  std::fflush(nullptr);
  ::_exit(status);
}

int statusOf(pid_t pid) {
  int status = -1;
  return ::waitpid(pid, &status, 0) == pid ? status : -1;
}

template <int Version>
void* acceptFrom(const test::Driver<Version>& driver, const UniqueFd& way, int device = 0) {
  char handle[ncclnet::kHandleBytes];
  void* const listening = driver.listen(device, handle);
  tell(way, handle, sizeof handle);
  void* const comm = driver.repeat([&](void** made) { return driver.accept(listening, made); }, "accept");
  driver.expect(driver.net().closeListen(listening), "closeListen");
  return comm;
}

template <int Version>
void* connectTo(const test::Driver<Version>& driver, const UniqueFd& way, int device = 0) {
  char handle[ncclnet::kHandleBytes];
  hear(way, handle, sizeof handle);
  return driver.repeat([&](void** made) { return driver.connect(device, handle, made); }, "connect");
}

template <class Number>
class PluginDriver : public testing::Test {};

template <int Version>
using InVersion = std::integral_constant<int, Version>;

struct VersionNames {
  template <class Number>
  static std::string GetName(int /*index*/) {
    return "V" + std::to_string(Number::value);
  }
};

using Versions = testing::Types<InVersion<8>, InVersion<9>, InVersion<10>, InVersion<11>, InVersion<12>>;
TYPED_TEST_SUITE(PluginDriver, Versions, VersionNames);

TYPED_TEST(PluginDriver, MessagesGoBothWaysBetweenTwoProcesses) {
  using Driver = test::Driver<TypeParam::value>;
  const Way up = makeWay();
  const Way down = makeWay();
  constexpr std::size_t kMessages = 60;
  const pid_t first = child([&] {
    const Driver driver(ATOLL_NET_PLUGIN);
    void* const out = connectTo(driver, up.sender);
    void* const in = acceptFrom(driver, down.receiver);
    std::jthread sender([&] { driver.sendAll(out, kMessages); });
    driver.receiveAll(in, kMessages);
    sender.join();
    driver.expect(driver.net().closeSend(out), "closeSend");
    driver.expect(driver.net().closeRecv(in), "closeRecv");
  });
  const pid_t second = child([&] {
    const Driver driver(ATOLL_NET_PLUGIN);
    void* const in = acceptFrom(driver, up.receiver);
    void* const out = connectTo(driver, down.sender);
    std::jthread sender([&] { driver.sendAll(out, kMessages); });
    driver.receiveAll(in, kMessages);
    sender.join();
    driver.expect(driver.net().closeSend(out), "closeSend");
    driver.expect(driver.net().closeRecv(in), "closeRecv");
  });
  EXPECT_EQ(statusOf(first), 0);
  EXPECT_EQ(statusOf(second), 0);
}

TYPED_TEST(PluginDriver, CommunicatorsComeAndGoAndTheLibraryIsOpenedAgain) {
  using Driver = test::Driver<TypeParam::value>;
  const int status = statusOf(child([] {
    for (int turn = 0; turn < 3; ++turn) {
      const Driver one(ATOLL_NET_PLUGIN);
      const Driver other(ATOLL_NET_PLUGIN);
      const Way way = makeWay();
      void* in = nullptr;
      std::thread receiver([&] { in = acceptFrom(one, way.receiver); });
      void* const out = connectTo(other, way.sender);
      receiver.join();
      std::thread sender([&] { other.sendAll(out, 10); });
      one.receiveAll(in, 10);
      sender.join();
      one.expect(one.net().closeRecv(in), "closeRecv");
      other.expect(other.net().closeSend(out), "closeSend");
    }
  }));
  EXPECT_EQ(status, 0);
}

TYPED_TEST(PluginDriver, DevicesAreWhatTheSystemSays) {
  using Driver = test::Driver<TypeParam::value>;
  const int status = statusOf(child([] {
    const Driver driver(ATOLL_NET_PLUGIN);
    const int count = driver.devices();
    if (count < 1) throw DriverError("there is no device");
    for (int device = 0; device < count; ++device) {
      const auto properties = driver.properties(device);
      const auto require = [&](bool holds, const char* what) {
        if (!holds) throw DriverError(std::string(what) + " of device " + properties.name);
      };
      require(properties.name != nullptr && *properties.name != '\0', "name");
      require(properties.pciPath == nullptr || std::filesystem::is_directory(properties.pciPath), "pciPath");
      require(properties.ptrSupport == ncclnet::kHostMemory, "ptrSupport");
      require(properties.speed > 0, "speed");
      require(properties.maxComms > 0, "maxComms");
      require(properties.maxRecvs == 1, "maxRecvs");
      require(properties.netDeviceType == ncclnet::kHostDriven, "netDeviceType");
      if constexpr (TypeParam::value >= 9) {
        require(properties.vProps.ndevs == 1 && properties.vProps.devs[0] == device, "vProps");
        require(properties.maxP2pBytes >= Driver::kRoom, "maxP2pBytes");
      }
    }
  }));
  EXPECT_EQ(status, 0);
}

/// What NCCL does not do is an error with a text, and no more.
TYPED_TEST(PluginDriver, WrongUseIsToldInTheLogAndHarmsNothing) {
  using Driver = test::Driver<TypeParam::value>;
  const int status = statusOf(child([] {
    const Driver driver(ATOLL_NET_PLUGIN);
    const auto refused = [](Code code, const char* word) {
      const std::string told = std::exchange(test::warnings(), {});
      if (code == Code::success || told.find(word) == std::string::npos)
        throw DriverError(std::string("'") + word + "' is not in '" + told + "'");
    };
    typename Driver::Properties properties{};
    refused(driver.net().getProperties(99, &properties), "no device 99");
    char garbage[ncclnet::kHandleBytes] = {1, 2, 3};
    void* comm = nullptr;
    refused(driver.connect(0, garbage, &comm), "none of this plug-in's");

    const Way way = makeWay();
    char handle[ncclnet::kHandleBytes];
    void* const listening = driver.listen(0, handle);
    void* in = nullptr;
    void* out = nullptr;
    const auto deadline = Deadline::inSeconds(60);
    while ((in == nullptr || out == nullptr) && !deadline.passed()) {
      if (in == nullptr) driver.expect(driver.accept(listening, &in), "accept");
      if (out == nullptr) driver.expect(driver.connect(0, handle, &out), "connect");
    }
    refused(driver.connect(0, handle, &comm), "attempt");
    refused(driver.accept(listening, &comm), "one connection");
    std::byte data[16] = {};
    void* memory = nullptr;
    refused(driver.net().regMr(out, data, sizeof data, ncclnet::kCudaMemory, &memory), "only host memory");
    refused(driver.net().deregMr(out, data), "none of this connection's");
    // What does not fit, or has another tag, ends the connection: nothing is written past the room.
    void* sent = nullptr;
    void* received = nullptr;
    driver.expect(driver.irecv(in, data, 4, 1, nullptr, &received), "irecv");
    driver.expect(driver.isend(out, data, 16, 1, nullptr, &sent), "isend");
    int done = 0;
    Code code = Code::success;
    while (code == Code::success && done == 0 && !deadline.passed()) {
      driver.expect(driver.net().test(sent, &done, nullptr), "test");
      if (done != 0) break;
      code = driver.net().test(received, &done, nullptr);
    }
    done = 0;
    while (code == Code::success && done == 0 && !deadline.passed()) code = driver.net().test(received, &done, nullptr);
    refused(code, "a message of 16 bytes came where 4 at most are expected");
    driver.expect(driver.net().closeListen(listening), "closeListen");
    driver.expect(driver.net().closeSend(out), "closeSend");
    driver.expect(driver.net().closeRecv(in), "closeRecv");
  }));
  EXPECT_EQ(status, 0);
}

TYPED_TEST(PluginDriver, ThePeersDeathIsAnErrorOfTheRequest) {
  using Driver = test::Driver<TypeParam::value>;
  const Way way = makeWay();
  const pid_t victim = child([&] {
    const Driver driver(ATOLL_NET_PLUGIN);
    void* const out = connectTo(driver, way.sender);
    driver.sendAll(out, 3);
    ::raise(SIGKILL);
  });
  const pid_t survivor = child([&] {
    const Driver driver(ATOLL_NET_PLUGIN);
    void* const in = acceptFrom(driver, way.receiver);
    driver.receiveAll(in, 3);
    std::byte data[16];
    void* request = nullptr;
    driver.expect(driver.irecv(in, data, sizeof data, Driver::kTag, nullptr, &request), "irecv");
    int done = 0;
    Code code = Code::success;
    const auto deadline = Deadline::inSeconds(60);
    while (code == Code::success && !deadline.passed()) code = driver.net().test(request, &done, nullptr);
    if (code != Code::remoteError) throw DriverError("test returned " + std::to_string(static_cast<int>(code)));
    if (test::warnings().find("NET/Atoll : test: ") == std::string::npos) throw DriverError("nothing was told");
    driver.expect(driver.net().closeRecv(in), "closeRecv");
  });
  const int killed = statusOf(victim);
  EXPECT_TRUE(WIFSIGNALED(killed) && WTERMSIG(killed) == SIGKILL) << killed;
  EXPECT_EQ(statusOf(survivor), 0);
}

}  // namespace
}  // namespace atl

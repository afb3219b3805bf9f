// SPDX-License-Identifier: Apache-2.0
// Proxies of two ranks, over TCP, without any device.
#include "src/exec/cuda/proxy.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "src/base/clock.h"
#include "src/bootstrap/session.h"

namespace atl::device {
namespace {

constexpr std::uint64_t kSlotBytes = 256;

Settings overTcp(double timeoutSeconds) {
  Settings settings;
  settings.transports = "tcp";
  settings.timeoutSeconds = timeoutSeconds;
  return settings;
}

/// A rank's device, as far as one link goes, and its proxy.
struct End {
  End(Session& session, Rank rank, const Settings& settings)
      : slots(2 * kMails * kSlotBytes),
        proxy(TransportContext{session.communicator(), rank, &session.directory(), &settings, nullptr, nullptr},
              [this](const Error&) { failed = true; }) {}
  Status join(Rank peer) {
    return proxy.join(peer, 0, Staging{&in, slots.data(), &out, slots.data() + kMails * kSlotBytes, kSlotBytes});
  }
  void post(std::uint64_t number) {
    Mail& mail = out.mails[number % kMails];
    mail.bytes = 8;
    __atomic_store_n(&mail.number, number, __ATOMIC_RELEASE);
  }
  [[nodiscard]] bool has(std::uint64_t number) const {
    return __atomic_load_n(&in.mails[number % kMails].number, __ATOMIC_ACQUIRE) == number;
  }
  Region in{};
  Region out{};
  std::vector<std::byte> slots;
  std::atomic<bool> failed{false};
  Proxy proxy;
};

struct Pair {
  explicit Pair(double timeoutSeconds)
      : settings(overTcp(timeoutSeconds)),
        session(Session::local(2, settings)),
        a(*session, 0, settings),
        b(*session, 1, settings) {}
  Settings settings;
  std::shared_ptr<Session> session;
  End a, b;
};

TEST(Proxy, WhatIsPostedBeforeItFinishes_IsAtThePeersHostAfterwards) {
  Pair pair(20);
  ASSERT_TRUE(pair.a.join(1).ok());
  ASSERT_TRUE(pair.b.join(0).ok());
  // Nobody has told of a call.
  for (const std::uint64_t number : {1, 2, 3}) pair.a.post(number);
  pair.a.proxy.finish();
  EXPECT_TRUE(pair.b.has(3));
  pair.b.proxy.finish();
  EXPECT_FALSE(pair.a.failed || pair.b.failed);
}

TEST(Proxy, PeerThatDoesNotAnswer_IsWaitedForNoLongerThanWaitsMayLast) {
  Pair pair(1);
  ASSERT_TRUE(pair.a.join(1).ok());
  ASSERT_TRUE(pair.b.join(0).ok());
  pair.a.proxy.begin();
  pair.a.post(1);
  const Deadline deadline = Deadline::in(std::chrono::seconds(20));
  while (!pair.b.has(1) && !deadline.passed()) std::this_thread::yield();
  ASSERT_TRUE(pair.b.has(1));
  pair.b.proxy.cancel();
  pair.a.proxy.finish();
  EXPECT_FALSE(pair.a.failed || pair.b.failed);
}

}  // namespace
}  // namespace atl::device

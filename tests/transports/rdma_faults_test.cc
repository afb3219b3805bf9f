// SPDX-License-Identifier: Apache-2.0
// RDMA links while something fails, on the fake libibverbs: every fault at every place of the same traffic. With a way
// left the data is exact, whatever was lost; without one there is an error. Nothing is held afterwards, and the fake
// has seen nothing that no program may do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "src/base/clock.h"
#include "tests/transports/rdma_ends.h"
#include "transports/rdma/port.h"
#include "transports/rdma/rdma_link.h"

namespace atl {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using test::adapters;
using test::Ends;
using test::oneAdapter;
using test::RdmaLinks;
using test::settingsOf;

/// What shall go wrong, by name.
struct Fault {
  std::string name;
  void (*plant)(int);
  int at = 0;
  int rails = 1;
  int queuePairs = 1;
  bool adaptive = false;  ///< data and flags apart, on a network that sends packets by several ways
};

std::ostream& operator<<(std::ostream& out, const Fault& fault) {
  return out << fault.name << " at " << fault.at << ", " << fault.rails << " rails, " << fault.queuePairs << " pairs"
             << (fault.adaptive ? ", adaptive routing" : "");
}

class RdmaFault : public RdmaLinks, public testing::WithParamInterface<Fault> {
 protected:
  static Settings settings() {
    auto settings = settingsOf(GetParam().rails, GetParam().queuePairs);
    settings.rdma.adaptiveRouting = GetParam().adaptive;
    return settings;
  }
  void SetUp() override {
    auto configuration = adapters();
    configuration.scatteredWrites = GetParam().adaptive;
    fakeverbs::reset(configuration);
  }
};

/// Faults after which a way is left: the other adapter, or the same after a while.
std::vector<Fault> survivable() {
  const std::vector<Fault> kinds = {
      {"WorkLost", [](int at) { fakeverbs::loseWork(0, 1, at); }},
      {"TransportRetriesExceeded", [](int at) { fakeverbs::failWork(0, 1, at, IBV_WC_RETRY_EXC_ERR); }},
      {"ReceiverNotReadyTooOften", [](int at) { fakeverbs::failWork(0, 1, at, IBV_WC_RNR_RETRY_EXC_ERR); }},
      {"GeneralError", [](int at) { fakeverbs::failWork(0, 1, at, IBV_WC_GENERAL_ERR); }},
      {"QueuePairBroken", [](int at) { fakeverbs::breakQueuePair(0, 1, at); }},
      {"PortDown", [](int at) { fakeverbs::downAfter(0, 1, at); }},
      {"TwoWorksLost",
       [](int at) {
         fakeverbs::loseWork(0, 1, at);
         fakeverbs::loseWork(0, 1, at + 2);
       }},
      {"BothAdaptersFail",
       [](int at) {
         fakeverbs::loseWork(0, 1, at);
         fakeverbs::loseWork(1, 1, at / 2 + 1);
       }},
      {"AnswersLost", [](int at) { fakeverbs::losePackets(0, 1, at, 12, fakeverbs::Traffic::responses); }},
      {"AFewPacketsLost", [](int at) { fakeverbs::losePackets(0, 1, at, 3); }},
      {"ReceiverNotReadyForAWhile", [](int at) { fakeverbs::refuseReceives(0, 1, at); }},
      {"PostRefused", [](int at) { fakeverbs::failCall("ibv_post_send", at, ENOMEM); }},
      {"LateCompletions",
       [](int at) { fakeverbs::delayCompletions(std::chrono::microseconds(at), std::chrono::microseconds(200)); }},
  };
  std::vector<Fault> faults;
  for (const auto& kind : kinds) {
    for (const int at : {1, 2, 3, 5, 8, 13, 21, 34, 55}) {
      faults.push_back({kind.name, kind.plant, at, 1, 1});
      faults.push_back({kind.name, kind.plant, at, 2, 3});
      faults.push_back({kind.name, kind.plant, at, 2, 2, true});
    }
  }
  return faults;
}

TEST_P(RdmaFault, LosesNothingAndDeliversNothingTwice) {
  Ends ends(settings());
  ASSERT_TRUE(ends.join().ok());
  GetParam().plant(GetParam().at);
  const auto outcome = ends.exchange();
  EXPECT_TRUE(outcome.ok()) << outcome.error().text;
}

TEST_P(RdmaFault, LosesNothingOfDeclaredMemory) {
  Ends ends(settings());
  ASSERT_TRUE(ends.join().ok());
  GetParam().plant(GetParam().at);
  const auto outcome = ends.exchangeDeclared();
  EXPECT_TRUE(outcome.ok()) << outcome.error().text;
}

INSTANTIATE_TEST_SUITE_P(Each, RdmaFault, testing::ValuesIn(survivable()), [](const auto& chosen) {
  const Fault& fault = chosen.param;
  return fmt::format("{}At{}By{}{}", fault.name, fault.at, fault.queuePairs, fault.adaptive ? "Adaptively" : "");
});

/// Every verb that a link needs, refused once: while the ends join, or later.
class RdmaVerb : public RdmaLinks, public testing::WithParamInterface<std::pair<const char*, int>> {};

TEST_P(RdmaVerb, ThatFailsOnceIsAnErrorOrIsDoneWithout) {
  const auto [verb, which] = GetParam();
  fakeverbs::failCall(verb, which, ENOMEM);
  {
    Ends ends(settingsOf());
    auto outcome = ends.join();
    if (outcome.ok()) outcome = ends.exchange();
    EXPECT_TRUE(outcome.ok() || !outcome.error().text.empty());
  }
  ASSERT_GE(fakeverbs::callCount(verb), which) << "it was not called so often";
  Ends again(settingsOf());
  const auto outcome = again.join();
  ASSERT_TRUE(outcome.ok()) << outcome.error().text;
  EXPECT_TRUE(again.exchange().ok());
}

INSTANTIATE_TEST_SUITE_P(
    Each, RdmaVerb,
    testing::ValuesIn(std::vector<std::pair<const char*, int>>{
        {"ibv_get_device_list", 1}, {"ibv_open_device", 1},   {"ibv_open_device", 2},    {"ibv_query_device", 1},
        {"ibv_query_port", 1},      {"ibv_query_port", 2},    {"ibv_alloc_pd", 1},       {"ibv_alloc_pd", 2},
        {"ibv_create_ah", 1},       {"ibv_create_ah", 2},     {"ibv_create_ah", 3},      {"ibv_create_comp_channel", 1},
        {"ibv_create_cq", 1},       {"ibv_create_cq", 2},     {"ibv_create_srq", 1},     {"ibv_create_srq", 2},
        {"ibv_reg_mr", 1},          {"ibv_reg_mr", 2},        {"ibv_reg_mr_iova2", 1},   {"ibv_reg_mr_iova2", 2},
        {"ibv_create_qp", 1},       {"ibv_create_qp", 2},     {"ibv_modify_qp", 1},      {"ibv_modify_qp", 2},
        {"ibv_modify_qp", 3},       {"ibv_modify_qp", 4},     {"ibv_modify_qp", 5},      {"ibv_modify_qp", 6},
        {"ibv_post_srq_recv", 1},   {"ibv_post_srq_recv", 9}, {"ibv_post_srq_recv", 90}, {"ibv_poll_cq", 1},
        {"ibv_poll_cq", 20}}),
    [](const auto& chosen) { return fmt::format("{}{}", chosen.param.first + 4, chosen.param.second); });

TEST_F(RdmaLinks, AKernelWithoutRdmaIsSaidToBeOne) {
  fakeverbs::failCall("ibv_get_device_list", 1, ENOSYS);
  const auto ports = rdma::findPorts(RdmaSettings{}, 0);
  ASSERT_FALSE(ports.ok());
  EXPECT_EQ(ports.error().code, ErrorCode::unsupported);
  EXPECT_THAT(ports.error().text, HasSubstr("the kernel of this machine has no RDMA"));
}

TEST_F(RdmaLinks, APortThatComesBackIsUsedAgain) {
  fakeverbs::reset(oneAdapter());
  Ends ends(settingsOf());
  ASSERT_TRUE(ends.join().ok());
  fakeverbs::downAfter(0, 1, 30);
  // More than so many, with their answers, are tries again.
  const auto isDown = [] { return fakeverbs::counters(0, 1).packetsSent > 60; };
  int calls = 0;
  const auto outcome = ends.exchange([&] {
    if (isDown() && ++calls == 1'000) fakeverbs::setPort(0, 1, true);
  });
  EXPECT_TRUE(outcome.ok()) << outcome.error().text;
  EXPECT_GE(calls, 1'000);
}

TEST_F(RdmaLinks, WithoutAnyPortTheErrorNamesItAndItsPeer) {
  auto settings = settingsOf();
  settings.timeoutSeconds = 1;
  Ends ends(settings);
  ASSERT_TRUE(ends.join().ok());
  fakeverbs::downAfter(0, 1, 20);
  fakeverbs::setPort(1, 1, false);
  const auto outcome = ends.exchange();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, ErrorCode::remoteError);
  EXPECT_THAT(outcome.error().text, HasSubstr("no queue pair has worked for 0.5 s: fake_"));
  EXPECT_THAT(outcome.error().text, HasSubstr("rank "));
}

TEST_F(RdmaLinks, APeerThatIsInNoCallIsWaitedForLongerThanAPort) {
  auto settings = settingsOf();
  settings.timeoutSeconds = 1;  // ports have half of it
  Ends ends(settings);
  ASSERT_TRUE(ends.join().ok());
  fakeverbs::breakQueuePair(0, 1, 1);
  const auto outcome = ends.sendToAnAbsentRank(1.2);
  EXPECT_TRUE(outcome.ok()) << outcome.error().text;
}

TEST_F(RdmaLinks, AnAdapterThatIsGoneIsDoneWithout) {
  Ends ends(settingsOf());
  ASSERT_TRUE(ends.join().ok());
  int calls = 0;
  const auto outcome = ends.exchange([&calls] {
    if (++calls == 20) fakeverbs::loseDevice(0);
  });
  EXPECT_TRUE(outcome.ok()) << outcome.error().text;
}

TEST_F(RdmaLinks, TwoRailsCarryTheSame) {
  Ends ends(settingsOf(2));
  ASSERT_TRUE(ends.join().ok());
  ASSERT_TRUE(ends.exchange().ok());
  const auto first = fakeverbs::counters(0, 1).bytesSent;
  const auto second = fakeverbs::counters(1, 1).bytesSent;
  EXPECT_GT(first, 1'000'000U);
  EXPECT_GT(second, 1'000'000U);
}

TEST_F(RdmaLinks, DeclaredMemoryIsRegisteredAsLongAsItIsDeclared) {
  Ends ends(settingsOf());
  ASSERT_TRUE(ends.join().ok());
  ASSERT_TRUE(ends.exchangeDeclared().ok());  // slots are taken
  const auto before = fakeverbs::liveObjects().registeredBytes;
  const auto calls = fakeverbs::callCount("ibv_reg_mr_iova2");
  std::vector<std::byte> memory(300'000);
  {
    const Declaration declaration(memory.data(), memory.size());
    ASSERT_TRUE(ends.exchangeDeclared().ok());
  }
  // What was used, by each device, and neither what was not nor any chunk; and no longer than it was declared.
  EXPECT_EQ(fakeverbs::callCount("ibv_reg_mr_iova2") - calls, 4);
  EXPECT_EQ(fakeverbs::liveObjects().registeredBytes, before);
}

TEST_F(RdmaLinks, DeclarationsOfTheSamePagesAreRegisteredOnce) {
  Ends ends(settingsOf());
  ASSERT_TRUE(ends.join().ok());
  ASSERT_TRUE(ends.exchange().ok());  // slots and chunks are taken
  constexpr std::size_t kBytes = 300'000;
  constexpr std::size_t kPages = 512 << 10;
  void* const mapped = ::mmap(nullptr, kPages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(mapped, MAP_FAILED);
  const auto regions = [] { return fakeverbs::liveObjects().memoryRegions; };
  const std::size_t before = regions();
  const auto* const memory = static_cast<std::byte*>(mapped);
  const std::span whole(memory, kBytes);
  const std::span front(memory, 100'000);
  {
    std::vector<std::optional<Declaration>> declarations;
    declarations.emplace_back(std::in_place, mapped, kBytes);
    declarations.emplace_back(std::in_place, mapped, kBytes);
    ASSERT_TRUE(ends.sendFrom(whole).ok());
    EXPECT_EQ(regions(), before + 2) << "one for each device";
    const auto calls = fakeverbs::callCount("ibv_reg_mr_iova2");
    declarations.emplace_back(std::in_place, mapped, kBytes - 10);
    declarations[0].reset();
    ASSERT_TRUE(ends.sendFrom(whole).ok());
    declarations[1].reset();
    ASSERT_TRUE(ends.sendFrom(front).ok());
    EXPECT_EQ(fakeverbs::callCount("ibv_reg_mr_iova2"), calls);
    EXPECT_EQ(regions(), before + 2);
    // Other pages are another region, though some are the same.
    declarations.emplace_back(std::in_place, mapped, front.size());
    declarations[2].reset();
    EXPECT_EQ(regions(), before);
    ASSERT_TRUE(ends.sendFrom(front).ok());
    EXPECT_EQ(regions(), before + 2);
  }
  EXPECT_EQ(regions(), before);
  ::munmap(mapped, kPages);
}

TEST_F(RdmaLinks, AdaptiveRoutingHasDataGoFirstAndThenWordOfIt) {
  for (const bool adaptive : {true, false}) {
    auto configuration = adapters();
    configuration.scatteredWrites = true;
    fakeverbs::reset(configuration);
    auto settings = settingsOf(2, 3);
    settings.rdma.adaptiveRouting = adaptive;
    Ends ends(settings);
    ASSERT_TRUE(ends.join().ok());
    ASSERT_TRUE(ends.exchange().ok());
    ASSERT_TRUE(ends.exchangeDeclared().ok());
    auto works = fakeverbs::counters().works;
    EXPECT_EQ(works[IBV_WR_RDMA_WRITE] > 20, adaptive);
    EXPECT_GE(works[IBV_WR_RDMA_WRITE_WITH_IMM], works[IBV_WR_RDMA_WRITE]);
  }
}

constexpr std::size_t kNotesBlock = 64 << 10;  ///< in which slots are registered

TEST_F(RdmaLinks, DataMayBeWrittenInAnyOrderAndNotesMayNot) {
  for (const bool relaxed : {true, false}) {
    auto settings = settingsOf();
    settings.rdma.relaxedOrdering = relaxed;
    Ends ends(settings);
    ASSERT_TRUE(ends.join().ok());
    std::vector<std::byte> memory(300'000);
    const Declaration declaration(memory.data(), memory.size());
    ASSERT_TRUE(ends.exchange().ok());
    ASSERT_TRUE(ends.sendFrom(memory).ok());
    std::map<std::size_t, int> seen;
    for (const auto& region : fakeverbs::regions()) {
      const bool free = (region.access & IBV_ACCESS_RELAXED_ORDERING) != 0;
      EXPECT_EQ(free, relaxed && region.bytes != kNotesBlock) << region.bytes << " bytes";
      ++seen[region.bytes];
    }
    EXPECT_EQ(seen.size(), 3U) << "slots, chunks and declared memory";
  }
}

TEST_F(RdmaLinks, ADeviceThatRefusesRelaxedOrderingIsAskedOnce) {
  auto configuration = adapters();
  for (auto& device : configuration.devices) device.limits.relaxedOrdering = false;
  fakeverbs::reset(configuration);
  Ends ends(settingsOf());
  ASSERT_TRUE(ends.join().ok());
  EXPECT_TRUE(ends.exchange().ok());
  EXPECT_TRUE(ends.exchangeDeclared().ok());
  EXPECT_EQ(fakeverbs::callCount("ibv_reg_mr_iova2"), 2);
}

TEST_F(RdmaLinks, LittleLockedMemoryIsAnErrorThatSaysSo) {
  auto configuration = adapters();
  for (auto& device : configuration.devices) device.limits.memlockBytes = 1000;
  fakeverbs::reset(configuration);
  Ends ends(settingsOf());
  const auto outcome = ends.join();
  ASSERT_FALSE(outcome.ok());
  EXPECT_THAT(outcome.error().text, HasSubstr("ulimit -l"));
}

TEST_F(RdmaLinks, APeerThatTakesBackItsGidIsAnErrorOrIsReachedByTheOther) {
  Ends ends(settingsOf());
  ASSERT_TRUE(ends.join().ok());
  int calls = 0;
  const auto outcome = ends.exchange([&calls] {
    if (++calls == 20) fakeverbs::setGids(0, 1, {{.address = "fe80::77"}});
  });
  EXPECT_TRUE(outcome.ok()) << outcome.error().text;
}

/// The adapters of which some cannot be used when ranks begin: `down` has no cable, or no address.
class RdmaPortsThatCome : public RdmaLinks, public testing::WithParamInterface<bool> {
 protected:
  void begin(std::size_t absent) {
    auto configuration = adapters();
    auto& port = configuration.devices[absent].ports[0];
    if (GetParam()) {
      port.up = false;
    } else {
      port.gids = {{}};
    }
    fakeverbs::reset(configuration);
  }
  static void come(int device) {
    if (GetParam()) {
      fakeverbs::setPort(device, 1, true);
    } else {
      fakeverbs::setGids(device, 1, {{.address = "10.9.9." + std::to_string(device + 1)}});
    }
  }
};

TEST_P(RdmaPortsThatCome, StandBy) {
  begin(1);
  Ends ends(settingsOf());
  ASSERT_TRUE(ends.join().ok());
  come(1);
  fakeverbs::downAfter(0, 1, 30);
  const auto outcome = ends.exchange();
  ASSERT_TRUE(outcome.ok()) << outcome.error().text;
  EXPECT_GT(fakeverbs::counters(1, 1).bytesSent, 100'000U);
}

TEST_P(RdmaPortsThatCome, AreUsedByNewLinks) {
  begin(0);
  Ends ends(settingsOf());
  ASSERT_TRUE(ends.join().ok());
  EXPECT_THAT(ends.describe(), Not(HasSubstr("fake_0:1")));
  come(0);
  ASSERT_TRUE(ends.join().ok());
  EXPECT_THAT(ends.describe(), HasSubstr("fake_0:1"));
  EXPECT_TRUE(ends.exchange().ok());
}

TEST_P(RdmaPortsThatCome, AreNamedOnceWithTheReason) {
  begin(1);
  auto settings = settingsOf();
  settings.rdma.devices = "fake_0,fake_1";
  testing::internal::CaptureStderr();
  test::RankPair ranks(settings);
  ASSERT_TRUE(ranks.join(0).ok());
  ASSERT_TRUE(ranks.join(1).ok());
  const std::string said = testing::internal::GetCapturedStderr();
  const std::string_view reason = GetParam() ? "fake_1:1: it is down: is its network interface up?"
                                             : "fake_1:1: it has no GID: give its network interface an address";
  for (const char* const rank : {"[0]", "[1]"}) {
    const auto at =
        said.find(fmt::format("{} warn: RDMA has to do without some ports until they work: {}", rank, reason));
    EXPECT_NE(at, std::string::npos) << said;
  }
  EXPECT_EQ(std::ranges::count(said, '\n'), 2) << said;
}

INSTANTIATE_TEST_SUITE_P(Each, RdmaPortsThatCome, testing::Bool(),
                         [](const auto& chosen) { return chosen.param ? "Down" : "WithoutGid"; });

/// A device that comes while a link is at work, when the only one there was is lost: after so many steps of the
/// traffic, with so many queue pairs, under the name of the lost one or its own.
class RdmaDevicesThatCome : public RdmaLinks, public testing::WithParamInterface<std::tuple<int, int, bool>> {
 protected:
  void SetUp() override { fakeverbs::reset(oneAdapter()); }
  static void exchangeDevices(bool sameName) {
    fakeverbs::DeviceConfiguration next;
    next.name = sameName ? "fake_0" : "";
    fakeverbs::loseDevice(0);
    fakeverbs::addDevice(next);
  }
};

TEST_P(RdmaDevicesThatCome, TakeOverAllThatWasUnderWay) {
  const auto [step, queuePairs, sameName] = GetParam();
  Ends ends(settingsOf(1, queuePairs));
  ASSERT_TRUE(ends.join().ok());
  // A wire that is fast beside the steps would have carried all before: it stops at a third.
  fakeverbs::downAfter(0, 1, 250);
  int steps = 0;
  const auto outcome = ends.exchange([&, step = step, sameName = sameName] {
    if (++steps == step) exchangeDevices(sameName);
  });
  ASSERT_TRUE(outcome.ok()) << outcome.error().text;
  EXPECT_GT(fakeverbs::counters(1, 1).bytesSent, 100'000U);
  const auto after = ends.exchangeDeclared();
  EXPECT_TRUE(after.ok()) << after.error().text;
}

INSTANTIATE_TEST_SUITE_P(Each, RdmaDevicesThatCome,
                         testing::Combine(testing::Values(1, 7, 20), testing::Values(1, 3), testing::Bool()),
                         [](const auto& chosen) {
                           return fmt::format("AtStep{}With{}{}", std::get<0>(chosen.param), std::get<1>(chosen.param),
                                              std::get<2>(chosen.param) ? "ByTheSameName" : "");
                         });

/// Messages that go from and to declared memory when the port fails: granted, and registered, before the device came.
TEST_F(RdmaLinks, ADeviceThatComesWritesToWhatWasGrantedBefore) {
  for (const int packets : {0, 4, 100}) {
    fakeverbs::reset(oneAdapter());
    Ends ends(settingsOf());
    ASSERT_TRUE(ends.join().ok());
    fakeverbs::downAfter(0, 1, packets);
    fakeverbs::addDevice({});
    const auto outcome = ends.exchangeDeclared();
    ASSERT_TRUE(outcome.ok()) << outcome.error().text << " (after " << packets << " packets)";
    EXPECT_GT(fakeverbs::counters(1, 1).bytesSent, 100'000U);
  }
}

TEST_F(RdmaLinks, ADeviceThatComesIsARailOfNewLinks) {
  fakeverbs::reset(oneAdapter());
  Ends ends(settingsOf(2));
  ASSERT_TRUE(ends.join().ok());
  fakeverbs::addDevice({});
  const auto deadline = Deadline::inSeconds(20);
  while (ends.describe().find("×2") == std::string::npos && !deadline.passed()) ASSERT_TRUE(ends.join().ok());
  ASSERT_TRUE(ends.exchange().ok());
  EXPECT_GT(fakeverbs::counters(1, 1).bytesSent, 1'000'000U);
}

TEST_F(RdmaLinks, DevicesThatTheSettingsLeaveOutAreNotOpenedAgain) {
  RdmaSettings settings;
  settings.devices = "fake_0";
  const auto ports = rdma::findPorts(settings, 0);
  ASSERT_TRUE(ports.ok()) << ports.error().text;
  const std::vector known = {ports->front().nic};
  const auto opened = fakeverbs::callCount("ibv_open_device");
  EXPECT_THAT(rdma::portsOfNewDevices(settings, known), IsEmpty());
  EXPECT_EQ(fakeverbs::callCount("ibv_open_device"), opened);
  settings.devices = "fake_0,fake_1:1";
  EXPECT_EQ(rdma::portsOfNewDevices(settings, known).size(), 1U);
  EXPECT_EQ(fakeverbs::callCount("ibv_open_device"), opened + 1);
}

TEST_F(RdmaLinks, ADeviceThatComesAndCannotBeUsedIsDoneWithout) {
  fakeverbs::reset(oneAdapter());
  Ends ends(settingsOf());
  ASSERT_TRUE(ends.join().ok());
  fakeverbs::DeviceConfiguration withoutMemory;
  withoutMemory.limits.memlockBytes = 1;
  fakeverbs::addDevice(withoutMemory);
  fakeverbs::addDevice({});
  fakeverbs::downAfter(0, 1, 30);
  const auto outcome = ends.exchange();
  ASSERT_TRUE(outcome.ok()) << outcome.error().text;
  EXPECT_EQ(fakeverbs::counters(1, 1).packetsSent, 0U);
  EXPECT_GT(fakeverbs::counters(2, 1).bytesSent, 100'000U);
}

TEST_F(RdmaLinks, ADeviceThatOffersNothingIsDoneWithoutWhereItsPortsDoNotWork) {
  auto configuration = adapters();
  configuration.devices[1].ports[0].up = false;
  fakeverbs::reset(configuration);
  fakeverbs::failCall("ibv_create_cq", 2, EIO);
  Ends ends(settingsOf());
  const auto joined = ends.join();
  ASSERT_TRUE(joined.ok()) << joined.error().text;
  EXPECT_TRUE(ends.exchange().ok());
  EXPECT_GE(fakeverbs::callCount("ibv_create_cq"), 2);
}

/// What a thousand peers cost, who are there and silent.
TEST(RdmaScale, AnIdleLinkTakesLessThanFourKiB) {
  constexpr int kLinks = 500;  // of two ends each
  fakeverbs::Configuration configuration;
  configuration.devices.resize(1);
  configuration.devices[0].limits.queuePairs = 4096;
  fakeverbs::reset(configuration);
  {
    test::RankPair ranks(settingsOf());
    std::vector<Link> links;
    std::vector<double> times;
    const auto slotsBefore = fakeverbs::liveObjects().registeredBytes;
    auto begin = Clock::now();
    for (int lane = 0; lane < kLinks; ++lane) {
      auto ends = ranks.join(lane);
      ASSERT_TRUE(ends.ok()) << ends.error().text;
      links.push_back(std::move(ends->first));
      links.push_back(std::move(ends->second));
      if ((lane + 1) % (kLinks / 2) != 0) continue;
      times.push_back(seconds(Clock::now() - begin));
      begin = Clock::now();
    }
    const auto registered = fakeverbs::liveObjects().registeredBytes - slotsBefore;
    const auto& link = dynamic_cast<const rdma::RdmaLink&>(*std::get<std::unique_ptr<MessageLink>>(links.front()));
    const double held = static_cast<double>(link.bytesHeld()) + static_cast<double>(registered) / (2 * kLinks);
    EXPECT_LE(held, 4096);
    RecordProperty("bytes_of_a_link", std::to_string(held));
    std::printf(
        "%d links: %.0f bytes each, of which %zu registered; the first half was joined in %.3f s, the other in %.3f "
        "s\n",
        2 * kLinks, held, registered / (2 * kLinks), times.at(0), times.at(1));
  }
  EXPECT_EQ(fakeverbs::liveObjects(), fakeverbs::LiveObjects{});
  EXPECT_THAT(fakeverbs::takeFailures(), IsEmpty());
}

}  // namespace
}  // namespace atl

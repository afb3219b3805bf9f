// SPDX-License-Identifier: Apache-2.0
// Which transport two processes use: names, what the user allows, and the choice that both ends make alike.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "transports/transport.h"

namespace atl {
namespace {

using testing::HasSubstr;

/// Joins what it is told to join.
class FixedTransport : public Transport {
 public:
  FixedTransport(std::string_view name, std::string whyNot) : name_(name), whyNot_(std::move(whyNot)) {}
  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] std::string whyNot(const ProcessInfo& /*a*/, const ProcessInfo& /*b*/) const override {
    return whyNot_;
  }
  [[nodiscard]] plan::LinkModel model() const override { return {}; }
  std::unique_ptr<PendingLink> connect(Rank /*peer*/, int /*lane*/) override { return nullptr; }

 private:
  std::string name_;
  std::string whyNot_;
};

ProcessInfo process(const char* host, std::int32_t pid, std::uint32_t transports) {
  ProcessInfo info;
  info.hostName = host;
  info.pid = pid;
  info.transports = transports;
  return info;
}

Result<std::uint32_t> allowed(const char* text) {
  Settings settings;
  settings.transports = text;
  return allowedTransports(settings);
}

TEST(TransportNames, HaveBitsThatNeverChange) {
  EXPECT_EQ(transportBit("inproc"), 1U);
  EXPECT_EQ(transportBit("shm"), 2U);
  EXPECT_EQ(transportBit("tcp"), 4U);
  EXPECT_EQ(transportBit("ucx"), 8U);
  EXPECT_EQ(transportBit("rdma"), 16U);
  EXPECT_EQ(transportBit("ncclnet"), 32U);
  EXPECT_EQ(transportBit("carrier pigeon"), 0U);
}

TEST(AllowedTransports, ReadsAListOfNames) {
  EXPECT_EQ(*allowed("shm"), 2U);
  EXPECT_EQ(*allowed("tcp, inproc ,"), 5U);
  EXPECT_EQ(*allowed("inproc,shm,tcp"), 7U);
}

TEST(AllowedTransports, NothingNamedAllowsWhatNeedsNoLibraryOfOthers) {
  EXPECT_EQ(*allowed(""), 7U);
  EXPECT_EQ(*allowed(" , "), 7U);
}

TEST(AllowedTransports, AnUnknownNameIsAnErrorThatListsTheKnown) {
  const auto result = allowed("shm,roce");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::invalidArgument);
  EXPECT_THAT(result.error().text, HasSubstr("'roce'"));
  EXPECT_THAT(result.error().text, HasSubstr("inproc, shm, tcp, ucx, rdma, ncclnet"));
}

class Agreement : public testing::Test {
 protected:
  void add(const char* name, const char* whyNot) {
    transports_.push_back(std::make_unique<FixedTransport>(name, whyNot));
  }
  std::vector<std::unique_ptr<Transport>> transports_;
};

TEST_F(Agreement, TakesTheFirstThatBothAllowAndThatJoinsThem) {
  add("inproc", "not in one process");
  add("shm", "");
  add("tcp", "");
  const auto a = process("n1", 10, 7);
  const auto b = process("n1", 11, 7);
  EXPECT_EQ((*agree(transports_, a, b))->name(), "shm");
  EXPECT_EQ((*agree(transports_, b, a))->name(), "shm");
  const auto onlyTcp = process("n1", 12, 4);
  EXPECT_EQ((*agree(transports_, a, onlyTcp))->name(), "tcp");
  EXPECT_EQ((*agree(transports_, onlyTcp, a))->name(), "tcp");
}

TEST_F(Agreement, FailureListsEveryTransportWithItsReason) {
  add("inproc", "not in one process");
  add("shm", "on different hosts (n1 and n2)");
  add("tcp", "");
  const auto result = agree(transports_, process("n1", 10, 7), process("n2", 20, 3));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::unsupported);
  EXPECT_EQ(result.error().text,
            "no transport joins host n1 (pid 10) and host n2 (pid 20): inproc: not in one process; shm: on different "
            "hosts (n1 and n2); "
            "tcp: not among the transports of host n2 (pid 20); see ATOLL_TRANSPORT there");
}

TEST_F(Agreement, ABuildWithoutTransportsSaysSo) {
  EXPECT_THAT(agree(transports_, process("n1", 1, 7), process("n1", 2, 7)).error().text,
              HasSubstr("this build has none"));
}

TEST(TransportPreference, HasEveryNameOnceAndUcxBeforeTcp) {
  EXPECT_THAT(kTransportPreference, testing::UnorderedElementsAreArray(kTransportNames));
  const auto place = [](std::string_view name) { return std::ranges::find(kTransportPreference, name); };
  EXPECT_LT(place("ucx"), place("tcp"));
}

TEST_F(Agreement, WhatTheBuildLacksIsAmongTheReasons) {
  add("tcp", "no address");
  const auto result = agree(transports_, process("n1", 1, 12), process("n2", 2, 12));
  EXPECT_THAT(result.error().text, HasSubstr("tcp: no address; ucx: this build does not have it"));
}

TEST(TransportsAtHand, StayAsTheyAreWhereNothingIsNamedOrNothingKnown) {
  EXPECT_EQ(*transportsAtHand(""), "");
  EXPECT_EQ(*transportsAtHand("pigeon"), "pigeon");
  EXPECT_EQ(*transportsAtHand(" tcp, shm"), "shm,tcp");
}

TEST(TransportsAtHand, WithoutThoseThatAreAbsentWhichAnErrorNames) {
  const bool built = (builtTransports() & transportBit("ucx")) != 0;
  if (built && transportsAtHand("ucx").ok()) GTEST_SKIP() << "UCX is here";
  EXPECT_EQ(*transportsAtHand("ucx,tcp"), "tcp");
  EXPECT_THAT(transportsAtHand("ucx").error().text, HasSubstr("none of the transports 'ucx' (ATOLL_TRANSPORT): ucx: "));
}

TEST(BuiltTransports, AreMadeInOrderOfPreference) {
  Directory directory;
  directory.processes.resize(1);
  directory.processOf = {0};
  Settings settings;
  TransportContext context;
  context.directory = &directory;
  context.settings = &settings;
  std::uint32_t bits = 0;
  auto last = kTransportPreference.begin();
  for (const auto& transport : makeTransports(context)) {
    last = std::find(last, kTransportPreference.end(), transport->name());
    EXPECT_NE(last, kTransportPreference.end()) << transport->name();
    bits |= transportBit(transport->name());
  }
  EXPECT_EQ(bits, builtTransports());
}

}  // namespace
}  // namespace atl

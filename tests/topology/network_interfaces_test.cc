// SPDX-License-Identifier: Apache-2.0
#include "src/topology/network_interfaces.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace atl {
namespace {

InterfaceAddress address(const char* interface, const char* ip, int speed = 1000) {
  InterfaceAddress result;
  result.interface = interface;
  result.up = true;
  result.megabitsPerSecond = speed;
  result.loopback = std::string(interface) == "lo";
  result.virtualBridge = std::string(interface).starts_with("docker");
  if (std::strchr(ip, ':') != nullptr) {
    EXPECT_EQ(::inet_pton(AF_INET6, ip, result.ip.data()), 1);
  } else {
    result.ip[10] = result.ip[11] = 0xff;
    EXPECT_EQ(::inet_pton(AF_INET, ip, &result.ip[12]), 1);
  }
  return result;
}

std::vector<InterfaceAddress> typicalHost() {
  return {address("lo", "127.0.0.1", 0),        address("lo", "::1", 0),          address("eth0", "10.0.0.7"),
          address("eth0", "fe80::1"),           address("docker0", "172.17.0.1"), address("ib0", "192.168.4.7", 100000),
          address("ib0", "2001:db8::7", 100000)};
}

std::vector<std::string> chosen(const std::string& interfaces, const std::string& family = "") {
  Settings settings;
  settings.interfaces = interfaces;
  settings.addressFamily = family;
  const auto host = typicalHost();
  const auto choice = chooseAddresses(host, settings);
  std::vector<std::string> texts;
  if (!choice.ok()) return {choice.error().text};
  for (const auto& a : choice->addresses) texts.push_back(a.text());
  return texts;
}

using Texts = std::vector<std::string>;

TEST(ChooseAddresses, ByDefault_FastestRealInterfacesFirst) {
  EXPECT_EQ(chosen(""), (Texts{"192.168.4.7", "2001:db8::7", "10.0.0.7"}));
}

TEST(ChooseAddresses, FamilySetting_LimitsTheChoice) {
  EXPECT_EQ(chosen("", "4"), (Texts{"192.168.4.7", "10.0.0.7"}));
  EXPECT_EQ(chosen("", "6"), (Texts{"2001:db8::7"}));
}

TEST(ChooseAddresses, Prefix_Exact_Exclude_Network) {
  EXPECT_EQ(chosen("eth"), (Texts{"10.0.0.7", "fe80::1"}));
  EXPECT_EQ(chosen("=ib", "4").size(), 1U);  // an exact name that is not there: the error
  EXPECT_NE(chosen("=ib", "4").front().find("ATOLL_SOCKET_IFNAME is '=ib'"), std::string::npos);
  EXPECT_EQ(chosen("=ib0", "4"), (Texts{"192.168.4.7"}));
  EXPECT_EQ(chosen("^ib,docker,lo", "4"), (Texts{"10.0.0.7"}));
  EXPECT_EQ(chosen("10.0.0.0/8"), (Texts{"10.0.0.7"}));
  EXPECT_EQ(chosen("2001:db8::/32"), (Texts{"2001:db8::7"}));
}

TEST(ChooseAddresses, EquallyFastInterfacesOfAFamily_AreRailsAndComeFirst) {
  const std::vector<InterfaceAddress> host = {
      address("eth0", "10.0.0.7", 1000), address("ib0", "192.168.4.7", 100000), address("ib0", "192.168.4.8", 100000),
      address("ib0", "2001:db8::7", 100000), address("ib1", "192.168.5.7", 100000)};
  const auto choice = chooseAddresses(host, Settings{});
  ASSERT_TRUE(choice.ok());
  EXPECT_EQ(choice->rails, 2U);
  EXPECT_EQ(choice->addresses.size(), 5U);
  EXPECT_EQ(choice->addresses[0].text(), "192.168.4.7");
  EXPECT_EQ(choice->addresses[1].text(), "192.168.5.7");
  EXPECT_EQ(choice->addresses.back().text(), "10.0.0.7");
}

TEST(ChooseAddresses, NothingButLoopback_TakesLoopbackAndSaysSo) {
  const std::vector<InterfaceAddress> host = {address("lo", "127.0.0.1")};
  const auto choice = chooseAddresses(host, Settings{});
  ASSERT_TRUE(choice.ok());
  EXPECT_EQ(choice->addresses.front().text(), "127.0.0.1");
  EXPECT_NE(choice->reason.find("loopback"), std::string::npos);
}

TEST(ChooseAddresses, WrongNetwork_IsNamed) {
  EXPECT_NE(chosen("10.0.0.0/99").front().find("'99' is not a prefix length"), std::string::npos);
  EXPECT_NE(chosen("ten/8").front().find("'ten' is not an address"), std::string::npos);
  EXPECT_NE(chosen("", "5").front().find("ATOLL_SOCKET_FAMILY is '5'"), std::string::npos);
}

TEST(NetworkInterfaces, ThisHost_HasLoopbackMarkedAsSuch) {
  const auto all = networkInterfaces();
  ASSERT_TRUE(all.ok());
  bool seen = false;
  for (const auto& a : *all) {
    if (a.text() == "127.0.0.1") {
      seen = true;
      EXPECT_TRUE(a.loopback);
      EXPECT_EQ(a.prefixBits, 96 + 8);
    }
  }
  EXPECT_TRUE(seen);
}

}  // namespace
}  // namespace atl

// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transports/tcp/wire.h"

namespace atl::tcp {
namespace {

using testing::HasSubstr;

CallRecord someCall() {
  CallRecord call;
  call.sequence = 12;
  call.count = 1024;
  call.collective = Collective::allReduce;
  call.type = DataType::float32;
  return call;
}

Header goodHeader() {
  Header header;
  header.message = 5;
  header.bytes = 4096;
  header.call = someCall();
  return header;
}

Expectation expectation() {
  return {1, 3, 5, 4096, someCall()};
}

void expectError(const Status& status, ErrorCode code, std::string_view text) {
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, code);
  EXPECT_THAT(status.error().text, HasSubstr(text));
}

TEST(TcpHeader, AcceptsWhatIsExpected) {
  EXPECT_TRUE(check(goodHeader(), expectation()).ok());
}

TEST(TcpHeader, GarbageIsAProtocolError) {
  Header header = goodHeader();
  header.magic = 0x2f312e31;
  expectError(check(header, expectation()), ErrorCode::remoteError, "protocol: garbage (0x2f312e31");
  header = goodHeader();
  header.reserved = 1;
  expectError(check(header, expectation()), ErrorCode::remoteError, "protocol: garbage");
}

TEST(TcpHeader, AnotherMessagesHeaderIsAProtocolError) {
  Header header = goodHeader();
  header.message = 6;
  expectError(check(header, expectation()), ErrorCode::remoteError,
              "protocol: the header of message 6 where that of message 5");
}

TEST(TcpHeader, AnotherCallIsAMismatchThatNamesBoth) {
  Header header = goodHeader();
  header.call.collective = Collective::broadcast;
  header.call.sequence = 13;
  const auto status = check(header, expectation());
  expectError(status, ErrorCode::mismatch, "rank 1 is in allreduce #12");
  EXPECT_THAT(status.error().text, HasSubstr("rank 3 is in broadcast #13"));
}

TEST(TcpHeader, AnotherSizeIsAMismatchEvenWhenCallsAreNotChecked) {
  Header header = goodHeader();
  header.bytes = 4000;
  header.call.sequence = 0;
  expectError(check(header, expectation()), ErrorCode::mismatch,
              "rank 3 sent a message of 4000 bytes where rank 1 expects 4096");
}

TEST(TcpHeader, CallsAreComparedOnlyWhenBothEndsGiveThem) {
  Header header = goodHeader();
  header.call = {};
  header.call.count = 9;
  EXPECT_TRUE(check(header, expectation()).ok());
  header = goodHeader();
  auto expected = expectation();
  expected.call = {};
  EXPECT_TRUE(check(header, expected).ok());
}

TEST(TcpGreeting, AgreesOnTheSmallerNumberOfConnections) {
  Greeting theirs;
  theirs.connections = 4;
  EXPECT_EQ(*connectionsAgreed(theirs, 2), 2);
  EXPECT_EQ(*connectionsAgreed(theirs, 16), 4);
}

TEST(TcpGreeting, RefusesWhatIsNone) {
  Greeting theirs;
  theirs.connections = 1;
  theirs.magic = 0x20544547;
  EXPECT_THAT(connectionsAgreed(theirs, 2).error().text, HasSubstr("not those of a TCP link"));
}

TEST(TcpGreeting, RefusesAnotherVersion) {
  Greeting theirs;
  theirs.connections = 1;
  theirs.version = 9;
  EXPECT_THAT(connectionsAgreed(theirs, 2).error().text, HasSubstr("speaks version 9"));
}

TEST(TcpGreeting, RefusesAbsurdNumbersOfConnections) {
  Greeting theirs;
  for (const int connections : {0, kMaxConnections + 1, 65535}) {
    theirs.connections = static_cast<std::uint16_t>(connections);
    EXPECT_FALSE(connectionsAgreed(theirs, 2).ok()) << connections;
  }
}

}  // namespace
}  // namespace atl::tcp

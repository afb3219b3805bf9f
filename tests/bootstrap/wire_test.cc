// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/wire.h"

#include <gtest/gtest.h>

#include <string>

namespace atl {
namespace {

TEST(WireReader, TakesWhatTheWriterPut) {
  WireWriter writer;
  writer.put(std::uint16_t{7});
  writer.put(std::int32_t{-2});
  writer.text("lagoon");
  const Bytes bytes = writer.take();
  WireReader reader(bytes);
  EXPECT_EQ(reader.get<std::uint16_t>(), 7);
  EXPECT_EQ(reader.get<std::int32_t>(), -2);
  EXPECT_EQ(reader.text(10), "lagoon");
  EXPECT_TRUE(reader.finish("message").ok());
}

TEST(WireReader, PastTheEnd_ReadsZerosAndSaysSoOnce) {
  const Bytes bytes(3, std::byte{0xff});
  WireReader reader(bytes);
  EXPECT_EQ(reader.get<std::uint32_t>(), 0U);
  EXPECT_EQ(reader.get<std::uint8_t>(), 0U) << "nothing is taken after the first failure";
  EXPECT_FALSE(reader.ok());
  EXPECT_NE(reader.finish("message").error().text.find("message is cut short"), std::string::npos);
}

TEST(WireReader, LeftOverBytes_AreAnError) {
  const Bytes bytes(3, std::byte{0});
  WireReader reader(bytes);
  reader.get<std::uint16_t>();
  EXPECT_NE(reader.finish("message").error().text.find("1 bytes too many"), std::string::npos);
}

TEST(WireReader, TextLongerThanAllowed_IsRefused) {
  WireWriter writer;
  writer.text("longer than four");
  const Bytes bytes = writer.take();
  WireReader reader(bytes);
  EXPECT_EQ(reader.text(4), "");
  EXPECT_FALSE(reader.ok());
}

TEST(WireReader, CountThatTheRestCannotHold_IsRefused) {
  WireWriter writer;
  writer.put(std::uint32_t{1'000'000'000});
  writer.put(std::uint64_t{0});
  const Bytes bytes = writer.take();
  WireReader reader(bytes);
  EXPECT_EQ(reader.count(8), 0U);
  EXPECT_FALSE(reader.ok());
}

}  // namespace
}  // namespace atl

// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/messages.h"

#include <gtest/gtest.h>

#include <string>

#include "src/bootstrap/unique_id.h"

namespace atl {
namespace {

ProcessInfo someProcess() {
  ProcessInfo process;
  process.id = 0x1234567890abcdef;
  process.host = 42;
  process.machine = 43;
  process.hostName = "n07";
  process.pid = 4711;
  process.transports = 7;
  process.localName = "atoll-1";
  process.cores = 12;
  process.cpus = {{0, 4}, {128, 4}};
  process.tuning = 0xfedcba9876543210;
  process.topology = 0x0f1e2d3c4b5a6978;
  process.fabric = 99;
  process.island = "pod3/host7";
  process.package = 1;
  process.megabits = 400000;
  process.rails = 2;
  NetAddress address;
  address.ip[15] = 1;
  address.port = 4000;
  address.scope = 2;
  process.addresses = {address, address};
  return process;
}

void expectSame(const ProcessInfo& a, const ProcessInfo& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.host, b.host);
  EXPECT_EQ(a.machine, b.machine);
  EXPECT_EQ(a.hostName, b.hostName);
  EXPECT_EQ(a.pid, b.pid);
  EXPECT_EQ(a.transports, b.transports);
  EXPECT_EQ(a.localName, b.localName);
  EXPECT_EQ(a.cores, b.cores);
  EXPECT_EQ(a.cpus, b.cpus);
  EXPECT_EQ(a.tuning, b.tuning);
  EXPECT_EQ(a.topology, b.topology);
  EXPECT_EQ(a.fabric, b.fabric);
  EXPECT_EQ(a.island, b.island);
  EXPECT_EQ(a.package, b.package);
  EXPECT_EQ(a.megabits, b.megabits);
  EXPECT_EQ(a.rails, b.rails);
  EXPECT_EQ(a.addresses, b.addresses);
}

/// Every proper beginning of a sound message is refused: each parser takes all of its bytes or none.
template <class Decode>
void expectNoBeginningIsEnough(const Bytes& bytes, Decode decode) {
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode(std::span(bytes).first(size)).ok()) << size << " of " << bytes.size() << " bytes";
  }
}

TEST(Messages, Process_Assign_Join_Notice_ComeBackAsTheyWere) {
  const auto process = decodeProcess(encode(Process{someProcess(), 1500}));
  ASSERT_TRUE(process.ok()) << process.error().text;
  expectSame(process->info, someProcess());
  EXPECT_EQ(process->millisecondsLeft, 1500U);
  expectNoBeginningIsEnough(encode(Process{someProcess(), 1500}), decodeProcess);

  const Assign assign{99, 10, 1, true, someProcess()};
  const auto back = decodeAssign(encode(assign));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->tree, 99U);
  EXPECT_EQ(back->place, 10U);
  EXPECT_EQ(back->parentPlace, 1U);
  EXPECT_TRUE(back->parentIsHere);
  expectNoBeginningIsEnough(encode(assign), decodeAssign);

  expectNoBeginningIsEnough(encode(Join{1, 2, 3}), decodeJoin);

  Notice notice;
  notice.kind = Notice::Kind::aborted;
  notice.rank = 3;
  notice.text = std::string(5000, 'x');
  const auto heard = decodeNotice(encode(notice));
  ASSERT_TRUE(heard.ok());
  EXPECT_EQ(heard->kind, Notice::Kind::aborted);
  EXPECT_EQ(heard->rank, 3);
  EXPECT_EQ(heard->text.size(), kMostTextBytes) << "long texts are cut";
}

TEST(Messages, Directory_ComesBack_AndRefusesAProcessThatIsNotThere) {
  DirectoryMessage message{7, {someProcess(), someProcess()}, {0, 1, 1}};
  const auto back = decodeDirectory(encode(message));
  ASSERT_TRUE(back.ok()) << back.error().text;
  EXPECT_EQ(back->processOf, message.processOf);
  expectSame(back->processes[1], someProcess());
  expectNoBeginningIsEnough(encode(message), decodeDirectory);
  message.processOf[2] = 2;
  EXPECT_FALSE(decodeDirectory(encode(message)).ok());
}

TEST(Messages, AssignWithAParentBelowTheChild_IsRefused) {
  EXPECT_FALSE(decodeAssign(encode(Assign{99, 3, 3, false, someProcess()})).ok());
}

TEST(Messages, SharesThatAreNoWholeNumber_AreRefused) {
  GatherUp up;
  up.size = 4;
  up.shares.resize(15);
  EXPECT_FALSE(decodeGatherUp(encode(up)).ok());
  up.shares.resize(16);
  EXPECT_TRUE(decodeGatherUp(encode(up)).ok());
}

TEST(UniqueIdFields, ComeBack_AndDamageIsNoticed) {
  IdFields fields;
  fields.group = 5;
  fields.secret.fill(9);
  fields.host = 6;
  fields.localName = 7;
  fields.addresses = someProcess().addresses;
  UniqueId id = encodeId(fields);
  const auto back = decodeId(id);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->group, 5U);
  EXPECT_EQ(back->secret, fields.secret);
  EXPECT_EQ(back->addresses, fields.addresses);
  id.bytes[4] = 77;
  EXPECT_NE(decodeId(id).error().text.find("version 77"), std::string::npos);
  id.bytes[0] ^= 1;
  EXPECT_EQ(decodeId(id).error().code, ErrorCode::invalidArgument);
}

}  // namespace
}  // namespace atl

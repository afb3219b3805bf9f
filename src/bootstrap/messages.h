// SPDX-License-Identifier: Apache-2.0
// What processes say to each other on the tree, after the greeting. A frame is a length (4 bytes, of the body), a type
// (2 bytes), two zero bytes, and the body. Bodies are read by WireReader; anything malformed ends the connection.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/base/result.h"
#include "src/bootstrap/directory.h"
#include "src/bootstrap/session.h"
#include "src/bootstrap/wire.h"

namespace atl {

enum class MessageType : std::uint16_t {
  enrol = 1,       ///< newcomer → rendezvous: here I am
  assign = 2,      ///< rendezvous → newcomer: your place in the tree
  attached = 3,    ///< newcomer → rendezvous: I have reached my parent
  process = 4,     ///< up: a process takes part
  join = 5,        ///< up: a rank has come
  fail = 6,        ///< both ways: the start has failed
  directory = 7,   ///< down: all have come
  gatherUp = 8,    ///< up: a subtree's shares of an allGather
  gatherDown = 9,  ///< down: all shares
  notice = 10,     ///< both ways
};

inline constexpr std::size_t kFrameHeaderBytes = 8;
inline constexpr std::uint32_t kMostFrameBytes = 1U << 30;
inline constexpr std::size_t kMostTextBytes = 1024;  ///< of errors and notices on the wire

struct Process {
  ProcessInfo info;
  std::uint32_t millisecondsLeft = 0;  ///< until its ranks give up; 0: they never do
};

struct Enrol {
  Process process;
  /// In the scalable form, the id at whose process all comes together, sealed with the secret of the id that this
  /// rendezvous belongs to; empty where that is the same.
  Bytes sealedFirstId;
};

struct Assign {
  std::uint64_t tree = 0;   ///< names the tree's connections
  std::uint32_t place = 0;  ///< mine
  std::uint32_t parentPlace = 0;
  bool parentIsHere = false;  ///< this very connection is the one to my parent
  ProcessInfo parent;
};

struct Join {
  std::uint64_t process = 0;  ///< ProcessInfo::id
  Rank rank = 0;
  Rank ranks = 0;
};

struct DirectoryMessage {
  std::uint64_t communicator = 0;
  std::vector<ProcessInfo> processes;
  std::vector<std::uint32_t> processOf;
};

struct GatherUp {
  std::uint64_t sequence = 0;
  std::uint32_t size = 0;  ///< of one share
  std::string error;       ///< not empty: the subtree cannot take part, and why
  Bytes shares;            ///< (rank, share) back to back
};

struct GatherDown {
  std::uint64_t sequence = 0;
  std::uint32_t size = 0;
  std::string error;
  Bytes table;  ///< shares in rank order
};

void write(WireWriter& writer, const ProcessInfo& process);
ProcessInfo readProcessInfo(WireReader& reader);

Bytes encode(const Process& message);
Bytes encode(const Enrol& message);
Bytes encode(const Assign& message);
Bytes encode(const Join& message);
Bytes encode(const Error& failure);
Bytes encode(const DirectoryMessage& message);
Bytes encode(const GatherUp& message);
Bytes encode(const GatherDown& message);
Bytes encode(const Notice& notice);

Result<Process> decodeProcess(std::span<const std::byte> body);
Result<Enrol> decodeEnrol(std::span<const std::byte> body);
Result<Assign> decodeAssign(std::span<const std::byte> body);
Result<Join> decodeJoin(std::span<const std::byte> body);
/// The failure that a peer reports, in `failure`; the status says whether the message itself was sound.
Status decodeFailure(std::span<const std::byte> body, Error& failure);
Result<DirectoryMessage> decodeDirectory(std::span<const std::byte> body);
Result<GatherUp> decodeGatherUp(std::span<const std::byte> body);
Result<GatherDown> decodeGatherDown(std::span<const std::byte> body);
Result<Notice> decodeNotice(std::span<const std::byte> body);

}  // namespace atl

// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/messages.h"

#include <string_view>

namespace atl {
namespace {

constexpr std::size_t kMostHostName = 255;
constexpr std::size_t kMostLocalName = 64;
constexpr std::size_t kMostIsland = 1024;  // 15 names of 64 bytes, and slashes
constexpr std::size_t kMostAddresses = 16;
constexpr std::size_t kMostCpuRanges = 16;
constexpr std::size_t kLeastProcessBytes = 34;
constexpr std::size_t kMostSealedBytes = 256;

/// A rank that comes from a peer and is to index a table of `ranks`.
void check(WireReader& reader, bool good) {
  if (!good) reader.refuse();
}

std::string_view cut(std::string_view text, std::size_t limit) {
  return text.substr(0, limit);
}

ErrorCode readErrorCode(WireReader& reader) {
  const auto code = reader.get<std::uint8_t>();
  check(reader, code <= static_cast<std::uint8_t>(ErrorCode::mismatch));
  return reader.ok() ? static_cast<ErrorCode>(code) : ErrorCode::internalError;
}

Bytes rest(WireReader& reader) {
  const auto bytes = reader.raw(reader.left());
  return Bytes(bytes.begin(), bytes.end());
}

template <class T>
Result<T> finished(const WireReader& reader, T value, std::string_view what) {
  ATOLL_TRY(reader.finish(what));
  return value;
}

Process readProcess(WireReader& reader) {
  Process message;
  message.millisecondsLeft = reader.get<std::uint32_t>();
  message.info = readProcessInfo(reader);
  return message;
}

void write(WireWriter& writer, const Process& message) {
  writer.put(message.millisecondsLeft);
  write(writer, message.info);
}

}  // namespace

void write(WireWriter& writer, const ProcessInfo& process) {
  writer.put(process.id);
  writer.put(process.host);
  writer.put(process.machine);
  writer.put(process.pid);
  writer.put(process.transports);
  writer.put(process.cores);
  // A list that is cut would be a wrong one.
  const std::size_t ranges = process.cpus.size() <= kMostCpuRanges ? process.cpus.size() : 0;
  writer.put(static_cast<std::uint8_t>(ranges));
  for (std::size_t i = 0; i < ranges; ++i) {
    writer.put(process.cpus[i].first);
    writer.put(process.cpus[i].count);
  }
  writer.put(process.tuning);
  writer.put(process.topology);
  writer.put(process.fabric);
  writer.put(process.package);
  writer.put(process.megabits);
  writer.text(cut(process.hostName, kMostHostName));
  writer.text(cut(process.localName, kMostLocalName));
  writer.text(cut(process.island, kMostIsland));
  const auto addresses = std::min(process.addresses.size(), kMostAddresses);
  writer.put(process.rails);
  writer.put(static_cast<std::uint16_t>(addresses));
  for (std::size_t i = 0; i < addresses; ++i) {
    const auto& address = process.addresses[i];
    writer.raw(address.ip.data(), address.ip.size());
    writer.put(address.port);
    writer.put(address.scope);
  }
}

ProcessInfo readProcessInfo(WireReader& reader) {
  ProcessInfo process;
  process.id = reader.get<std::uint64_t>();
  process.host = reader.get<std::uint64_t>();
  process.machine = reader.get<std::uint64_t>();
  process.pid = reader.get<std::int32_t>();
  process.transports = reader.get<std::uint32_t>();
  process.cores = reader.get<std::int32_t>();
  const auto ranges = reader.get<std::uint8_t>();
  check(reader, ranges <= kMostCpuRanges && process.cores > 0);
  for (std::size_t i = 0; reader.ok() && i < ranges; ++i) {
    const auto first = reader.get<std::uint16_t>();
    const auto count = reader.get<std::uint16_t>();
    check(reader, count > 0 && first <= UINT16_MAX - count);
    process.cpus = unionOf(process.cpus, {{first, count}});
  }
  process.tuning = reader.get<std::uint64_t>();
  process.topology = reader.get<std::uint64_t>();
  process.fabric = reader.get<std::uint64_t>();
  process.package = reader.get<std::int16_t>();
  process.megabits = reader.get<std::uint32_t>();
  process.hostName = reader.text(kMostHostName);
  process.localName = reader.text(kMostLocalName);
  process.island = reader.text(kMostIsland);
  process.rails = reader.get<std::uint16_t>();
  const auto addresses = reader.get<std::uint16_t>();
  check(reader, addresses <= kMostAddresses && process.rails <= std::max<std::uint16_t>(addresses, 1));
  for (std::size_t i = 0; reader.ok() && i < addresses; ++i) {
    NetAddress address;
    const auto ip = reader.raw(address.ip.size());
    if (!ip.empty()) std::memcpy(address.ip.data(), ip.data(), ip.size());
    address.port = reader.get<std::uint16_t>();
    address.scope = reader.get<std::uint16_t>();
    process.addresses.push_back(address);
  }
  return process;
}

Bytes encode(const Process& message) {
  WireWriter writer;
  write(writer, message);
  return writer.take();
}

Result<Process> decodeProcess(std::span<const std::byte> body) {
  WireReader reader(body);
  auto message = readProcess(reader);
  return finished(reader, std::move(message), "process message");
}

Bytes encode(const Enrol& message) {
  WireWriter writer;
  write(writer, message.process);
  writer.raw(message.sealedFirstId.data(), message.sealedFirstId.size());
  return writer.take();
}

Result<Enrol> decodeEnrol(std::span<const std::byte> body) {
  WireReader reader(body);
  Enrol message;
  message.process = readProcess(reader);
  check(reader, reader.left() <= kMostSealedBytes);
  message.sealedFirstId = rest(reader);
  return finished(reader, std::move(message), "enrol message");
}

Bytes encode(const Assign& message) {
  WireWriter writer;
  writer.put(message.tree);
  writer.put(message.place);
  writer.put(message.parentPlace);
  writer.put(static_cast<std::uint8_t>(message.parentIsHere));
  write(writer, message.parent);
  return writer.take();
}

Result<Assign> decodeAssign(std::span<const std::byte> body) {
  WireReader reader(body);
  Assign message;
  message.tree = reader.get<std::uint64_t>();
  message.place = reader.get<std::uint32_t>();
  message.parentPlace = reader.get<std::uint32_t>();
  message.parentIsHere = reader.get<std::uint8_t>() != 0;
  message.parent = readProcessInfo(reader);
  check(reader, message.parentPlace < message.place && message.place <= 0x7fffffffU);
  return finished(reader, std::move(message), "assign message");
}

Bytes encode(const Join& message) {
  WireWriter writer;
  writer.put(message.process);
  writer.put(message.rank);
  writer.put(message.ranks);
  return writer.take();
}

Result<Join> decodeJoin(std::span<const std::byte> body) {
  WireReader reader(body);
  Join message;
  message.process = reader.get<std::uint64_t>();
  message.rank = reader.get<Rank>();
  message.ranks = reader.get<Rank>();
  return finished(reader, message, "join message");
}

Bytes encode(const Error& failure) {
  WireWriter writer;
  writer.put(failure.code);
  writer.text(cut(failure.text, kMostTextBytes));
  return writer.take();
}

Status decodeFailure(std::span<const std::byte> body, Error& failure) {
  WireReader reader(body);
  failure.code = readErrorCode(reader);
  failure.text = reader.text(kMostTextBytes);
  return reader.finish("fail message");
}

Bytes encode(const DirectoryMessage& message) {
  WireWriter writer;
  writer.put(message.communicator);
  writer.put(static_cast<std::uint32_t>(message.processes.size()));
  for (const auto& process : message.processes) write(writer, process);
  writer.put(static_cast<std::uint32_t>(message.processOf.size()));
  writer.raw(message.processOf.data(), message.processOf.size() * sizeof(std::uint32_t));
  return writer.take();
}

Result<DirectoryMessage> decodeDirectory(std::span<const std::byte> body) {
  WireReader reader(body);
  DirectoryMessage message;
  message.communicator = reader.get<std::uint64_t>();
  const auto processes = reader.count(kLeastProcessBytes);
  for (std::size_t i = 0; reader.ok() && i < processes; ++i) message.processes.push_back(readProcessInfo(reader));
  const auto ranks = reader.count(sizeof(std::uint32_t));
  const auto table = reader.raw(ranks * sizeof(std::uint32_t));
  message.processOf.resize(table.size() / sizeof(std::uint32_t));
  if (!table.empty()) std::memcpy(message.processOf.data(), table.data(), table.size());
  for (const auto process : message.processOf) check(reader, process < message.processes.size());
  return finished(reader, std::move(message), "directory message");
}

Bytes encode(const GatherUp& message) {
  WireWriter writer;
  writer.put(message.sequence);
  writer.put(message.size);
  writer.text(cut(message.error, kMostTextBytes));
  writer.raw(message.shares.data(), message.shares.size());
  return writer.take();
}

Result<GatherUp> decodeGatherUp(std::span<const std::byte> body) {
  WireReader reader(body);
  GatherUp message;
  message.sequence = reader.get<std::uint64_t>();
  message.size = reader.get<std::uint32_t>();
  message.error = reader.text(kMostTextBytes);
  check(reader, reader.left() % (sizeof(Rank) + std::size_t{message.size}) == 0);
  message.shares = rest(reader);
  return finished(reader, std::move(message), "gather message");
}

Bytes encode(const GatherDown& message) {
  WireWriter writer;
  writer.put(message.sequence);
  writer.put(message.size);
  writer.text(cut(message.error, kMostTextBytes));
  writer.raw(message.table.data(), message.table.size());
  return writer.take();
}

Result<GatherDown> decodeGatherDown(std::span<const std::byte> body) {
  WireReader reader(body);
  GatherDown message;
  message.sequence = reader.get<std::uint64_t>();
  message.size = reader.get<std::uint32_t>();
  message.error = reader.text(kMostTextBytes);
  message.table = rest(reader);
  return finished(reader, std::move(message), "gathered message");
}

Bytes encode(const Notice& notice) {
  WireWriter writer;
  writer.put(notice.kind);
  writer.put(notice.code);
  writer.put(notice.rank);
  writer.text(cut(notice.text, kMostTextBytes));
  return writer.take();
}

Result<Notice> decodeNotice(std::span<const std::byte> body) {
  WireReader reader(body);
  Notice notice;
  const auto kind = reader.get<std::uint8_t>();
  check(reader, kind <= static_cast<std::uint8_t>(Notice::Kind::left));
  if (reader.ok()) notice.kind = static_cast<Notice::Kind>(kind);
  notice.code = static_cast<std::uint8_t>(readErrorCode(reader));
  notice.rank = reader.get<Rank>();
  notice.text = reader.text(kMostTextBytes);
  return finished(reader, std::move(notice), "notice");
}

}  // namespace atl

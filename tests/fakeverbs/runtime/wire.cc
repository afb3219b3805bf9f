// SPDX-License-Identifier: Apache-2.0
#include "tests/fakeverbs/runtime/wire.h"

#include <algorithm>
#include <cstring>

#include "tests/fakeverbs/runtime/engine.h"
#include "tests/fakeverbs/runtime/faults.h"
#include "tests/fakeverbs/runtime/network.h"
#include "tests/fakeverbs/runtime/requester.h"
#include "tests/fakeverbs/runtime/responder.h"

namespace fakeverbs {
namespace {

bool same(const ibv_gid& one, const ibv_gid& other) {
  return std::memcmp(one.raw, other.raw, sizeof(one.raw)) == 0;
}

/// Puts both ends of the queue pair's path into the header. False if its own address has gone.
bool address(const QueuePair& qp, Header& header) {
  const ibv_ah_attr& path = qp.attributes.ah_attr;
  const Port& port = portOf(qp);
  header.network = port.setting.network;
  header.sourceQp = qp.qp_num;
  header.destinationQp = qp.attributes.dest_qp_num;
  header.source.lid = port.setting.lid;
  header.destination.lid = path.dlid;
  header.source.global = header.destination.global = path.is_global;
  if (path.is_global == 0) return true;
  if (path.grh.sgid_index >= port.gids.size()) return false;
  const auto& [gid, type] = port.gids[path.grh.sgid_index];
  header.source.gid = gid;
  header.destination.gid = path.grh.dgid;
  header.source.gidType = header.destination.gidType = static_cast<std::uint32_t>(type);
  return !same(gid, ibv_gid{});
}

bool isAt(const Port& port, const Address& where) {
  if (where.global == 0) return !port.setting.ethernet && port.setting.lid == where.lid;
  return std::any_of(port.gids.begin(), port.gids.end(), [&](const std::pair<ibv_gid, ibv_gid_type>& entry) {
    return same(entry.first, where.gid) && static_cast<std::uint32_t>(entry.second) == where.gidType;
  });
}

/// Does the packet come from whom the queue pair is connected to?
bool isFromPartner(const QueuePair& qp, const Header& header) {
  const ibv_ah_attr& path = qp.attributes.ah_attr;
  if (header.sourceQp != qp.attributes.dest_qp_num || header.source.global != path.is_global) return false;
  return path.is_global != 0 ? same(header.source.gid, path.grh.dgid) : header.source.lid == path.dlid;
}

/// The queue pair that a packet reaches; null if there is none or the way is closed.
QueuePair* receiverOf(const World& all, const Header& header) {
  const auto found = all.byNumber.find(header.destinationQp);
  if (found == all.byNumber.end()) return nullptr;
  QueuePair& qp = *found->second;
  if ((qp.current != IBV_QPS_RTR && qp.current != IBV_QPS_RTS) || qp.home->lost) return nullptr;
  const Port& port = portOf(qp);
  const bool open = port.setting.up && port.setting.network == header.network && isAt(port, header.destination);
  return open && isFromPartner(qp, header) ? &qp : nullptr;
}

void forward(World& all, Packet packet) {
  if (!all.network->isOfOthers(packet.header.destinationQp)) {
    all.inbox.push_back(std::move(packet));
    wakeEngine(all);
    return;
  }
  if (!all.network->send(packet)) reportLoss(all, packet.header);
}

}  // namespace

bool transmit(World& all, QueuePair& qp, Packet packet, bool doomed) {
  Counters& counters = portOf(qp).counters;
  const bool isRequest = packet.header.kind == PacketKind::request;
  const bool isNotice = packet.header.kind == PacketKind::lossNotice;
  const bool addressed = address(qp, packet.header);
  if (isNotice) {
    forward(all, std::move(packet));
    return true;
  }
  const bool lost =
      countAndLose(all, *qp.home, qp.attributes.port_num, isRequest ? Traffic::requests : Traffic::responses);
  ++counters.packetsSent;
  counters.bytesSent += packet.payload.size();
  if (!lost && !doomed && addressed) {
    forward(all, std::move(packet));
    return true;
  }
  ++counters.packetsLost;
  if (!isRequest) reportLoss(all, packet.header);
  return false;
}

void arrive(World& all, const Packet& packet) {
  const Header& header = packet.header;
  if (header.kind == PacketKind::processEnded) {
    all.queuePairs.forEach([&](QueuePair& qp) {
      const std::uint32_t partner = qp.attributes.dest_qp_num;
      if (partner / Network::kNumbersOfAProcess == header.sourceQp / Network::kNumbersOfAProcess) {
        noteLoss(all, qp, qp.attempt);
      }
    });
    return;
  }
  if (header.kind == PacketKind::lossNotice) {
    const auto found = all.byNumber.find(header.destinationQp);
    if (found != all.byNumber.end()) takeAnswer(all, *found->second, packet);
    return;
  }
  QueuePair* const qp = receiverOf(all, header);
  if (qp == nullptr) {
    reportLoss(all, header);
    return;
  }
  Counters& counters = portOf(*qp).counters;
  ++counters.packetsReceived;
  counters.bytesReceived += packet.payload.size();
  if (header.kind == PacketKind::request) {
    takeRequest(all, *qp, packet);
  } else {
    takeAnswer(all, *qp, packet);
  }
}

void reportLoss(World& all, const Header& lost) {
  if (lost.kind == PacketKind::lossNotice) return;  // whoever was to be told has gone
  Packet notice;
  notice.header.kind = PacketKind::lossNotice;
  notice.header.destinationQp = lost.kind == PacketKind::request ? lost.sourceQp : lost.destinationQp;
  notice.header.psn = lost.psn;
  notice.header.attempt = lost.attempt;
  forward(all, std::move(notice));
}

}  // namespace fakeverbs

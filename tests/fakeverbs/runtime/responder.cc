// SPDX-License-Identifier: Apache-2.0
#include "tests/fakeverbs/runtime/responder.h"

#include <algorithm>
#include <cstring>

#include "tests/fakeverbs/runtime/completions.h"
#include "tests/fakeverbs/runtime/memory.h"
#include "tests/fakeverbs/runtime/queue_pairs.h"
#include "tests/fakeverbs/runtime/wire.h"

namespace fakeverbs {
namespace {

void answer(World& all, QueuePair& qp, const Header& request, PacketKind kind, std::uint32_t psn,
            ibv_wc_status status = IBV_WC_SUCCESS) {
  Packet packet;
  packet.header.kind = kind;
  packet.header.psn = psn;
  packet.header.attempt = request.attempt;
  packet.header.status = static_cast<std::uint8_t>(status);
  transmit(all, qp, std::move(packet), false);
}

/// The request cannot be served: both ends are in error.
void refuse(World& all, QueuePair& qp, const Header& request, ibv_wc_status status, ibv_event_type event) {
  answer(all, qp, request, PacketKind::refusal, request.psn, status);
  raiseEvent(qp, event);
  enterError(all, qp);
}

void failReceive(World& all, QueuePair& qp, const Header& request, ibv_wc_status here, ibv_wc_status there) {
  const Receive receive = std::move(*qp.open);
  qp.open.reset();
  complete(all, qp, {failed(qp, receive.id, here, false), false, true, receive.number});
  refuse(all, qp, request, there, IBV_EVENT_QP_REQ_ERR);
}

/// Takes the next receive for a message. False if there is none: the partner has been told.
bool openReceive(World& all, QueuePair& qp, const Header& request) {
  std::deque<Receive>& queue = qp.shared() != nullptr ? qp.shared()->receives : qp.receives;
  Port& port = portOf(qp);
  if (queue.empty() || port.refusals > 0) {
    port.refusals = std::max(0, port.refusals - 1);
    ++port.counters.notReady;
    answer(all, qp, request, PacketKind::notReady, request.psn);
    return false;
  }
  qp.open = std::move(queue.front());
  queue.pop_front();
  return true;
}

/// What was written before is in memory now.
void placeLate(World& all, QueuePair& qp) {
  std::shuffle(qp.late.begin(), qp.late.end(), all.random);
  for (const LatePart& part : qp.late) {
    std::byte* const memory =
        remoteMemory(all, qp.pd, part.rkey, part.address, part.bytes.size(), IBV_ACCESS_REMOTE_WRITE);
    if (memory != nullptr) std::memcpy(memory, part.bytes.data(), part.bytes.size());
  }
  qp.late.clear();
}

void completeReceive(World& all, QueuePair& qp, const Header& request, ibv_wc_opcode opcode, bool immediate) {
  placeLate(all, qp);
  const Receive receive = std::move(*qp.open);
  qp.open.reset();
  ibv_wc wc{};
  wc.wr_id = receive.id;
  wc.status = IBV_WC_SUCCESS;
  wc.opcode = opcode;
  wc.byte_len = request.messageLength;
  wc.imm_data = immediate ? request.immediate : 0;
  wc.wc_flags = immediate ? IBV_WC_WITH_IMM : 0;
  wc.qp_num = qp.qp_num;
  complete(all, qp, {wc, false, request.solicited != 0, receive.number});
}

/// The packet is done: counts it, and acknowledges it if the partner wants that.
void accept(World& all, QueuePair& qp, const Header& request) {
  qp.expected = psnAfter(qp.expected, 1);
  ++qp.accepted;
  if (request.wantsAcknowledgement != 0) answer(all, qp, request, PacketKind::acknowledgement, request.psn);
}

void takeSend(World& all, QueuePair& qp, const Packet& packet) {
  const Header& request = packet.header;
  if (request.first != 0) {
    if (!openReceive(all, qp, request)) return;
    if (request.messageLength > totalLength(qp.open->parts)) {
      failReceive(all, qp, request, IBV_WC_LOC_LEN_ERR, IBV_WC_REM_INV_REQ_ERR);
      return;
    }
  }
  if (!qp.open) return;
  if (!scatter(all, qp.pd, qp.open->parts, request.offset, packet.payload)) {
    failReceive(all, qp, request, IBV_WC_LOC_PROT_ERR, IBV_WC_REM_OP_ERR);
    return;
  }
  accept(all, qp, request);
  if (request.last != 0) completeReceive(all, qp, request, IBV_WC_RECV, request.opcode == IBV_WR_SEND_WITH_IMM);
}

void takeWrite(World& all, QueuePair& qp, const Packet& packet) {
  const Header& request = packet.header;
  const bool notifies = request.last != 0 && request.opcode == IBV_WR_RDMA_WRITE_WITH_IMM;
  std::byte* memory = nullptr;
  if (request.messageLength != 0) {
    // The first packet names the whole message; later ones are checked again, because the memory may go in between.
    const std::uint32_t bytes = request.first != 0 ? request.messageLength : request.length;
    if ((qp.attributes.qp_access_flags & IBV_ACCESS_REMOTE_WRITE) != 0) {
      memory = remoteMemory(all, qp.pd, request.rkey, request.remoteAddress, bytes, IBV_ACCESS_REMOTE_WRITE);
    }
    if (memory == nullptr) {
      refuse(all, qp, request, IBV_WC_REM_ACCESS_ERR, IBV_EVENT_QP_ACCESS_ERR);
      return;
    }
  }
  if (notifies && !openReceive(all, qp, request)) return;
  if (request.opcode == IBV_WR_RDMA_WRITE && all.configuration.scatteredWrites) {
    qp.late.push_back({request.rkey, request.remoteAddress, packet.payload});
  } else if (request.length != 0) {
    std::memcpy(memory, packet.payload.data(), request.length);
  }
  accept(all, qp, request);
  if (notifies) completeReceive(all, qp, request, IBV_WC_RECV_RDMA_WITH_IMM, true);
}

void takeRead(World& all, QueuePair& qp, const Header& request, bool again) {
  const std::byte* memory = nullptr;
  if (qp.attributes.max_dest_rd_atomic == 0) {
    refuse(all, qp, request, IBV_WC_REM_INV_REQ_ERR, IBV_EVENT_QP_REQ_ERR);
    return;
  }
  if (request.length != 0) {
    if ((qp.attributes.qp_access_flags & IBV_ACCESS_REMOTE_READ) != 0) {
      memory = remoteMemory(all, qp.pd, request.rkey, request.remoteAddress, request.length, IBV_ACCESS_REMOTE_READ);
    }
    if (memory == nullptr) {
      refuse(all, qp, request, IBV_WC_REM_ACCESS_ERR, IBV_EVENT_QP_ACCESS_ERR);
      return;
    }
  }
  placeLate(all, qp);
  if (!again) {
    qp.expected = psnAfter(qp.expected, static_cast<int>(request.count));
    qp.accepted += request.count;
  }
  const std::uint32_t mtu = 128U << qp.attributes.path_mtu;
  for (std::uint32_t i = 0; i < request.count; ++i) {
    Packet packet;
    packet.header.kind = PacketKind::readData;
    packet.header.psn = psnAfter(request.psn, static_cast<int>(i));
    packet.header.attempt = request.attempt;
    packet.header.length = std::min(mtu, request.length - i * mtu);
    packet.payload.assign(memory + i * mtu, memory + i * mtu + packet.header.length);
    transmit(all, qp, std::move(packet), false);
  }
}

}  // namespace

void takeRequest(World& all, QueuePair& qp, const Packet& packet) {
  const Header& request = packet.header;
  const int ahead = psnDistance(qp.expected, request.psn);
  const bool neverSeen = ahead < 0 && static_cast<std::uint64_t>(-ahead) > qp.accepted;
  if (ahead > 0 || neverSeen) {
    // One before it is missing, which the requester may already know; or the ends do not agree where to begin.
    answer(all, qp, request, PacketKind::lossNotice, request.psn);
    return;
  }
  const bool again = ahead < 0;
  switch (static_cast<ibv_wr_opcode>(request.opcode)) {
    case IBV_WR_RDMA_READ: takeRead(all, qp, request, again); return;
    case IBV_WR_SEND:
    case IBV_WR_SEND_WITH_IMM:
    case IBV_WR_RDMA_WRITE:
    case IBV_WR_RDMA_WRITE_WITH_IMM: break;
    default: return;
  }
  if (again) {
    if (request.wantsAcknowledgement != 0) {
      answer(all, qp, request, PacketKind::acknowledgement, psnAfter(qp.expected, -1));
    }
  } else if (request.opcode == IBV_WR_SEND || request.opcode == IBV_WR_SEND_WITH_IMM) {
    takeSend(all, qp, packet);
  } else {
    takeWrite(all, qp, packet);
  }
}

}  // namespace fakeverbs

// SPDX-License-Identifier: Apache-2.0
#include "tests/fakeverbs/runtime/requester.h"

#include <algorithm>
#include <cstring>

#include "tests/fakeverbs/runtime/completions.h"
#include "tests/fakeverbs/runtime/engine.h"
#include "tests/fakeverbs/runtime/faults.h"
#include "tests/fakeverbs/runtime/memory.h"
#include "tests/fakeverbs/runtime/queue_pairs.h"
#include "tests/fakeverbs/runtime/wire.h"

namespace fakeverbs {
namespace {

constexpr int kWindow = 64;            ///< packets on their way
constexpr int kAcknowledgeEvery = 16;  ///< packets of a long message
constexpr int kReadAtOnce = 16;        ///< packets that one request to read asks for

ibv_wc_opcode completionOpcode(ibv_wr_opcode opcode) {
  switch (opcode) {
    case IBV_WR_RDMA_WRITE:
    case IBV_WR_RDMA_WRITE_WITH_IMM: return IBV_WC_RDMA_WRITE;
    case IBV_WR_RDMA_READ: return IBV_WC_RDMA_READ;
    default: return IBV_WC_SEND;
  }
}

bool hasImmediate(ibv_wr_opcode opcode) {
  return opcode == IBV_WR_SEND_WITH_IMM || opcode == IBV_WR_RDMA_WRITE_WITH_IMM;
}

std::uint32_t mtuOf(const QueuePair& qp) {
  return 128U << qp.attributes.path_mtu;
}

/// The work request that a packet belongs to, as an index; sends.size() if there is none yet.
std::size_t indexOf(const QueuePair& qp, std::uint32_t psn) {
  std::size_t index = 0;
  while (index < qp.sends.size() &&
         psnDistance(psnAfter(qp.sends[index].firstPsn, qp.sends[index].packets), psn) >= 0) {
    ++index;
  }
  return index;
}

/// Is there data still to come for a request before this one?
bool readsBefore(const QueuePair& qp, std::size_t index) {
  const auto end = qp.sends.begin() + static_cast<std::ptrdiff_t>(index);
  return std::any_of(qp.sends.begin(), end, [](const Send& one) { return one.opcode == IBV_WR_RDMA_READ; });
}

/// The first work request completes with an error, which ends the queue pair.
void failFirst(World& all, QueuePair& qp, ibv_wc_status status) {
  if (qp.sends.empty()) return;
  const Send work = std::move(qp.sends.front());
  qp.sends.pop_front();
  complete(all, qp, {failed(qp, work.id, status, true), true, false, work.number});
  enterError(all, qp);
}

void succeed(World& all, QueuePair& qp, const Send& work) {
  if (!work.signaled) return;
  ibv_wc wc{};
  wc.wr_id = work.id;
  wc.status = IBV_WC_SUCCESS;
  wc.opcode = completionOpcode(work.opcode);
  wc.byte_len = work.length;
  wc.qp_num = qp.qp_num;
  complete(all, qp, {wc, true, false, work.number});
}

/// What is found out about a work request before its first packet goes.
ibv_wc_status examine(const World& all, const QueuePair& qp, const Send& work) {
  if (work.shallFail) return *work.shallFail;
  const bool reads = work.opcode == IBV_WR_RDMA_READ;
  if (reads && qp.attributes.max_rd_atomic == 0) return IBV_WC_LOC_QP_OP_ERR;
  const bool covered =
      work.isInline || mayAccess(all, qp.pd, work.parts, reads ? static_cast<unsigned>(IBV_ACCESS_LOCAL_WRITE) : 0U);
  return covered ? IBV_WC_SUCCESS : IBV_WC_LOC_PROT_ERR;
}

/// False if its memory is not to be had any more.
bool fillIn(const World& all, const QueuePair& qp, const Send& work, int which, Packet& packet) {
  const std::uint32_t mtu = mtuOf(qp);
  Header& header = packet.header;
  header.kind = PacketKind::request;
  header.opcode = static_cast<std::uint8_t>(work.opcode);
  header.psn = psnAfter(work.firstPsn, which);
  header.attempt = qp.attempt;
  header.offset = static_cast<std::uint32_t>(which) * mtu;
  header.length = std::min(mtu, work.length - header.offset);
  header.messageLength = work.length;
  header.remoteAddress = work.remoteAddress + header.offset;
  header.rkey = work.rkey;
  header.first = which == 0 ? 1 : 0;
  if (work.opcode == IBV_WR_RDMA_READ) {
    const int packets = std::min(kReadAtOnce, work.packets - which);
    header.count = static_cast<std::uint32_t>(packets);
    header.length = std::min(header.count * mtu, work.length - header.offset);
    header.last = which + packets == work.packets ? 1 : 0;
    return true;
  }
  header.last = which + 1 == work.packets ? 1 : 0;
  header.wantsAcknowledgement = header.last != 0 || which % kAcknowledgeEvery == kAcknowledgeEvery - 1 ? 1 : 0;
  header.immediate = hasImmediate(work.opcode) ? work.immediate : 0;
  header.solicited = work.solicited ? 1 : 0;
  packet.payload.resize(header.length);
  if (work.isInline) {
    if (header.length != 0) std::memcpy(packet.payload.data(), work.inlineData.data() + header.offset, header.length);
    return true;
  }
  return gather(all, qp.pd, work.parts, header.offset, packet.payload);
}

/// All packets up to `psn` have arrived, as far as they are not to be answered by data. False if they cannot have.
bool advance(World& all, QueuePair& qp, std::uint32_t psn) {
  int count = psnDistance(qp.unacknowledged, psn) + 1;
  if (count > psnDistance(qp.unacknowledged, qp.sentEnd) || count < 0) return false;
  if (count > 0) {
    qp.retriesLeft = qp.attributes.retry_cnt;
    qp.notReadyLeft = qp.attributes.rnr_retry;
  }
  while (count > 0 && !qp.sends.empty()) {
    const Send& first = qp.sends.front();
    if (first.opcode == IBV_WR_RDMA_READ) return false;
    const int left = first.packets - psnDistance(first.firstPsn, qp.unacknowledged);
    const int step = std::min(left, count);
    qp.unacknowledged = psnAfter(qp.unacknowledged, step);
    count -= step;
    if (step < left) break;
    const Send done = std::move(qp.sends.front());
    qp.sends.pop_front();
    succeed(all, qp, done);
  }
  if (psnDistance(qp.unacknowledged, qp.cursor) < 0) qp.cursor = qp.unacknowledged;
  return true;
}

void takeReadData(World& all, QueuePair& qp, const Packet& packet) {
  const Header& header = packet.header;
  if (psnDistance(qp.unacknowledged, header.psn) < 0) return;  // asked for twice
  if (!advance(all, qp, psnAfter(header.psn, -1)) || qp.sends.empty() || qp.sends.front().opcode != IBV_WR_RDMA_READ ||
      header.psn != qp.unacknowledged) {
    noteLoss(all, qp, header.attempt);
    return;
  }
  const Send& work = qp.sends.front();
  const int which = psnDistance(work.firstPsn, header.psn);
  if (!scatter(all, qp.pd, work.parts, static_cast<std::size_t>(which) * mtuOf(qp), packet.payload)) {
    failFirst(all, qp, IBV_WC_LOC_PROT_ERR);
    return;
  }
  qp.retriesLeft = qp.attributes.retry_cnt;
  qp.unacknowledged = psnAfter(qp.unacknowledged, 1);
  if (psnDistance(qp.unacknowledged, qp.cursor) < 0) qp.cursor = qp.unacknowledged;
  if (which + 1 < work.packets) return;
  const Send done = std::move(qp.sends.front());
  qp.sends.pop_front();
  succeed(all, qp, done);
}

void takeNotReady(World& all, QueuePair& qp, const Header& header) {
  if (header.attempt != qp.attempt || !advance(all, qp, psnAfter(header.psn, -1))) return;
  if (qp.sends.empty() || qp.pause != QueuePair::Pause::no) return;
  qp.retriesLeft = qp.attributes.retry_cnt;  // the partner is there
  if (qp.attributes.rnr_retry != 7 && qp.notReadyLeft == 0) {
    failFirst(all, qp, IBV_WC_RNR_RETRY_EXC_ERR);
    return;
  }
  --qp.notReadyLeft;
  pauseQueuePair(all, qp, QueuePair::Pause::notReady);
}

}  // namespace

bool sendNext(World& all, QueuePair& qp) {
  if (qp.current != IBV_QPS_RTS || qp.pause != QueuePair::Pause::no) return false;
  const std::size_t index = indexOf(qp, qp.cursor);
  if (index == qp.sends.size() || psnDistance(qp.unacknowledged, qp.cursor) >= kWindow) return false;
  Send& work = qp.sends[index];
  if (work.fenced && readsBefore(qp, index)) return false;
  const bool isFirst = index == 0;
  if (!std::exchange(work.begun, true) && countAndMark(portOf(qp), work)) {
    enterError(all, qp);
    raiseEvent(qp, IBV_EVENT_QP_FATAL);
    return false;
  }
  Packet packet;
  const int which = psnDistance(work.firstPsn, qp.cursor);
  ibv_wc_status status = which == 0 ? examine(all, qp, work) : IBV_WC_SUCCESS;
  if (status == IBV_WC_SUCCESS && !fillIn(all, qp, work, which, packet)) status = IBV_WC_LOC_PROT_ERR;
  if (status != IBV_WC_SUCCESS) {
    // It is this one's turn to complete only when those before it have.
    if (isFirst) failFirst(all, qp, status);
    return false;
  }
  const std::uint32_t attempt = qp.attempt;
  qp.cursor = psnAfter(qp.cursor, static_cast<int>(packet.header.count));
  if (psnDistance(qp.sentEnd, qp.cursor) > 0) qp.sentEnd = qp.cursor;
  if (!transmit(all, qp, std::move(packet), work.doomed)) noteLoss(all, qp, attempt);
  return true;
}

void resume(World& all, QueuePair& qp) {
  const QueuePair::Pause why = std::exchange(qp.pause, QueuePair::Pause::no);
  if (qp.current != IBV_QPS_RTS) return;
  const bool outstanding = psnDistance(qp.unacknowledged, qp.sentEnd) > 0;
  if (why == QueuePair::Pause::loss && outstanding) {  // else a later answer has made it good
    if (qp.retriesLeft == 0) {
      failFirst(all, qp, IBV_WC_RETRY_EXC_ERR);
      return;
    }
    --qp.retriesLeft;
    ++portOf(qp).counters.retries;
  }
  ++qp.attempt;
  qp.cursor = qp.unacknowledged;
  makeReady(all, qp);
}

void noteLoss(World& all, QueuePair& qp, std::uint32_t attempt) {
  const bool outstanding = psnDistance(qp.unacknowledged, qp.sentEnd) > 0;
  if (qp.current != IBV_QPS_RTS || attempt != qp.attempt || !outstanding || qp.pause != QueuePair::Pause::no) return;
  pauseQueuePair(all, qp, QueuePair::Pause::loss);
}

void takeAnswer(World& all, QueuePair& qp, const Packet& packet) {
  const Header& header = packet.header;
  if (qp.current != IBV_QPS_RTS) return;
  switch (header.kind) {
    case PacketKind::acknowledgement:
      // An acknowledgement of what was never sent: the two ends do not agree on the numbers.
      if (!advance(all, qp, header.psn)) noteLoss(all, qp, header.attempt);
      break;
    case PacketKind::readData: takeReadData(all, qp, packet); break;
    case PacketKind::notReady: takeNotReady(all, qp, header); break;
    case PacketKind::refusal:
      if (advance(all, qp, psnAfter(header.psn, -1))) failFirst(all, qp, static_cast<ibv_wc_status>(header.status));
      break;
    case PacketKind::lossNotice: noteLoss(all, qp, header.attempt); break;
    case PacketKind::request:
    case PacketKind::processEnded: break;
  }
  makeReady(all, qp);
}

}  // namespace fakeverbs

// SPDX-License-Identifier: Apache-2.0
#include "tests/fakeverbs/runtime/posting.h"

#include <algorithm>
#include <cstring>

#include "tests/fakeverbs/runtime/calls.h"
#include "tests/fakeverbs/runtime/completions.h"
#include "tests/fakeverbs/runtime/engine.h"
#include "tests/fakeverbs/runtime/memory.h"

namespace fakeverbs {
namespace {

bool isSupported(ibv_wr_opcode opcode) {
  switch (opcode) {
    case IBV_WR_SEND:
    case IBV_WR_SEND_WITH_IMM:
    case IBV_WR_RDMA_WRITE:
    case IBV_WR_RDMA_WRITE_WITH_IMM:
    case IBV_WR_RDMA_READ: return true;
    default: return false;
  }
}

/// Data that goes with the request itself: read now, without keys.
int takeInline(const QueuePair& qp, Send& work) {
  if (work.opcode == IBV_WR_RDMA_READ || totalLength(work.parts) > qp.made.cap.max_inline_data) return EINVAL;
  work.isInline = true;
  work.inlineData.resize(totalLength(work.parts));
  std::size_t at = 0;
  for (const ibv_sge& part : work.parts) {
    if (part.length != 0) std::memcpy(work.inlineData.data() + at, reinterpret_cast<void*>(part.addr), part.length);
    at += part.length;
  }
  return 0;
}

int checkSend(const QueuePair& qp, const ibv_send_wr& wanted) {
  constexpr unsigned known = IBV_SEND_FENCE | IBV_SEND_SIGNALED | IBV_SEND_SOLICITED | IBV_SEND_INLINE;
  if (qp.current != IBV_QPS_RTS && qp.current != IBV_QPS_ERR) return EINVAL;
  if (!isSupported(wanted.opcode) || (wanted.send_flags & ~known) != 0 || wanted.num_sge < 0 ||
      static_cast<std::uint32_t>(wanted.num_sge) > qp.made.cap.max_send_sge) {
    return EINVAL;
  }
  return qp.sendsPosted - qp.sendsReleased >= qp.made.cap.max_send_wr ? ENOMEM : 0;
}

int postOne(World& all, QueuePair& qp, const ibv_send_wr& wanted) {
  const int refused = checkSend(qp, wanted);
  if (refused != 0) return refused;
  Send work;
  work.id = wanted.wr_id;
  work.opcode = wanted.opcode;
  work.signaled = (wanted.send_flags & IBV_SEND_SIGNALED) != 0 || qp.made.sq_sig_all != 0;
  work.solicited = (wanted.send_flags & IBV_SEND_SOLICITED) != 0;
  work.fenced = (wanted.send_flags & IBV_SEND_FENCE) != 0;
  work.parts.assign(wanted.sg_list, wanted.sg_list + wanted.num_sge);
  work.immediate = wanted.imm_data;
  work.remoteAddress = wanted.wr.rdma.remote_addr;
  work.rkey = wanted.wr.rdma.rkey;
  const int unfit = (wanted.send_flags & IBV_SEND_INLINE) != 0 ? takeInline(qp, work) : 0;
  if (unfit != 0) return unfit;
  const std::size_t length = totalLength(work.parts);
  if (length > qp.home->setting.limits.messageBytes) {
    work.shallFail = IBV_WC_LOC_LEN_ERR;
  } else {
    work.length = static_cast<std::uint32_t>(length);
  }
  const std::uint32_t mtu = 128U << qp.attributes.path_mtu;
  work.packets = static_cast<int>(std::max(1U, (work.length + mtu - 1) / mtu));
  work.number = ++qp.sendsPosted;
  if (qp.current == IBV_QPS_ERR) {
    complete(all, qp, {failed(qp, work.id, IBV_WC_WR_FLUSH_ERR, true), true, false, work.number});
    return 0;
  }
  Counters& counters = portOf(qp).counters;
  ++counters.works[work.opcode];
  counters.inlineWorks += work.isInline ? 1 : 0;
  work.firstPsn = qp.nextPsn;
  qp.nextPsn = psnAfter(qp.nextPsn, work.packets);
  qp.sends.push_back(std::move(work));
  makeReady(all, qp);
  return 0;
}

Receive receiveOf(const ibv_recv_wr& wanted) {
  return {wanted.wr_id, 0, std::vector<ibv_sge>(wanted.sg_list, wanted.sg_list + wanted.num_sge)};
}

int postOne(World& all, QueuePair& qp, const ibv_recv_wr& wanted) {
  const ibv_qp_cap& limits = qp.made.cap;
  if (qp.shared() != nullptr || qp.current == IBV_QPS_RESET || wanted.num_sge < 0 ||
      static_cast<std::uint32_t>(wanted.num_sge) > limits.max_recv_sge) {
    return EINVAL;
  }
  if (qp.receivesPosted - qp.receivesReleased >= limits.max_recv_wr) return ENOMEM;
  Receive receive = receiveOf(wanted);
  receive.number = ++qp.receivesPosted;
  if (qp.current == IBV_QPS_ERR) {
    complete(all, qp, {failed(qp, receive.id, IBV_WC_WR_FLUSH_ERR, false), false, false, receive.number});
    return 0;
  }
  ++portOf(qp).counters.receives;
  qp.receives.push_back(std::move(receive));
  return 0;
}

int postOne(World& /*all*/, SharedReceiveQueue& queue, const ibv_recv_wr& wanted) {
  if (wanted.num_sge < 0 || static_cast<std::uint32_t>(wanted.num_sge) > queue.limits.max_sge) return EINVAL;
  if (queue.taken >= queue.limits.max_wr) return ENOMEM;
  ++queue.taken;
  ++static_cast<Context*>(queue.context)->home->ports.front().counters.receives;
  queue.receives.push_back(receiveOf(wanted));
  return 0;
}

/// Posts a list up to the first request that cannot be.
template <class Queue, class Work>
int postAll(World& all, Queue* queue, const Device* device, Work* list, Work** bad) {
  int error = queue == nullptr ? EINVAL : device->lost ? EIO : 0;
  for (; list != nullptr && error == 0; list = list->next) {
    error = postOne(all, *queue, *list);
    if (error != 0) break;
  }
  if (error != 0) *bad = list;
  return error;
}

/// An error that was planned for the call is that of the list's first request.
template <class Work, class Body>
int post(Verb& verb, Work* list, Work** bad, Body&& body) {
  bool reached = false;
  const int error = call(verb, [&](World& all) {
    reached = true;
    return body(all);
  });
  if (!reached) *bad = list;
  return error;
}

}  // namespace

int postSend(ibv_qp* handle, ibv_send_wr* list, ibv_send_wr** bad) {
  static Verb& verb = verbNamed("ibv_post_send");
  return post(verb, list, bad, [&](World& all) {
    QueuePair* const qp = all.queuePairs.find(handle);
    return postAll(all, qp, qp == nullptr ? nullptr : qp->home, list, bad);
  });
}

int postReceive(ibv_qp* handle, ibv_recv_wr* list, ibv_recv_wr** bad) {
  static Verb& verb = verbNamed("ibv_post_recv");
  return post(verb, list, bad, [&](World& all) {
    QueuePair* const qp = all.queuePairs.find(handle);
    return postAll(all, qp, qp == nullptr ? nullptr : qp->home, list, bad);
  });
}

int postSharedReceive(ibv_srq* handle, ibv_recv_wr* list, ibv_recv_wr** bad) {
  static Verb& verb = verbNamed("ibv_post_srq_recv");
  return post(verb, list, bad, [&](World& all) {
    SharedReceiveQueue* const queue = all.sharedReceiveQueues.find(handle);
    const Device* const device = queue == nullptr ? nullptr : static_cast<Context*>(queue->context)->home;
    return postAll(all, queue, device, list, bad);
  });
}

}  // namespace fakeverbs

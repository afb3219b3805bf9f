// SPDX-License-Identifier: Apache-2.0
// Queue pairs, shared receive queues and address handles: making, asking and destroying them.
#include "tests/fakeverbs/runtime/queue_pairs.h"

#include "tests/fakeverbs/runtime/completions.h"
#include "tests/fakeverbs/runtime/events.h"
#include "tests/fakeverbs/runtime/network.h"

namespace fakeverbs {
namespace {

bool within(const ibv_qp_cap& asked, const Limits& limits) {
  const auto work = static_cast<std::uint32_t>(limits.workRequests);
  const auto parts = static_cast<std::uint32_t>(limits.sges);
  return asked.max_send_wr <= work && asked.max_recv_wr <= work && asked.max_send_sge <= parts &&
         asked.max_recv_sge <= parts && asked.max_inline_data <= limits.inlineBytes;
}

/// Says of which process it is, too: that is how a packet finds it.
std::uint32_t newNumber(World& all) {
  for (;;) {
    const std::uint32_t number = all.network->firstNumber() + ++all.lastQueuePair % Network::kNumbersOfAProcess;
    if (number > 1 && all.byNumber.find(number) == all.byNumber.end()) return number;  // 0 and 1 are special
  }
}

bool makesSense(const World& all, const ibv_qp_init_attr& wanted, const ibv_context* context) {
  const CompletionQueue* const sends = all.completionQueues.find(wanted.send_cq);
  const CompletionQueue* const receives = all.completionQueues.find(wanted.recv_cq);
  const SharedReceiveQueue* const shared = all.sharedReceiveQueues.find(wanted.srq);
  return sends != nullptr && receives != nullptr && sends->context == context && receives->context == context &&
         (wanted.srq == nullptr || (shared != nullptr && shared->context == context));
}

void removeEvents(QueuePair& qp) {
  static_cast<Context*>(qp.context)->events.removeIf([&](const ibv_async_event& event) {
    switch (event.event_type) {
      case IBV_EVENT_QP_FATAL:
      case IBV_EVENT_QP_REQ_ERR:
      case IBV_EVENT_QP_ACCESS_ERR:
      case IBV_EVENT_QP_LAST_WQE_REACHED: return event.element.qp == &qp;
      default: return false;
    }
  });
}

}  // namespace

void empty(World& all, QueuePair& qp) {
  forgetCompletions(all, qp);
  if (qp.open && qp.shared() != nullptr) --qp.shared()->taken;
  qp.open.reset();
  qp.late.clear();
  qp.sends.clear();
  qp.receives.clear();
  qp.sendsReleased = qp.sendsPosted;
  qp.receivesReleased = qp.receivesPosted;
  qp.pause = QueuePair::Pause::no;
}

}  // namespace fakeverbs

using namespace fakeverbs;

extern "C" {

ibv_srq* ibv_create_srq(ibv_pd* handle, ibv_srq_init_attr* wanted) {
  static Verb& verb = verbNamed(__func__);
  return create(verb, [&](World& all, int& error) -> ibv_srq* {
    ProtectionDomain* const domain = all.domains.find(handle);
    if (domain == nullptr) return nullptr;
    const Device& device = *static_cast<Context*>(domain->context)->home;
    const ibv_srq_attr& attributes = wanted->attr;
    if (attributes.max_wr < 1 || attributes.max_wr > static_cast<std::uint32_t>(device.setting.limits.workRequests) ||
        attributes.max_sge > static_cast<std::uint32_t>(device.setting.limits.sges)) {
      return nullptr;
    }
    error = EIO;
    if (device.lost) return nullptr;
    auto queue = std::make_unique<SharedReceiveQueue>();
    queue->context = domain->context;
    queue->srq_context = wanted->srq_context;
    queue->pd = domain;
    queue->limits = attributes;
    ++domain->users;
    return all.sharedReceiveQueues.add(std::move(queue));
  });
}

int ibv_destroy_srq(ibv_srq* handle) {
  static Verb& verb = verbNamed(__func__);
  return call(verb, [&](World& all) {
    SharedReceiveQueue* const queue = all.sharedReceiveQueues.find(handle);
    if (queue == nullptr) return EINVAL;
    if (queue->users > 0) return EBUSY;
    --static_cast<ProtectionDomain*>(queue->pd)->users;
    all.sharedReceiveQueues.remove(queue);
    return 0;
  });
}

ibv_qp* ibv_create_qp(ibv_pd* handle, ibv_qp_init_attr* wanted) {
  static Verb& verb = verbNamed(__func__);
  return create(verb, [&](World& all, int& error) -> ibv_qp* {
    ProtectionDomain* const domain = all.domains.find(handle);
    if (domain == nullptr || !makesSense(all, *wanted, domain->context)) return nullptr;
    Device& device = *static_cast<Context*>(domain->context)->home;
    if (!within(wanted->cap, device.setting.limits)) return nullptr;
    error = EOPNOTSUPP;
    if (wanted->qp_type != IBV_QPT_RC) return nullptr;
    error = EIO;
    if (device.lost) return nullptr;
    int existing = 0;
    all.queuePairs.forEach([&](const QueuePair& one) { existing += one.home == &device ? 1 : 0; });
    error = ENOMEM;
    if (existing >= device.setting.limits.queuePairs) return nullptr;
    if (wanted->srq != nullptr) wanted->cap.max_recv_wr = wanted->cap.max_recv_sge = 0;
    auto qp = std::make_unique<QueuePair>();
    qp->context = domain->context;
    qp->qp_context = wanted->qp_context;
    qp->pd = domain;
    qp->send_cq = wanted->send_cq;
    qp->recv_cq = wanted->recv_cq;
    qp->srq = wanted->srq;
    qp->qp_num = newNumber(all);
    qp->handle = qp->qp_num;
    qp->state = IBV_QPS_RESET;
    qp->qp_type = IBV_QPT_RC;
    qp->home = &device;
    qp->made = *wanted;
    ++domain->users;
    ++qp->completionQueue(true).users;
    ++qp->completionQueue(false).users;
    if (qp->shared() != nullptr) ++qp->shared()->users;
    all.byNumber[qp->qp_num] = qp.get();
    return all.queuePairs.add(std::move(qp));
  });
}

int ibv_query_qp(ibv_qp* handle, ibv_qp_attr* attributes, int /*mask*/, ibv_qp_init_attr* made) {
  static Verb& verb = verbNamed(__func__);
  return call(verb, [&](World& all) {
    QueuePair* const qp = all.queuePairs.find(handle);
    if (qp == nullptr) return EINVAL;
    *attributes = qp->attributes;
    attributes->qp_state = attributes->cur_qp_state = qp->current;
    attributes->rq_psn = qp->expected;
    attributes->sq_psn = qp->nextPsn;
    attributes->cap = qp->made.cap;
    *made = qp->made;
    qp->state = qp->current;
    return 0;
  });
}

int ibv_modify_qp(ibv_qp* handle, ibv_qp_attr* wanted, int mask) {
  static Verb& verb = verbNamed(__func__);
  return call(verb, [&](World& all) {
    QueuePair* const qp = all.queuePairs.find(handle);
    if (qp == nullptr) return EINVAL;
    if (qp->home->lost) return EIO;
    const int error = modify(all, *qp, *wanted, mask);
    if (error == 0) qp->state = qp->current;
    return error;
  });
}

int ibv_destroy_qp(ibv_qp* handle) {
  static Verb& verb = verbNamed(__func__);
  const int error = call(verb, [&](World& all) {
    QueuePair* const qp = all.queuePairs.find(handle);
    if (qp == nullptr) return EINVAL;
    qp->current = IBV_QPS_RESET;  // nothing arrives any more
    empty(all, *qp);
    removeEvents(*qp);
    return 0;
  });
  if (error != 0) return error;
  auto* const qp = static_cast<QueuePair*>(handle);
  awaitAcknowledgements("queue pair", qp->asyncEvents, qp->asyncEvents);
  World& all = world();
  const Lock lock(all);
  --static_cast<ProtectionDomain*>(qp->pd)->users;
  --qp->completionQueue(true).users;
  --qp->completionQueue(false).users;
  if (qp->shared() != nullptr) --qp->shared()->users;
  all.byNumber.erase(qp->qp_num);
  all.queuePairs.remove(qp);
  return 0;
}

ibv_ah* ibv_create_ah(ibv_pd* handle, ibv_ah_attr* wanted) {
  static Verb& verb = verbNamed(__func__);
  return create(verb, [&](World& all, int& error) -> ibv_ah* {
    ProtectionDomain* const domain = all.domains.find(handle);
    if (domain == nullptr) return nullptr;
    const Device& device = *static_cast<Context*>(domain->context)->home;
    error = pathError(device, *wanted);
    if (error != 0) return nullptr;
    error = EIO;
    if (device.lost) return nullptr;
    auto made = std::make_unique<AddressHandle>();
    made->context = domain->context;
    made->pd = domain;
    ++domain->users;
    return all.addressHandles.add(std::move(made));
  });
}

int ibv_destroy_ah(ibv_ah* handle) {
  static Verb& verb = verbNamed(__func__);
  return call(verb, [&](World& all) {
    AddressHandle* const found = all.addressHandles.find(handle);
    if (found == nullptr) return EINVAL;
    --static_cast<ProtectionDomain*>(found->pd)->users;
    all.addressHandles.remove(found);
    return 0;
  });
}

}  // extern "C"

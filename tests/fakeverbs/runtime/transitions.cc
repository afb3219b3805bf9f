// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "tests/fakeverbs/runtime/completions.h"
#include "tests/fakeverbs/runtime/engine.h"
#include "tests/fakeverbs/runtime/queue_pairs.h"

namespace fakeverbs {
namespace {

struct Transition {
  ibv_qp_state from;
  ibv_qp_state to;
  int required;
  int optional;
};

constexpr std::array kTransitions = {
    Transition{IBV_QPS_RESET, IBV_QPS_INIT, IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS, 0},
    Transition{IBV_QPS_INIT, IBV_QPS_INIT, 0, IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS},
    Transition{IBV_QPS_INIT, IBV_QPS_RTR,
               IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN | IBV_QP_MAX_DEST_RD_ATOMIC |
                   IBV_QP_MIN_RNR_TIMER,
               IBV_QP_ACCESS_FLAGS | IBV_QP_PKEY_INDEX},
    Transition{IBV_QPS_RTR, IBV_QPS_RTS,
               IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY | IBV_QP_SQ_PSN | IBV_QP_MAX_QP_RD_ATOMIC,
               IBV_QP_CUR_STATE | IBV_QP_ACCESS_FLAGS | IBV_QP_MIN_RNR_TIMER | IBV_QP_PATH_MIG_STATE},
    Transition{IBV_QPS_RTS, IBV_QPS_RTS, 0,
               IBV_QP_CUR_STATE | IBV_QP_ACCESS_FLAGS | IBV_QP_MIN_RNR_TIMER | IBV_QP_PATH_MIG_STATE},
};

/// May the attributes of the mask be given in this step, and are all there that it needs?
bool maskFits(ibv_qp_state from, ibv_qp_state to, int mask) {
  mask &= ~IBV_QP_STATE;
  if (to == IBV_QPS_RESET || to == IBV_QPS_ERR) return (mask & ~IBV_QP_CUR_STATE) == 0;
  const auto step = std::find_if(kTransitions.begin(), kTransitions.end(),
                                 [&](const Transition& one) { return one.from == from && one.to == to; });
  if (step == kTransitions.end()) return false;
  return (mask & step->required) == step->required && (mask & ~(step->required | step->optional)) == 0;
}

int mtuBytes(ibv_mtu mtu) {
  return 128 << mtu;
}

bool valuesFit(const QueuePair& qp, const ibv_qp_attr& wanted, int mask) {
  const auto given = [&](int attribute) { return (mask & attribute) != 0; };
  if (given(IBV_QP_CUR_STATE) && wanted.cur_qp_state != qp.current) return false;
  if (given(IBV_QP_PKEY_INDEX) && wanted.pkey_index != 0) return false;
  if (given(IBV_QP_PORT) && (wanted.port_num < 1 || wanted.port_num > qp.home->ports.size())) return false;
  if (given(IBV_QP_AV) &&
      (pathError(*qp.home, wanted.ah_attr) != 0 || wanted.ah_attr.port_num != qp.attributes.port_num)) {
    return false;
  }
  if (given(IBV_QP_PATH_MTU) && (wanted.path_mtu < IBV_MTU_256 || wanted.path_mtu > IBV_MTU_4096 ||
                                 mtuBytes(wanted.path_mtu) > portOf(qp).setting.mtu)) {
    return false;
  }
  if (given(IBV_QP_DEST_QPN) && wanted.dest_qp_num > kPsnMask) return false;
  if (given(IBV_QP_TIMEOUT) && wanted.timeout > 31) return false;
  if (given(IBV_QP_RETRY_CNT) && wanted.retry_cnt > 7) return false;
  if (given(IBV_QP_RNR_RETRY) && wanted.rnr_retry > 7) return false;
  if (given(IBV_QP_MIN_RNR_TIMER) && wanted.min_rnr_timer > 31) return false;
  if (given(IBV_QP_MAX_QP_RD_ATOMIC) && wanted.max_rd_atomic > 16) return false;
  return !given(IBV_QP_MAX_DEST_RD_ATOMIC) || wanted.max_dest_rd_atomic <= 16;
}

void take(ibv_qp_attr& to, const ibv_qp_attr& from, int mask) {
  const auto copy = [&](int attribute, auto member) {
    if ((mask & attribute) != 0) to.*member = from.*member;
  };
  copy(IBV_QP_ACCESS_FLAGS, &ibv_qp_attr::qp_access_flags);
  copy(IBV_QP_PKEY_INDEX, &ibv_qp_attr::pkey_index);
  copy(IBV_QP_PORT, &ibv_qp_attr::port_num);
  copy(IBV_QP_AV, &ibv_qp_attr::ah_attr);
  copy(IBV_QP_PATH_MTU, &ibv_qp_attr::path_mtu);
  copy(IBV_QP_DEST_QPN, &ibv_qp_attr::dest_qp_num);
  copy(IBV_QP_RQ_PSN, &ibv_qp_attr::rq_psn);
  copy(IBV_QP_SQ_PSN, &ibv_qp_attr::sq_psn);
  copy(IBV_QP_TIMEOUT, &ibv_qp_attr::timeout);
  copy(IBV_QP_RETRY_CNT, &ibv_qp_attr::retry_cnt);
  copy(IBV_QP_RNR_RETRY, &ibv_qp_attr::rnr_retry);
  copy(IBV_QP_MIN_RNR_TIMER, &ibv_qp_attr::min_rnr_timer);
  copy(IBV_QP_MAX_QP_RD_ATOMIC, &ibv_qp_attr::max_rd_atomic);
  copy(IBV_QP_MAX_DEST_RD_ATOMIC, &ibv_qp_attr::max_dest_rd_atomic);
}

void flush(World& all, QueuePair& qp, std::uint64_t id, std::uint64_t number, bool ofSend) {
  complete(all, qp, {failed(qp, id, IBV_WC_WR_FLUSH_ERR, ofSend), ofSend, false, number});
}

}  // namespace

int pathError(const Device& device, const ibv_ah_attr& path) {
  if (path.port_num < 1 || path.port_num > device.ports.size()) return EINVAL;
  const Port& port = device.ports[path.port_num - 1U];
  if (path.is_global == 0) return port.setting.ethernet || path.dlid == 0 ? EINVAL : 0;
  if (path.grh.sgid_index >= port.gids.size()) return EINVAL;
  const ibv_gid none{};
  const auto isNone = [&](const ibv_gid& gid) { return std::memcmp(gid.raw, none.raw, sizeof(none.raw)) == 0; };
  return isNone(port.gids[path.grh.sgid_index].first) || isNone(path.grh.dgid) ? EINVAL : 0;
}

void enterError(World& all, QueuePair& qp) {
  if (qp.current == IBV_QPS_ERR || qp.current == IBV_QPS_RESET) return;
  qp.current = IBV_QPS_ERR;
  qp.pause = QueuePair::Pause::no;
  while (!qp.sends.empty()) {
    const Send work = std::move(qp.sends.front());
    qp.sends.pop_front();
    flush(all, qp, work.id, work.number, true);
  }
  if (qp.open) {
    const Receive receive = std::move(*qp.open);
    qp.open.reset();
    flush(all, qp, receive.id, receive.number, false);
  }
  while (!qp.receives.empty()) {
    const Receive receive = std::move(qp.receives.front());
    qp.receives.pop_front();
    flush(all, qp, receive.id, receive.number, false);
  }
  if (qp.shared() != nullptr) raiseEvent(qp, IBV_EVENT_QP_LAST_WQE_REACHED);
}

int modify(World& all, QueuePair& qp, const ibv_qp_attr& wanted, int mask) {
  const ibv_qp_state to = (mask & IBV_QP_STATE) != 0 ? wanted.qp_state : qp.current;
  if (!maskFits(qp.current, to, mask) || !valuesFit(qp, wanted, mask)) return EINVAL;
  take(qp.attributes, wanted, mask);
  switch (to) {
    case IBV_QPS_RESET:
      qp.current = IBV_QPS_RESET;
      empty(all, qp);
      return 0;
    case IBV_QPS_ERR: enterError(all, qp); return 0;
    case IBV_QPS_RTR:
      qp.expected = wanted.rq_psn & kPsnMask;
      qp.accepted = 0;
      break;
    case IBV_QPS_RTS:
      if (qp.current == IBV_QPS_RTR) {
        qp.unacknowledged = qp.cursor = qp.sentEnd = qp.nextPsn = wanted.sq_psn & kPsnMask;
        qp.retriesLeft = wanted.retry_cnt;
        qp.notReadyLeft = wanted.rnr_retry;
      }
      break;
    default: break;
  }
  qp.current = to;
  return 0;
}

}  // namespace fakeverbs

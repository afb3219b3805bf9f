// SPDX-License-Identifier: Apache-2.0
#include "transports/ucx/outgoing.h"

#include <algorithm>

namespace atl::ucx {

Outgoing::Outgoing(Endpoint& endpoint) : endpoint_(endpoint) {
  for (Slot& slot : slots_) slot.owner = this;
}

bool Outgoing::pump() {
  bool moved = false;
  while (sendNext()) moved = true;
  return moved;
}

bool Outgoing::sendNext() {
  Slot& slot = slots_[next_ % kWindow];
  if (pieces.current() == nullptr || slot.busy || next_ - credited_ >= kWindow) return false;
  if (endpoint_.failure() != UCS_OK) return false;

  const std::uint64_t at = pieces.position();
  const std::uint64_t bytes = std::min(pieces.room(), (at / kBlockBytes + 1) * kBlockBytes - at);
  const bool eager = bytes <= kMostEager && eagerAhead_ + bytes <= kEagerAhead;
  slot.header = {link_, eager ? 0U : 1U, next_, pieces.message(), pieces.messageBytes(), at, bytes, {}};
  if (at == 0) slot.header.call = pieces.call();
  slot.piece = pieces.current();

  ucp_request_param_t param{};
  param.op_attr_mask = UCP_OP_ATTR_FIELD_CALLBACK | UCP_OP_ATTR_FIELD_USER_DATA | UCP_OP_ATTR_FIELD_FLAGS;
  param.cb.send = &Outgoing::onSent;
  param.user_data = &slot;
  slot.eager = eager;
  param.flags = slot.eager ? 0 : UCP_AM_SEND_FLAG_RNDV;
  const ucs_status_ptr_t request = endpoint_.api().amSendNbx(endpoint_.handle(), kFragmentId, &slot.header,
                                                             sizeof slot.header, pieces.data(), bytes, &param);
  if (UCS_PTR_IS_ERR(request)) {
    endpoint_.fail(UCS_PTR_STATUS(request));
    return false;
  }
  ++next_;
  pieces.advance(bytes);
  if (slot.eager) eagerAhead_ += bytes;
  slot.busy = true;
  slot.failed = false;
  slot.atUcx = UCS_PTR_IS_PTR(request);
  if (slot.atUcx) ++underWay_;
  settle(slot);
  return true;
}

void Outgoing::onSent(void* request, ucs_status_t status, void* slotOf) {
  Slot& slot = *static_cast<Slot*>(slotOf);
  Outgoing& self = *slot.owner;
  self.endpoint_.api().requestFree(request);
  slot.atUcx = false;
  slot.failed = status != UCS_OK;
  --self.underWay_;
  if (slot.failed) self.endpoint_.fail(status);
  self.settle(slot);
}

// What has arrived has arrived, whatever UCX says of it.
void Outgoing::settle(Slot& slot) {
  const bool there = slot.header.number < arrived_ || (slot.eager && !slot.failed);
  if (!slot.busy || slot.atUcx || !there) return;
  slot.busy = false;
  if (slot.piece == nullptr) return;
  slot.piece->left -= slot.piece->messageBytes == 0 ? 1 : slot.header.bytes;
  slot.piece = nullptr;
}

void Outgoing::credit(const CreditHeader& credit) {
  // They may overtake each other.
  for (const std::uint64_t end = std::min(credit.taken, next_); credited_ < end; ++credited_) {
    const Slot& slot = slots_[credited_ % kWindow];
    if (slot.eager) eagerAhead_ -= slot.header.bytes;
  }
  for (const std::uint64_t end = std::min(credit.arrived, next_); arrived_ < end;) settle(slots_[arrived_++ % kWindow]);
  sound_ &= credit.arrived <= credit.taken && credit.taken <= next_;
}

void Outgoing::forget() {
  pieces.clear();
  for (Slot& slot : slots_) slot.piece = nullptr;
}

}  // namespace atl::ucx

// SPDX-License-Identifier: Apache-2.0
#include "transports/ucx/meeting.h"

namespace atl::ucx {

bool Meeting::advance() {
  if (said_ == 0) say(HelloHeader::Word::here);
  if (said_ == 1 && underWay_ == 0 && endpoint_.failure() == UCS_OK) say(HelloHeader::Word::able);
  // Also by one that has failed since: the peer may have sent all that is wanted of it.
  return said_ == words_.size() && underWay_ == 0 && ableThere_ && !refused_;
}

void Meeting::say(HelloHeader::Word word) {
  HelloHeader& header = words_[said_++];
  header = {link_, word};
  ucp_request_param_t param{};
  param.op_attr_mask = UCP_OP_ATTR_FIELD_CALLBACK | UCP_OP_ATTR_FIELD_USER_DATA | UCP_OP_ATTR_FIELD_FLAGS;
  param.cb.send = &Meeting::onSaid;
  param.user_data = this;
  // Nothing replies by it, but before a message that could be replied to UCX completes the connection.
  param.flags = UCP_AM_SEND_FLAG_REPLY;
  const ucs_status_ptr_t request =
      endpoint_.api().amSendNbx(endpoint_.handle(), kHelloId, &header, sizeof header, nullptr, 0, &param);
  if (UCS_PTR_IS_ERR(request)) return failed(UCS_PTR_STATUS(request));
  if (UCS_PTR_IS_PTR(request)) ++underWay_;
}

void Meeting::onSaid(void* request, ucs_status_t status, void* self) {
  auto& meeting = *static_cast<Meeting*>(self);
  meeting.endpoint_.api().requestFree(request);
  --meeting.underWay_;
  if (status != UCS_OK) meeting.failed(status);
}

void Meeting::failed(ucs_status_t status) {
  refused_ = true;
  endpoint_.fail(status);
}

}  // namespace atl::ucx

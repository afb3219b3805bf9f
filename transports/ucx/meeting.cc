// SPDX-License-Identifier: Apache-2.0
#include "transports/ucx/meeting.h"

namespace atl::ucx {

bool Meeting::advance() {
  if (said_ == 0) say(HelloHeader::Word::here);
  if (underWay_ > 0 || endpoint_.failure() != UCS_OK) return false;
  if (said_ == 1) say(HelloHeader::Word::able);
  return underWay_ == 0 && ableThere_;
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
  if (UCS_PTR_IS_ERR(request)) return endpoint_.fail(UCS_PTR_STATUS(request));
  if (UCS_PTR_IS_PTR(request)) ++underWay_;
}

void Meeting::onSaid(void* request, ucs_status_t status, void* self) {
  auto& meeting = *static_cast<Meeting*>(self);
  meeting.endpoint_.api().requestFree(request);
  --meeting.underWay_;
  if (status != UCS_OK) meeting.endpoint_.fail(status);
}

}  // namespace atl::ucx

// SPDX-License-Identifier: Apache-2.0
// The verbs that programs reach through a context's table of operations.
#pragma once

#include <infiniband/verbs.h>

namespace fakeverbs {

int postSend(ibv_qp* handle, ibv_send_wr* list, ibv_send_wr** bad);
int postReceive(ibv_qp* handle, ibv_recv_wr* list, ibv_recv_wr** bad);
int postSharedReceive(ibv_srq* handle, ibv_recv_wr* list, ibv_recv_wr** bad);
int pollCompletionQueue(ibv_cq* handle, int count, ibv_wc* completions);
int requestNotification(ibv_cq* handle, int solicitedOnly);

}  // namespace fakeverbs

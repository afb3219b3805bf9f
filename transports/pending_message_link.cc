// SPDX-License-Identifier: Apache-2.0
#include "transports/pending_message_link.h"

#include <utility>

#include "src/base/log.h"

namespace atl {

PendingMessageLink::PendingMessageLink(const TransportContext& context, std::string_view transport, Rank peer, int lane)
    : context_(context),
      transport_(transport),
      peer_(peer),
      lane_(lane),
      deadline_(Deadline::inSeconds(context.settings->timeoutSeconds)) {}

Result<bool> PendingMessageLink::poll() {
  auto ready = advance();
  if (ready.ok() && !*ready && deadline_.passed()) {
    ready = makeError(ErrorCode::timeout, "the other end did not {} within {} s", awaited(),
                      context_.settings->timeoutSeconds);
  }
  if (ready.ok()) return ready;
  return std::move(ready).error().within(fmt::format("{} link of lane {} with {}", transport_, lane_, peerName()));
}

Link PendingMessageLink::take() {
  auto link = finish();
  log::line(log::Subject::link, context_.rank, "lane {} to {}: {}", lane_, peerName(), link->describe());
  return link;
}

}  // namespace atl

// SPDX-License-Identifier: Apache-2.0
#include "transports/ncclnet/ncclnet.h"

#include <utility>

#include "src/base/log.h"
#include "transports/link_stream.h"
#include "transports/ncclnet/meeting.h"
#include "transports/ncclnet/ncclnet_link.h"
#include "transports/pending_message_link.h"

namespace atl {
namespace {

class PendingNcclNetLink : public PendingMessageLink {
 public:
  PendingNcclNetLink(const TransportContext& context, Result<std::shared_ptr<ncclnet::Context>> plugin, Rank peer,
                     int lane)
      : PendingMessageLink(context, "ncclnet", peer, lane), plugin_(std::move(plugin)) {
    if (!plugin_.ok()) return;
    meeting_ = std::make_unique<ncclnet::Meeting>(*plugin_);
    const auto via = viaBetween(directory().process(context.rank), directory().process(peer));
    stream_ = openStream(context, peer, lane, via, deadline());
  }

 private:
  Result<bool> advance() override {
    if (!plugin_.ok()) return plugin_.error();
    if (stream_ != nullptr) {
      ATOLL_ASSIGN(const bool connected, stream_->poll());
      if (!connected) return false;
      ATOLL_TRY(meeting_->begin(stream_->take()));
      stream_.reset();
    }
    return meeting_->poll();
  }

  [[nodiscard]] std::string_view awaited() const override {
    return meeting_->greeted() ? "connect by the network plug-in" : "say where it is";
  }

  std::unique_ptr<MessageLink> finish() override {
    return std::make_unique<ncclnet::NcclNetLink>(*plugin_, meeting_->takeSend(), meeting_->takeReceive(),
                                                  meeting_->blockBytes(),
                                                  ncclnet::LinkNames{context().rank, peer(), peerName()});
  }

  Result<std::shared_ptr<ncclnet::Context>> plugin_;
  std::unique_ptr<ncclnet::Meeting> meeting_;
  std::unique_ptr<PendingStream> stream_;
};

class NcclNet : public Transport {
 public:
  explicit NcclNet(const TransportContext& context) : context_(context) {}

  [[nodiscard]] std::string_view name() const override { return "ncclnet"; }

  [[nodiscard]] std::string whyNot(const ProcessInfo& a, const ProcessInfo& b) const override {
    if (viaBetween(a, b) == Switchboard::Via::local) return "";
    return whyNoTcpStream(a, b, ", at which to tell it of the plug-in's handle");
  }

  [[nodiscard]] plan::LinkModel model() const override {
    // As rdma's, for that is what most plug-ins are for: not measured, since no fabric was at hand. A tuning table
    // replaces them.
    return {.latency = 3e-6, .perMessage = 1e-6, .perByte = 1 / 12e9, .perReducedByte = 1 / 65e9, .incast = 0.02};
  }

  std::unique_ptr<PendingLink> connect(Rank peer, int lane) override {
    return std::make_unique<PendingNcclNetLink>(context_, plugin(), peer, lane);
  }

 private:
  /// Made for the first link.
  Result<std::shared_ptr<ncclnet::Context>> plugin() {
    if (plugin_ != nullptr) return plugin_;
    ATOLL_ASSIGN(plugin_, ncclnet::Context::create(context_.settings->ncclNet, context_.communicator,
                                                   context_.directory->placeOnHost(context_.rank)));
    log::line(log::Subject::link, context_.rank, "NCCL's network plug-in {}, device {} ({} Mbit/s)",
              plugin_->plugin().describe(), plugin_->properties().name, plugin_->properties().megabits);
    return plugin_;
  }

  TransportContext context_;
  std::shared_ptr<ncclnet::Context> plugin_;
};

}  // namespace

std::unique_ptr<Transport> makeNcclNet(const TransportContext& context) {
  return std::make_unique<NcclNet>(context);
}

std::string whyNoNcclNet() {
  const auto settings = Settings::fromEnvironment();
  if (!settings.ok()) return settings.error().text;
  const auto plugin = ncclnet::Plugin::forSettings(settings->ncclNet);
  return plugin.ok() ? "" : plugin.error().text;
}

}  // namespace atl

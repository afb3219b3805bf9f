// SPDX-License-Identifier: Apache-2.0
#include "transports/rdma/rdma.h"

#include <fmt/ranges.h>

#include <utility>

#include "src/base/log.h"
#include "transports/link_stream.h"
#include "transports/pending_message_link.h"
#include "transports/rdma/rdma_link.h"

namespace atl {
namespace {

class PendingRdmaLink : public PendingMessageLink {
 public:
  PendingRdmaLink(const TransportContext& context, Result<std::shared_ptr<rdma::Worker>> worker, Rank peer, int lane)
      : PendingMessageLink(context, "rdma", peer, lane) {
    if (!worker.ok()) {
      begun_ = std::move(worker).error();
      return;
    }
    // Half of what any wait may take: so that the error that comes is the one that says why.
    link_ = std::make_unique<rdma::RdmaLink>(*std::move(worker), rdma::LinkNames{context.rank, peer, peerName()},
                                             context.settings->timeoutSeconds / 2);
    const auto via = viaBetween(directory().process(context.rank), directory().process(peer));
    stream_ = openStream(context, peer, lane, via, deadline());
  }

 private:
  Result<bool> advance() override {
    ATOLL_TRY(begun_);
    if (stream_ == nullptr) return link_->meet();
    ATOLL_ASSIGN(const bool connected, stream_->poll());
    if (!connected) return false;
    ATOLL_TRY(link_->begin(stream_->take()));
    stream_.reset();
    return false;
  }

  [[nodiscard]] std::string_view awaited() const override {
    return stream_ != nullptr ? "connect" : "join its queue pairs";
  }

  std::unique_ptr<MessageLink> finish() override { return std::move(link_); }

  Status begun_ = success();
  std::unique_ptr<rdma::RdmaLink> link_;
  std::unique_ptr<PendingStream> stream_;
};

class Rdma : public Transport {
 public:
  explicit Rdma(const TransportContext& context) : context_(context) {}

  [[nodiscard]] std::string_view name() const override { return "rdma"; }

  [[nodiscard]] std::string whyNot(const ProcessInfo& a, const ProcessInfo& b) const override {
    if (viaBetween(a, b) == Switchboard::Via::local) return "";
    return whyNoTcpStream(a, b, ", at which to tell it of queue pairs");
  }

  [[nodiscard]] plan::LinkModel model() const override {
    // Of a 100 Gbit/s port, by published figures (perftest's latency, the line rate): not measured, since no such port
    // was at hand. A tuning table replaces them.
    return {.latency = 2e-6, .perMessage = 0.4e-6, .perByte = 1 / 12e9, .perReducedByte = 1 / 65e9, .incast = 0.02};
  }

  std::unique_ptr<PendingLink> connect(Rank peer, int lane) override {
    return std::make_unique<PendingRdmaLink>(context_, worker(), peer, lane);
  }

 private:
  /// Made for the first link: it takes memory, and queues of the devices.
  Result<std::shared_ptr<rdma::Worker>> worker() {
    if (worker_ != nullptr) return worker_;
    const auto turn = context_.directory->placeOnHost(context_.rank);
    ATOLL_ASSIGN(worker_, rdma::Worker::create(context_.settings->rdma, turn));
    tellPorts();
    return worker_;
  }

  /// A port that somebody counts on and that does not work is worth a warning; that one of many has no cable is not.
  void tellPorts() const {
    const RdmaSettings& settings = context_.settings->rdma;
    std::vector<std::string> working;
    std::vector<std::string> missing;
    for (const auto& port : worker_->ports()) {
      (port.works() ? working : missing).push_back(port.works() ? port.describe() : port.missing);
    }
    log::line(log::Subject::link, context_.rank, "RDMA by {}", fmt::join(working, " and "));
    if (missing.empty()) return;
    const bool named = !settings.devices.empty() && !settings.devices.starts_with('^');
    const bool wanted = named || working.size() < static_cast<std::size_t>(settings.rails);
    log::line(wanted ? log::Subject::warn : log::Subject::link, context_.rank,
              "RDMA has to do without some ports until they work: {}", fmt::join(missing, "; "));
  }

  TransportContext context_;
  std::shared_ptr<rdma::Worker> worker_;
};

}  // namespace

std::unique_ptr<Transport> makeRdma(const TransportContext& context) {
  return std::make_unique<Rdma>(context);
}

std::string whyNoRdma() {
  const auto settings = Settings::fromEnvironment();
  if (!settings.ok()) return settings.error().text;
  const auto ports = rdma::findPorts(settings->rdma, 0);
  return ports.ok() ? "" : ports.error().text;
}

}  // namespace atl

// SPDX-License-Identifier: Apache-2.0
#include "transports/ucx/ucx.h"

#include <optional>
#include <utility>

#include "transports/link_stream.h"
#include "transports/pending_message_link.h"
#include "transports/ucx/exchange.h"
#include "transports/ucx/ucx_link.h"
#include "transports/ucx/worker.h"

namespace atl {
namespace {

class PendingUcxLink : public PendingMessageLink {
 public:
  PendingUcxLink(const TransportContext& context, Result<std::shared_ptr<ucx::Worker>> worker, Rank peer, int lane)
      : PendingMessageLink(context, "ucx", peer, lane), worker_(std::move(worker)) {
    if (!worker_.ok()) return;
    link_ = std::make_unique<ucx::UcxLink>(*worker_, ucx::LinkNames{context.rank, peer, peerName()});
    const auto via = viaBetween(directory().process(context.rank), directory().process(peer));
    stream_ = openStream(context, peer, lane, via, deadline());
  }

 private:
  Result<bool> advance() override {
    if (!worker_.ok()) return worker_.error();
    if (!exchange_) {
      ATOLL_ASSIGN(const bool connected, stream_->poll());
      if (!connected) return false;
      exchange_.emplace(stream_->take(), link_->number(), (*worker_)->address());
    }
    if (!opened_) {
      ATOLL_ASSIGN(opened_, exchange_->poll());
      if (!opened_) return false;
      ATOLL_TRY(link_->open(exchange_->peerAddress(), exchange_->peerLink()));
    }
    return link_->meet();
  }

  [[nodiscard]] std::string_view awaited() const override { return opened_ ? "answer by UCX" : "say where it is"; }

  std::unique_ptr<MessageLink> finish() override { return std::move(link_); }

  Result<std::shared_ptr<ucx::Worker>> worker_;
  std::unique_ptr<ucx::UcxLink> link_;
  std::unique_ptr<PendingStream> stream_;
  std::optional<ucx::Exchange> exchange_;
  bool opened_ = false;
};

class Ucx : public Transport {
 public:
  explicit Ucx(const TransportContext& context) : context_(context) {}

  [[nodiscard]] std::string_view name() const override { return "ucx"; }

  [[nodiscard]] std::string whyNot(const ProcessInfo& a, const ProcessInfo& b) const override {
    if (viaBetween(a, b) == Switchboard::Via::local) return "";
    return whyNoTcpStream(a, b, ", at which to tell it where its peer is");
  }

  [[nodiscard]] plan::LinkModel model() const override {
    // Of UCX's tcp, which is the slowest that it may choose. A tuning table replaces these.
    return {.latency = 9e-6, .perMessage = 7e-6, .perByte = 1 / 1.7e9, .perReducedByte = 1 / 65e9, .incast = 0.02};
  }

  std::unique_ptr<PendingLink> connect(Rank peer, int lane) override {
    return std::make_unique<PendingUcxLink>(context_, worker(), peer, lane);
  }

 private:
  /// Made for the first link: UCX takes memory and descriptors for it.
  Result<std::shared_ptr<ucx::Worker>> worker() {
    if (worker_ != nullptr) return worker_;
    ATOLL_ASSIGN(worker_, ucx::Worker::create());
    return worker_;
  }

  TransportContext context_;
  std::shared_ptr<ucx::Worker> worker_;
};

}  // namespace

std::unique_ptr<Transport> makeUcx(const TransportContext& context) {
  return std::make_unique<Ucx>(context);
}

std::string whyNoUcx() {
  const auto api = ucx::api();
  return api.ok() ? "" : api.error().text;
}

}  // namespace atl

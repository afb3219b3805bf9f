// SPDX-License-Identifier: Apache-2.0
#include "transports/shm/shm.h"

#include <sys/socket.h>

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "src/base/log.h"
#include "transports/link_stream.h"
#include "transports/peer_memory.h"
#include "transports/shm/offer.h"

namespace atl {
namespace {

/// The process at the other end of a local socket, as this process's kernel numbers it; 0 if it has no number here.
pid_t peerProcess(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 ? credentials.pid : 0;
}

/// What a link keeps mapped.
struct Mappings {
  explicit Mappings(SharedMemory mailRegion) : region(std::move(mailRegion)) {}
  SharedMemory region;
  std::optional<SharedMemory> peerOutbox;
  std::shared_ptr<PeerMemory> peerMemory;
};

/// The lower rank makes the mail region and offers it with its outbox; the higher offers its outbox. Neither waits for
/// the other's offer before it sends its own.
class ShmLink : public PendingLink {
 public:
  ShmLink(const TransportContext& context, Rank peer, int lane)
      : context_(context), peer_(peer), lane_(lane), deadline_(Deadline::inSeconds(context.settings->timeoutSeconds)) {
    stream_ = openStream(context, peer, lane, Switchboard::Via::local, deadline_);
  }

  Result<bool> poll() override {
    auto ready = step();
    if (!ready.ok()) {
      return std::move(ready).error().within(
          fmt::format("shared memory of lane {} with {}", lane_, context_.directory->name(peer_)));
    }
    return ready;
  }

  Link take() override {
    const bool lower = isLower();
    auto* const region = reinterpret_cast<MailRegion*>(mappings_->region.data());
    MemoryLink link;
    link.out = lower ? &region->fromLower : &region->fromHigher;
    link.in = lower ? &region->fromHigher : &region->fromLower;
    link.peerOutbox = mappings_->peerOutbox->data();
    link.peerOutboxBytes = mappings_->peerOutbox->size();
    link.peerMemory = mappings_->peerMemory.get();
    if (link.peerMemory != nullptr) link.in->followsShared.store(1, std::memory_order_relaxed);
    link.keepAlive = std::move(mappings_);
    return link;
  }

 private:
  [[nodiscard]] bool isLower() const { return context_.rank < peer_; }

  Result<bool> step() {
    if (!socket_) {
      ATOLL_ASSIGN(const bool connected, stream_->poll());
      if (!connected) return false;
      socket_ = stream_->take();
      ATOLL_TRY(prepare());
    }
    if (!offered_) {
      ATOLL_ASSIGN(offered_, offerMine());
    }
    ATOLL_ASSIGN(const bool received, reader_.poll(socket_.get()));
    if (offered_ && received) {
      ATOLL_TRY(mapTheirs());
      socket_.reset();
      return true;
    }
    if (deadline_.passed()) {
      return makeError(ErrorCode::timeout, "the peer did not hand over its memory within {} s",
                       context_.settings->timeoutSeconds);
    }
    return false;
  }

  Status prepare() {
    ATOLL_TRY(context_.outbox->ensure());
    if (isLower()) {
      ATOLL_ASSIGN(auto region, SharedMemory::create(sizeof(MailRegion), "atoll-mail"));
      mappings_ = std::make_shared<Mappings>(std::move(region));
    }
    return success();
  }

  Result<bool> offerMine() {
    shm::Offer offer;
    std::vector<int> descriptors;
    if (isLower()) {
      offer.regionBytes = mappings_->region.size();
      descriptors.push_back(mappings_->region.fd());
    }
    offer.outboxBytes = context_.outbox->memory().size();
    descriptors.push_back(context_.outbox->memory().fd());
    offer.outboxDescriptor = descriptors.back();
    offer.descriptors = static_cast<std::uint32_t>(descriptors.size());
    return shm::trySend(socket_.get(), offer, descriptors);
  }

  Status mapTheirs() {
    const auto& offer = reader_.offer();
    auto& descriptors = reader_.descriptors();
    const std::uint64_t expected = isLower() ? 0 : sizeof(MailRegion);
    if (offer.regionBytes != expected) {
      return makeError(ErrorCode::remoteError,
                       "protocol: the peer offers a mail region of {} bytes where {} are expected", offer.regionBytes,
                       expected);
    }
    if (!isLower()) {
      ATOLL_ASSIGN(auto region, SharedMemory::map(std::move(descriptors.front()), sizeof(MailRegion), true));
      mappings_ = std::make_shared<Mappings>(std::move(region));
    }
    if (context_.settings->direct) {
      const ProcessInfo& process = context_.directory->process(peer_);
      mappings_->peerMemory =
          PeerMemory::of(process.id, peerProcess(socket_.get()), offer.outboxDescriptor, descriptors.back().get());
      log::line(log::Subject::link, context_.rank, "lane {} to {}: what it allocates for communication {}", lane_,
                context_.directory->name(peer_),
                mappings_->peerMemory != nullptr ? "is read in place" : "cannot be mapped here, and is copied");
    }
    ATOLL_ASSIGN(auto outbox, SharedMemory::map(std::move(descriptors.back()), offer.outboxBytes, false));
    mappings_->peerOutbox = std::move(outbox);
    // Mapped memory needs no descriptor, and a job of many ranks has none to spare.
    mappings_->region.closeFd();
    mappings_->peerOutbox->closeFd();
    return success();
  }

  const TransportContext& context_;
  Rank peer_;
  int lane_;
  Deadline deadline_;
  std::unique_ptr<PendingStream> stream_;
  UniqueFd socket_;
  bool offered_ = false;
  shm::OfferReader reader_;
  std::shared_ptr<Mappings> mappings_;
};

class Shm : public Transport {
 public:
  explicit Shm(const TransportContext& context) : context_(context) {}

  [[nodiscard]] std::string_view name() const override { return "shm"; }

  [[nodiscard]] std::string whyNot(const ProcessInfo& a, const ProcessInfo& b) const override {
    if (a.host != b.host) return fmt::format("on different hosts ({} and {})", a.hostName, b.hostName);
    for (const auto* process : {&a, &b}) {
      if (process->localName.empty())
        return fmt::format("pid {} on host {} has no local socket", process->pid, process->hostName);
    }
    return "";
  }

  [[nodiscard]] plan::LinkModel model() const override {
    // α and μ are medians of link_benchmark on two cores of an AMD EPYC. The others fit what `atoll tune` measured
    // there on 2, 4 and 8 ranks (docs/tuning.md): a byte is copied into a bounce slot once, around the cache, and out
    // of it by each receiver.
    return {.latency = 0.35e-6,
            .perMessage = 0.09e-6,
            .perByte = 1 / 19e9,
            .perReducedByte = 1 / 55e9,
            .memory = true,
            .perPostedByte = 1 / 13e9,
            .inlined = kSmallBytes,
            .bulkLatency = 0.1e-6,
            .untiled = 1.1};
  }

  std::unique_ptr<PendingLink> connect(Rank peer, int lane) override {
    return std::make_unique<ShmLink>(context_, peer, lane);
  }

 private:
  TransportContext context_;
};

}  // namespace

std::unique_ptr<Transport> makeShm(const TransportContext& context) {
  return std::make_unique<Shm>(context);
}

}  // namespace atl

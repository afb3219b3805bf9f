// SPDX-License-Identifier: Apache-2.0
#include "transports/inproc/inproc.h"

#include <utility>

#include "transports/inproc/meeting_place.h"

namespace atl {
namespace {

/// Needs nobody to wait for: whoever asks first makes the region.
class InprocLink : public PendingLink {
 public:
  InprocLink(std::shared_ptr<MeetingPlace> place, Rank me, Rank peer, int lane)
      : place_(std::move(place)), me_(me), peer_(peer), lane_(lane) {}

  Result<bool> poll() override {
    if (link_.keepAlive) return true;
    ATOLL_ASSIGN(auto region, place_->region(me_, peer_, lane_));
    const bool lower = me_ < peer_;
    link_.out = lower ? &region->fromLower : &region->fromHigher;
    link_.in = lower ? &region->fromHigher : &region->fromLower;
    link_.sameProcess = true;
    link_.keepAlive = std::move(region);
    return true;
  }

  Link take() override { return std::move(link_); }

 private:
  std::shared_ptr<MeetingPlace> place_;
  Rank me_;
  Rank peer_;
  int lane_;
  MemoryLink link_;
};

Rank ranksOfProcess(const Directory& directory, Rank me) {
  Rank count = 0;
  for (Rank rank = 0; rank < directory.ranks(); ++rank) count += directory.sameProcess(me, rank) ? 1 : 0;
  return count;
}

class Inproc : public Transport {
 public:
  explicit Inproc(const TransportContext& context)
      : context_(context),
        place_(MeetingPlace::enter(context.communicator, ranksOfProcess(*context.directory, context.rank))) {}
  ~Inproc() override { MeetingPlace::leave(context_.communicator); }
  Inproc(const Inproc&) = delete;
  Inproc& operator=(const Inproc&) = delete;

  [[nodiscard]] std::string_view name() const override { return "inproc"; }

  [[nodiscard]] std::string whyNot(const ProcessInfo& a, const ProcessInfo& b) const override {
    return a.id == b.id ? "" : "not in one process";
  }

  [[nodiscard]] plan::LinkModel model() const override {
    // α and μ are medians of link_benchmark on two cores of an AMD EPYC. The others fit what `atoll tune` measured
    // there on 2, 4 and 8 ranks (docs/tuning.md): a receiver reads in place what another core wrote, and the sender has
    // to fetch it back before it can write there again.
    return {.latency = 0.35e-6,
            .perMessage = 0.09e-6,
            .perByte = 1 / 20e9,
            .perReducedByte = 1 / 40e9,
            .memory = true,
            .perPostedByte = 1 / 45e9,
            .inlined = kSmallBytes,
            .bulkLatency = 0.1e-6};
  }

  std::unique_ptr<PendingLink> connect(Rank peer, int lane) override {
    return std::make_unique<InprocLink>(place_, context_.rank, peer, lane);
  }

 private:
  TransportContext context_;
  std::shared_ptr<MeetingPlace> place_;
};

}  // namespace

std::unique_ptr<Transport> makeInproc(const TransportContext& context) {
  return std::make_unique<Inproc>(context);
}

}  // namespace atl

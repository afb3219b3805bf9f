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
    // α and μ are medians of link_benchmark on two cores of an AMD EPYC (a virtual machine: one way takes from 0.07 to
    // 0.5 µs and a stream carries from 40 down to 7 GB/s, as the host places the cores). β is an estimate within that
    // range, and γ is set dearer than reduce_benchmark has it (65 GB/s of operands from the cache, 12 GB/s from
    // memory): with the medians, 1/7e9 and 1/65e9, the chooser took ring for a reduce of some MiB, since ring's cost
    // counts the halves that a rank carries in opposite directions as one; on four threads ring took 1.7 times as long
    // as two-shot. A tuning table replaces them all.
    return {.latency = 0.35e-6, .perMessage = 0.09e-6, .perByte = 1 / 10e9, .perReducedByte = 1 / 6e9};
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

// SPDX-License-Identifier: Apache-2.0
// The links of one rank of a communicator, made when first asked for.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "src/exec/host/link_end.h"
#include "src/plan/hierarchy.h"
#include "src/plan/link_model.h"
#include "src/plan/tuning_table.h"
#include "transports/outbox.h"
#include "transports/transport.h"

namespace atl {

/// What joins the ranks of a communicator. The same on every rank.
struct LinkSurvey {
  plan::LinkModel worst;  ///< prices of the slowest links that any two ranks must use
  plan::TuningSite site;
};

class LinkTable {
 public:
  /// What a link between two processes costs, from the prices of the transport that joins them.
  using Prices =
      std::function<plan::LinkModel(const ProcessInfo& a, const ProcessInfo& b, const plan::LinkModel& transport)>;
  /// `prices`: null where they are the transports'.
  LinkTable(const TransportContext& context, Outbox& outbox, Prices prices = nullptr);

  /// The link to `peer` on `lane`; begun if there is none. Which transport was agreed on is logged once a peer.
  Result<exec::LinkEnd*> link(Rank peer, std::int32_t lane);

  /// What the chooser goes by. An error where two ranks have no transport in common.
  [[nodiscard]] Result<LinkSurvey> survey() const;

  /// By level of the hierarchy, which is of the communicator's ranks, prices of the slowest links between ranks that
  /// the level joins. The same on every rank.
  [[nodiscard]] Result<std::vector<plan::LinkModel>> levelModels(const plan::Hierarchy& hierarchy) const;

  [[nodiscard]] std::size_t size() const { return links_.size(); }
  [[nodiscard]] std::size_t bytesHeld() const;

  /// After a failure: takes back whatever is queued, and tells peers of this process that I read no more of their
  /// memory. Links are of no use afterwards.
  void close();
  /// After close(): waits (briefly) for peers of this process that may still be reading my memory, which the caller may
  /// free next.
  void awaitReaders() const;

 private:
  [[nodiscard]] plan::LinkModel priceOf(const Transport& transport, const ProcessInfo& a, const ProcessInfo& b) const;

  TransportContext context_;
  Prices prices_;
  std::vector<std::unique_ptr<Transport>> transports_;
  std::unordered_map<std::uint64_t, std::unique_ptr<exec::LinkEnd>> links_;  ///< by peer and lane
};

}  // namespace atl

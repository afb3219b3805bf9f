// SPDX-License-Identifier: Apache-2.0
// A transport: reaches peers and makes links. One folder each; none includes another.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/base/settings.h"
#include "src/bootstrap/directory.h"
#include "src/plan/link_model.h"
#include "transports/link.h"
#include "transports/names.h"
#include "transports/outbox.h"

namespace atl {

class Switchboard;

/// What a transport works with: one communicator as seen by one of its ranks. Outlives the transport.
struct TransportContext {
  std::uint64_t communicator = 0;  ///< the same number on every rank, unique in a process
  Rank rank = 0;
  const Directory* directory = nullptr;
  const Settings* settings = nullptr;
  Outbox* outbox = nullptr;
  Switchboard* switchboard = nullptr;  ///< where streams come from; null: the process's own
};

/// A link on its way.
class PendingLink {
 public:
  virtual ~PendingLink() = default;
  /// Never blocks. False while the other end is still to come; an error is final.
  /// True: take() gives the link.
  virtual Result<bool> poll() = 0;
  virtual Link take() = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// Whether two processes can use it: a symmetric function of what both published, so both ends answer alike. Empty:
  /// yes; otherwise the reason why not, for the log and for the error when the user required it.
  [[nodiscard]] virtual std::string whyNot(const ProcessInfo& a, const ProcessInfo& b) const = 0;

  /// Default prices of its links, for the chooser.
  [[nodiscard]] virtual plan::LinkModel model() const = 0;

  /// Begins a link to `peer` on `lane`. Both ends call it; neither need wait for the other to do so.
  virtual std::unique_ptr<PendingLink> connect(Rank peer, int lane) = 0;
};

/// The transports of this build whose bits are among these, in the order of kTransportPreference.
std::vector<std::unique_ptr<Transport>> makeTransports(const TransportContext& context,
                                                       std::uint32_t among = kAllTransports);

/// Bits of the transports of this build, whether or not the user allows them.
std::uint32_t builtTransports();

/// A list of names, as in ATOLL_TRANSPORT, without those that this process does not have because the build or a library
/// lacks them; it warns of these. An error that gives the reasons if nothing is left. To be called before a process
/// tells others what it can use. Nothing named, and what is no transport's name, stays as it is.
Result<std::string> transportsAtHand(const std::string& names);

/// The transport for a pair: the first that both processes allow and that can join them. Same answer at both ends. The
/// error lists every transport with its reason; `among`: bits of those that the list would have if the build had them.
Result<Transport*> agree(const std::vector<std::unique_ptr<Transport>>& transports, const ProcessInfo& a,
                         const ProcessInfo& b, std::uint32_t among = kAllTransports);

}  // namespace atl

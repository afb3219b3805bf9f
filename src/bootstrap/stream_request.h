// SPDX-License-Identifier: Apache-2.0
// One end's half of a stream between two ranks: the lower connects, the higher accepts.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/base/unique_fd.h"
#include "src/bootstrap/dial.h"
#include "src/bootstrap/directory.h"
#include "src/bootstrap/reception.h"
#include "src/bootstrap/switchboard.h"

namespace atl {

/// Where a stream to `process` is tried, in order. The streams of a link begin on different ones of its rails, so that
/// several interfaces carry them; what cannot be reached there is tried at the other addresses.
std::vector<Endpoint> endpointsFor(const StreamKey& key, const ProcessInfo& process, Switchboard::Via via);

/// On the service thread only.
class StreamRequest {
 public:
  using Done = std::function<void(Result<UniqueFd>)>;

  /// `peer` is the process of the key's other rank. `done` is called once, on the service thread, unless the request is
  /// destroyed before.
  StreamRequest(Service& service, const StreamKey& key, Rank me, const ProcessInfo& peer, const Secret& secret,
                Switchboard::Via via, Deadline deadline, Done done);
  ~StreamRequest();
  StreamRequest(const StreamRequest&) = delete;
  StreamRequest& operator=(const StreamRequest&) = delete;

 private:
  std::shared_ptr<Dial> dial_;
  Reception::AcceptId accept_ = 0;
};

}  // namespace atl

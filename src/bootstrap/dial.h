// SPDX-License-Identifier: Apache-2.0
// An outgoing stream: tries the peer's endpoints in order, again and again with growing pauses, and greets.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/base/unique_fd.h"
#include "src/bootstrap/handshake.h"
#include "src/bootstrap/partial_read.h"
#include "src/bootstrap/service.h"
#include "src/bootstrap/socket.h"

namespace atl {

struct DialRequest {
  Purpose purpose = Purpose::stream;
  std::uint64_t group = 0;
  Secret secret{};
  StreamKey key;
  std::vector<Endpoint> endpoints;  ///< best first
  /// The peer may not be there yet: nobody listening is no reason to give up before the deadline.
  bool mayComeLater = false;
  Deadline deadline = Deadline::never();
  std::string peer;  ///< for errors: "rank 3 (host n07, pid 4711)", "the rendezvous"
};

/// On the service thread only.
class Dial : public std::enable_shared_from_this<Dial> {
 public:
  /// Called once, on the service thread, unless cancelled.
  using Done = std::function<void(Result<UniqueFd>)>;

  static std::shared_ptr<Dial> start(Service& service, DialRequest request, Done done);
  void cancel();

  Dial(Service& service, DialRequest request, Done done);

 private:
  enum class Stage : std::uint8_t { idle, connecting, greeting, waiting };

  void attempt();
  void onEvent(std::uint32_t events);
  Status advance();
  Status onConnected();
  Status onChallenge();
  void attemptFailed(Error error);
  void finish(Result<UniqueFd> result);
  void closeAttempt();
  [[nodiscard]] const Endpoint& endpoint() const { return request_.endpoints[next_]; }

  Service& service_;
  DialRequest request_;
  Done done_;
  Stage stage_ = Stage::idle;
  std::size_t next_ = 0;
  UniqueFd fd_;
  Service::WatchId watch_ = 0;
  Service::TimerId attemptTimer_ = 0;
  Service::TimerId deadlineTimer_ = 0;
  PartialRead input_;
  Hello hello_;
  Duration pause_{};
  bool absent_ = false;  ///< the last attempt found that nobody is there
  std::optional<Clock::time_point> absentSince_;
  bool final_ = false;  ///< the last error is not one that another attempt could mend
  std::string lastFailure_;
};

}  // namespace atl

// SPDX-License-Identifier: Apache-2.0
// The host's part in links that devices cannot make by themselves: a thread of one rank of a communicator, which moves
// what its device posts to peers of other hosts, and what comes from there (relay.h). It calls nothing of CUDA's, for a
// call there may wait for a kernel that waits for this thread.
//
// Whoever launches calls says so, and when they are over; in between it looks for what the device has posted, first
// without a rest and then less and less often while nothing moves, five thousand times a second at last. A call that a
// graph has captured is never over: nobody on the host says when it runs. Otherwise the thread sleeps until something
// comes from a peer.
#pragma once

#include <poll.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "src/base/clock.h"
#include "src/base/unique_fd.h"
#include "src/exec/cuda/relay.h"
#include "transports/transport.h"

namespace atl::device {

/// join() and finish() are called by one thread at a time, the others by any.
class Proxy {
 public:
  /// `context` is the communicator's; what it points to outlives this. `fail` is called on the proxy's thread, with why
  /// a link has failed, and may call cancel().
  Proxy(const TransportContext& context, std::function<void(const Error&)> fail);
  ~Proxy();  ///< cancels what is left
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  /// Begins a link, which the peer's proxy begins too. An error says why no transport joins the two.
  Status join(Rank peer, std::int32_t lane, const Staging& staging);

  /// A call was launched.
  void begin();
  /// For ended(): calls that were launched up to now.
  [[nodiscard]] std::uint64_t begun() const { return begun_.load(); }
  /// All calls are over of those that begun() told.
  void ended(std::uint64_t calls);
  /// The communicator has failed: nothing is moved any more.
  void cancel();

  /// No call runs any more, nor will. Waits until all that the device has posted is at the peers' hosts, as long as
  /// waits may last. Staging is not touched after that.
  void finish();

  [[nodiscard]] std::size_t bytesHeld() const { return joined_.load() * sizeof(Joined); }

 private:
  /// A link that is to be.
  struct Wanted {
    Rank peer;
    std::int32_t lane;
    Staging staging;
    Transport* transport;
  };
  struct Joined {
    Joined(const Wanted& wanted, std::string text)
        : relay(wanted.staging, wanted.transport->connect(wanted.peer, wanted.lane)), name(std::move(text)) {}
    Relay relay;
    std::string name;  ///< for errors
  };

  Status start();
  void run();
  void beginWanted();
  Result<bool> turn();
  void failWith(const Error& error);
  [[nodiscard]] bool allOver() const;
  void rest(std::uint64_t begun, bool quiet);
  void sleep(std::optional<Duration> longest, std::uint64_t begun);
  void wake() const;

  TransportContext context_;
  std::function<void(const Error&)> fail_;
  std::vector<std::unique_ptr<Transport>> transports_;
  UniqueFd bell_;                     ///< wakes the thread
  std::atomic<bool> started_{false};  ///< there is a bell
  std::thread thread_;

  std::atomic<std::uint64_t> begun_{0};
  std::atomic<std::uint64_t> ended_{0};
  std::atomic<bool> asleep_{false};
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> leaving_{false};

  std::mutex mutex_;
  std::vector<Wanted> wanted_;          ///< for the thread to begin: links of a transport are one thread's
  std::atomic<std::size_t> joined_{0};  ///< links, in all

  // The thread's own.
  std::vector<std::unique_ptr<Joined>> links_;
  std::vector<pollfd> descriptors_;
  std::optional<Clock::time_point> since_;  ///< nothing has moved
};

}  // namespace atl::device

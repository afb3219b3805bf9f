// SPDX-License-Identifier: Apache-2.0
// One end's UCP endpoint: what it takes to send to the peer, and what has become of it.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "src/base/clock.h"
#include "transports/ucx/worker.h"

namespace atl::ucx {

class Endpoint {
 public:
  /// The worker outlives it.
  explicit Endpoint(Worker& worker) : worker_(worker) {}
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  /// Once, with the address of the peer's worker. UCX makes its connections when something is sent.
  Status open(std::span<const std::byte> address);

  [[nodiscard]] const Api& api() const { return worker_.api(); }
  [[nodiscard]] Worker& worker() const { return worker_; }
  [[nodiscard]] ucp_ep_h handle() const { return handle_; }

  /// UCS_OK while it is good. Nothing can be sent after a failure.
  [[nodiscard]] ucs_status_t failure() const { return failure_; }
  void fail(ucs_status_t status) {
    if (failure_ == UCS_OK) failure_ = status;
  }

  /// What UCX uses to reach the peer, as far as it has decided: "posix/memory, cma/memory".
  [[nodiscard]] std::string lanes() const;

  /// Begins to take the endpoint down: nothing more is sent or received, and what is under way ends with an error.
  void close();
  /// True when nothing refers to the endpoint any more; ever since close() was called, with some progress between.
  bool closed();

 private:
  static void onFailure(void* self, ucp_ep_h endpoint, ucs_status_t status);

  Worker& worker_;
  ucp_ep_h handle_ = nullptr;
  ucs_status_t failure_ = UCS_OK;
  void* closing_ = nullptr;  ///< UCX's request
};

}  // namespace atl::ucx

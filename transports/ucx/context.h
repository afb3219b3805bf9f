// SPDX-License-Identifier: Apache-2.0
// The process's UCP context: what UCX has found of devices, for all workers. Made for the first of them and gone with
// the last.
#pragma once

#include <memory>

#include "transports/ucx/api.h"

namespace atl::ucx {

class Context {
 public:
  /// The process's own; any thread. UCX reads its environment (UCX_TLS, UCX_NET_DEVICES, …) here.
  static Result<std::shared_ptr<Context>> instance();

  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  [[nodiscard]] const Api& api() const { return api_; }
  [[nodiscard]] ucp_context_h handle() const { return handle_; }

 private:
  Context(const Api& api, ucp_context_h handle) : api_(api), handle_(handle) {}
  static Result<std::shared_ptr<Context>> create();

  const Api& api_;
  ucp_context_h handle_;
};

}  // namespace atl::ucx

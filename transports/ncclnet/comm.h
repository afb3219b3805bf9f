// SPDX-License-Identifier: Apache-2.0
// One connection of a plug-in's, as an owner: what listens, or one direction of a link; and the memory that is
// registered with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "transports/ncclnet/context.h"

namespace atl::ncclnet {

/// What a plug-in knows memory by; it may be null.
using Registration = void*;

/// A send or a receive under way.
using Request = void*;

class Comm {
 public:
  enum class Kind : std::uint8_t { listen, send, receive };

  /// `comm` is what the plug-in's listen, connect or accept gave, which is closed with this.
  Comm(std::shared_ptr<Context> context, Kind kind, void* comm)
      : context_(std::move(context)), kind_(kind), comm_(comm) {}
  ~Comm();
  Comm(const Comm&) = delete;
  Comm& operator=(const Comm&) = delete;

  [[nodiscard]] void* handle() const { return comm_; }
  [[nodiscard]] const Context& context() const { return *context_; }
  /// Of a call whose failure changes nothing for the caller.
  void warnIfFailed(std::string_view call, Code code) const;

  /// Of declared memory (transports/declared_memory.h), until its declaration ends. Nothing: it is not declared as a
  /// whole, or the plug-in cannot register it, which is warned of.
  std::optional<Registration> registrationOf(const void* memory, std::size_t bytes);

  /// Null: not now, since too much is under way.
  Result<Request> send(const void* data, std::size_t bytes, Registration registration);
  Result<Request> receive(void* data, std::size_t bytes, Registration registration);
  /// How many bytes it was, once it is through; the request is then gone.
  Result<std::optional<std::size_t>> test(Request request);

 private:
  [[nodiscard]] const Net& net() const { return context_->net(); }

  std::shared_ptr<Context> context_;
  Kind kind_;
  void* comm_;
};

}  // namespace atl::ncclnet

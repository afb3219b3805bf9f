// SPDX-License-Identifier: Apache-2.0
// The plug-in as a whole, and what NCCL's calls come to, whatever version of the interface they are of.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "integrations/nccl-net/end.h"
#include "src/bootstrap/reception.h"

namespace atl::netplugin {

/// The devices of this process, found at the first call; the environment is read then. Any thread.
Result<const std::vector<Device>*> devices();
/// An error if there is none of this number.
Result<const Device*> deviceNumber(int number);

/// A receiver that waits for its sender: for one, as NCCL uses it.
class Listener {
 public:
  Listener(std::shared_ptr<Domain> domain, const Secret& secret, std::uint64_t connection);

  /// Null until the sender has come. An error if it is asked for another one.
  Result<std::unique_ptr<ReceiveEnd>> accept();

 private:
  std::shared_ptr<Domain> domain_;
  GroupRegistration registration_;
  Route route_;
  std::unique_ptr<ReceiveEnd> coming_;
  bool accepted_ = false;
};

/// What connections of one communicator share, or all of the process where the interface has no contexts.
class Context {
 public:
  /// The handle goes to the sender.
  Result<std::unique_ptr<Listener>> listen(int device, Handle& handle);
  /// Null until the receiver has come; to be called again with the same handle, in which it keeps a note, until then.
  Result<std::unique_ptr<SendEnd>> connect(int device, Handle& handle);

  /// Of the process, for versions without contexts.
  static Context& common();

 private:
  struct Attempt {
    std::uint64_t connection = 0;
    std::unique_ptr<SendEnd> end;
  };
  Result<std::shared_ptr<Domain>> domainOf(const Device& device);

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Domain>> domains_;  ///< by device; of transports whose links share anything
  std::map<std::uint64_t, Attempt> attempts_;
  std::uint64_t lastAttempt_ = 0;
};

}  // namespace atl::netplugin

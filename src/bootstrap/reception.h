// SPDX-License-Identifier: Apache-2.0
// The reception: this process's listening sockets, the check of everybody who comes, and the way from there to whoever
// waits for the stream. Streams that come before they are asked for are parked, a bounded number for a bounded time.
//
// Until a peer has proved that it knows the secret of a group that is registered here, exactly the greeting is read
// from it, for a few seconds at most; the number of such peers is bounded, too. Whoever fails is dropped with a line in
// the log.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "src/base/hash.h"
#include "src/base/result.h"
#include "src/base/unique_fd.h"
#include "src/bootstrap/handshake.h"
#include "src/bootstrap/service.h"

namespace atl {

class Reception {
 public:
  /// A newcomer to a rendezvous: it has proved the secret, but its protocol version may be another.
  struct Newcomer {
    UniqueFd fd;
    std::uint16_t version = 0;
    std::string from;  ///< its address
  };
  using OnNewcomer = std::function<void(Newcomer)>;
  using OnStream = std::function<void(Result<UniqueFd>)>;
  using AcceptId = std::uint64_t;

  static Reception& instance();

  // From any thread, after Service::instance() succeeded.

  /// Listens on an address of this host, once; gives it back with its port.
  Result<NetAddress> listenAt(NetAddress address);
  /// Listens on a port of all addresses until stopListening.
  Status listenOnPort(std::uint16_t port);
  void stopListening(std::uint16_t port);
  /// Listens on the process's abstract Unix socket; gives the number in its name.
  Result<std::uint64_t> listenLocally();

  /// Lets in those who know `secret`; counted, undone by forgetGroup.
  void addGroup(std::uint64_t group, const Secret& secret);
  void forgetGroup(std::uint64_t group);

  // On the service thread.

  /// Who is to get the newcomers of a group that is registered.
  void setRendezvous(std::uint64_t group, OnNewcomer onNewcomer);
  /// What went wrong with peers who named the group but could not prove the secret; a few of them, for errors.
  [[nodiscard]] std::vector<std::string> refusals(std::uint64_t group) const;

  /// The stream of this name, now if it is parked, else when it comes. `done` is called once, unless cancelled.
  AcceptId accept(std::uint64_t group, const StreamKey& key, Deadline deadline, OnStream done);
  void cancel(AcceptId id);

 private:
  class Visitor;
  struct Group {
    Secret secret{};
    int uses = 0;
    OnNewcomer onNewcomer;
    std::vector<std::string> refusals;
  };
  struct StreamName {
    std::uint64_t group = 0;
    StreamKey key;
    friend bool operator==(const StreamName&, const StreamName&) = default;
  };
  struct HashStreamName {
    std::size_t operator()(const StreamName& name) const {
      return hashCombine(hashCombine(name.group, name.key.communicator),
                         (std::uint64_t{static_cast<std::uint32_t>(name.key.lower)} << 32) ^
                             std::uint64_t{static_cast<std::uint32_t>(name.key.higher)} ^
                             (std::uint64_t{name.key.lane} << 48) ^ (std::uint64_t{name.key.index} << 16));
    }
  };
  struct Waiting {
    AcceptId id;
    OnStream done;
    Service::TimerId timer;
  };
  struct Parked {
    UniqueFd fd;
    Service::TimerId timer;
  };
  struct Listener {
    UniqueFd fd;
    Service::WatchId watch = 0;
  };

  Reception();
  void serve(const std::shared_ptr<Listener>& listener);
  void welcomeVisitors(Listener& listener);
  void pauseListening();
  void visitorLeft(Visitor& visitor);
  void arrived(Visitor& visitor, const StreamKey& key, std::uint16_t version);
  void arrivedForRendezvous(Visitor& visitor, std::uint16_t version);
  void refuse(std::uint64_t group, std::string text);
  static bool welcome(int fd);

  Service& service_;

  std::mutex listenersMutex_;  ///< listening is begun by any thread
  std::map<std::array<std::uint8_t, 18>, NetAddress> addresses_;
  std::map<std::uint16_t, std::pair<int, std::shared_ptr<Listener>>> ports_;  ///< with the number of uses
  std::uint64_t localName_ = 0;

  std::vector<std::shared_ptr<Listener>> listeners_;
  bool paused_ = false;
  std::list<std::shared_ptr<Visitor>> visitors_;  ///< oldest first
  std::unordered_map<std::uint64_t, Group> groups_;
  AcceptId nextAccept_ = 1;
  std::unordered_map<StreamName, Waiting, HashStreamName> waiting_;
  std::unordered_map<AcceptId, StreamName> waitingNames_;
  std::unordered_map<StreamName, Parked, HashStreamName> parked_;
};

/// Keeps a group registered for as long as it lives.
class GroupRegistration {
 public:
  GroupRegistration(std::uint64_t group, const Secret& secret) : group_(group) {
    Reception::instance().addGroup(group, secret);
  }
  ~GroupRegistration() { Reception::instance().forgetGroup(group_); }
  GroupRegistration(const GroupRegistration&) = delete;
  GroupRegistration& operator=(const GroupRegistration&) = delete;

 private:
  std::uint64_t group_;
};

}  // namespace atl

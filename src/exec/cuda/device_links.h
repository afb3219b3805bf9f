// SPDX-License-Identifier: Apache-2.0
// The links of one rank's device, made when calls first need them: each rank offers peers an end of its own, in memory
// of its device, and takes theirs.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "src/base/types.h"
#include "src/cuda/runtime.h"
#include "src/exec/cuda/device/mail.h"
#include "transports/p2p/device_memory.h"

namespace atl::cuda {

/// The places of a link; the same at both ends.
struct LinkShape {
  std::uint64_t slotBytes = 64 << 10;  ///< a multiple of 16
  std::uint64_t packetBytes = 32 << 10;
};

/// One end of a link, as its owner tells the peer. Plain bytes.
struct LinkOffer {
  p2p::Exported memory;
  std::uint64_t offset = 0;  ///< of the end in it
  LinkShape shape;
};

class DeviceLinks {
 public:
  /// `process` and `host` as in p2p::Exported. Calls are made with the device as the thread's.
  DeviceLinks(int device, std::uint64_t process, std::uint64_t host, LinkShape shape)
      : device_(device), process_(process), host_(host), shape_(shape), imports_(device, process, host) {}

  [[nodiscard]] const LinkShape& shape() const { return shape_; }
  [[nodiscard]] bool has(Rank peer, std::int32_t lane) const;

  /// This rank's end of a link that there is not yet.
  Result<LinkOffer> offer(Rank peer, std::int32_t lane);
  /// The peer's end. The link is there after that.
  Status accept(Rank peer, std::int32_t lane, const LinkOffer& offer);

  /// Whether the peer's device is another one, so that peer access is to be proved; the same at both ends.
  [[nodiscard]] bool crossesDevices(const LinkOffer& offer) const {
    return !areas_.empty() && areas_.back().exported.uuid != offer.memory.uuid;
  }
  /// See peer_proof.h. `number` is of the direction, and the same at both ends.
  Status writeProof(Rank peer, std::int32_t lane, std::uint64_t number);
  Status checkProof(Rank peer, std::int32_t lane, std::uint64_t number);

  /// A link that is there.
  [[nodiscard]] device::Link link(Rank peer, std::int32_t lane) const;

  /// The memory of this rank's ends. No link is there any more.
  [[nodiscard]] std::vector<Memory> surrender();

  [[nodiscard]] std::size_t size() const { return ends_.size(); }
  [[nodiscard]] std::size_t bytesHeld() const;

 private:
  struct End {
    std::byte* here = nullptr;
    std::byte* there = nullptr;  ///< null: the peer has not offered its own yet
    bool sharesAddresses = false;
  };
  /// An allocation that ends are cut from.
  struct Area {
    Memory memory;
    p2p::Exported exported;
    std::size_t used = 0;
  };

  [[nodiscard]] std::size_t endBytes() const;
  Result<Area*> areaWithRoom();

  int device_;
  std::uint64_t process_;
  std::uint64_t host_;
  LinkShape shape_;
  p2p::Imports imports_;
  std::vector<Area> areas_;
  std::optional<Stream> stream_;
  std::map<std::pair<Rank, std::int32_t>, End> ends_;
};

}  // namespace atl::cuda

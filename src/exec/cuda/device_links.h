// SPDX-License-Identifier: Apache-2.0
// The links of one rank's device, made when calls first need them: each rank offers peers an end of its own, in memory
// that their devices reach, and takes theirs. Where there is no such memory, the hosts stand between the two.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/types.h"
#include "src/cuda/runtime.h"
#include "src/exec/cuda/device/mail.h"
#include "src/exec/cuda/staging.h"
#include "transports/p2p/device_memory.h"

namespace atl::cuda {

/// The places of a link; the same at both ends.
struct LinkShape {
  std::uint64_t slotBytes = 64 << 10;  ///< a multiple of 16
  std::uint64_t packetBytes = 32 << 10;
};

/// Where the ends of a link lie: what is there first is preferred.
enum class Way : std::uint8_t {
  device,  ///< in memory of the devices, which reach each other's
  pinned,  ///< in pinned memory of the process of both
  staged,  ///< each in pinned memory of its own process, which the hosts copy to each other (staging.h)
};
/// For logs: "peer access".
std::string_view nameOf(Way way);

/// One end of a link, as its owner tells the peer. Plain bytes.
struct LinkOffer {
  p2p::Exported memory;      ///< nothing where the way is staged
  std::uint64_t offset = 0;  ///< of the end in it
  LinkShape shape;
  Way way = Way::device;
};

class DeviceLinks {
 public:
  /// `process` and `host` as in p2p::Exported. Calls are made with the device as the thread's.
  DeviceLinks(int device, std::uint64_t process, std::uint64_t host, LinkShape shape)
      : device_(device), process_(process), host_(host), shape_(shape), imports_(device, process, host) {}

  [[nodiscard]] const LinkShape& shape() const { return shape_; }
  [[nodiscard]] bool has(Rank peer, std::int32_t lane) const;

  /// This rank's end of a link that there is not yet. A new offer takes the place of one that came to nothing.
  Result<LinkOffer> offer(Rank peer, std::int32_t lane, Way way);
  /// The peer's end, on the same way as this one's. The link is there after that; where it is staged, if the host does
  /// its part with staging().
  Status accept(Rank peer, std::int32_t lane, const LinkOffer& offer);
  /// Of a staged link that is there.
  [[nodiscard]] device::Staging staging(Rank peer, std::int32_t lane) const;

  /// Of offers on Way::device. Whether the peer's device is another one, so that peer access is to be proved; the same
  /// at both ends.
  [[nodiscard]] bool crossesDevices(const LinkOffer& offer) const { return uuid_ != offer.memory.uuid; }
  /// Whether the peer's memory is this process's and this device's, and nothing can stand in between; likewise.
  [[nodiscard]] bool isOurs(const LinkOffer& offer) const { return imports_.sharesAllWith(offer.memory); }
  /// See peer_proof.h. `number` is of the direction, and the same at both ends.
  Status writeProof(Rank peer, std::int32_t lane, std::uint64_t number);
  Status checkProof(Rank peer, std::int32_t lane, std::uint64_t number);

  /// A link that is there.
  [[nodiscard]] const device::Link& link(Rank peer, std::int32_t lane) const { return ends_.at({peer, lane}); }

  /// The memory of this rank's ends. No link is there any more.
  [[nodiscard]] std::vector<Memory> surrender();

  [[nodiscard]] std::size_t size() const { return ends_.size(); }
  [[nodiscard]] std::size_t bytesHeld() const;

 private:
  /// An allocation that ends are cut from.
  struct Area {
    Memory memory;
    std::size_t used = 0;
    p2p::Exported exported;  ///< of a device's
  };
  /// Areas of one kind.
  struct Areas {
    Memory::Place place;
    bool exported;  ///< peers are to reach them
    std::vector<Area> all;
  };
  /// A run of bytes of an area.
  struct Cut {
    const Area* area;
    std::size_t offset;
    [[nodiscard]] std::byte* data() const { return area->memory.data() + offset; }
  };

  Result<Cut> cut(Areas& areas, std::size_t bytes);

  int device_;
  std::uint64_t process_;
  std::uint64_t host_;
  LinkShape shape_;
  p2p::Imports imports_;
  Areas reached_{Memory::Place::device, true, {}};
  Areas pinned_{Memory::Place::pinned, false, {}};
  Areas private_{Memory::Place::device, false, {}};  ///< what only this device looks at, of ends elsewhere
  std::array<char, 16> uuid_{};                      ///< of the device, once something has been exported
  std::optional<Stream> stream_;
  std::map<std::pair<Rank, std::int32_t>, device::Link> ends_;
};

}  // namespace atl::cuda

// SPDX-License-Identifier: Apache-2.0
#include "src/exec/cuda/device_links.h"

#include <algorithm>
#include <utility>

#include "src/exec/cuda/peer_proof.h"

namespace atl::cuda {
namespace {

/// Ends are cut from allocations of at least so many bytes, which a peer maps once.
constexpr std::size_t kAreaBytes = 16 << 20;
constexpr std::size_t kAlign = 256;

constexpr std::size_t rounded(std::size_t bytes) {
  return (bytes + kAlign - 1) / kAlign * kAlign;
}

/// Where the parts of an end lie in it. What the peer writes comes first, and what the rank alone keeps last.
struct Parts {
  explicit Parts(const LinkShape& shape)
      : packets(rounded(sizeof(device::Region))),
        slots(packets + rounded(device::kMails * device::packetsOf(shape.packetBytes) * sizeof(device::Packet))),
        proof(slots + rounded(device::kMails * shape.slotBytes)),
        state(proof + rounded(kProofBytes)),
        way(state + rounded(sizeof(device::LinkState))),
        bytes(way + rounded(kProofBytes)) {}
  std::size_t packets, slots, proof, state, way, bytes;
};

}  // namespace

bool DeviceLinks::has(Rank peer, std::int32_t lane) const {
  const auto found = ends_.find({peer, lane});
  return found != ends_.end() && found->second.there != nullptr;
}

std::size_t DeviceLinks::endBytes() const {
  return Parts(shape_).bytes;
}

Result<DeviceLinks::Area*> DeviceLinks::areaWithRoom() {
  if (!areas_.empty() && areas_.back().used + endBytes() <= areas_.back().memory.bytes()) return &areas_.back();
  Area area;
  ATOLL_ASSIGN(area.memory, Memory::allocate(Memory::Place::device, std::max(kAreaBytes, endBytes())));
  ATOLL_ASSIGN(area.exported, p2p::exportMemory(area.memory.data(), device_, process_, host_));
  if (!stream_) {
    ATOLL_ASSIGN(stream_, Stream::create());
  }
  // Nothing has come yet: flags are zero.
  ATOLL_TRY(stream_->clear(area.memory.data(), area.memory.bytes()));
  return &areas_.emplace_back(std::move(area));
}

Result<LinkOffer> DeviceLinks::offer(Rank peer, std::int32_t lane) {
  ATOLL_ASSIGN(Area* const area, areaWithRoom());
  LinkOffer offer{area->exported, area->used, shape_};
  ends_[{peer, lane}].here = area->memory.data() + area->used;
  area->used += endBytes();
  return offer;
}

Status DeviceLinks::accept(Rank peer, std::int32_t lane, const LinkOffer& offer) {
  if (offer.shape.slotBytes != shape_.slotBytes || offer.shape.packetBytes != shape_.packetBytes) {
    return makeError(ErrorCode::mismatch, "slots of {} and packets of {} bytes here, {} and {} there", shape_.slotBytes,
                     shape_.packetBytes, offer.shape.slotBytes, offer.shape.packetBytes);
  }
  ATOLL_ASSIGN(std::byte* const memory, imports_.reach(offer.memory));
  End& end = ends_.at({peer, lane});
  end.there = memory + offer.offset;
  end.sharesAddresses = imports_.sharesAllWith(offer.memory);
  return success();
}

Status DeviceLinks::writeProof(Rank peer, std::int32_t lane, std::uint64_t number) {
  const End& end = ends_.at({peer, lane});
  const Parts parts(shape_);
  return cuda::writeProof(end.there + parts.proof, end.here + parts.way, number, *stream_);
}

Status DeviceLinks::checkProof(Rank peer, std::int32_t lane, std::uint64_t number) {
  return cuda::checkProof(ends_.at({peer, lane}).here + Parts(shape_).proof, number, *stream_);
}

device::Link DeviceLinks::link(Rank peer, std::int32_t lane) const {
  const End& end = ends_.at({peer, lane});
  const Parts parts(shape_);
  device::Link link;
  link.here = reinterpret_cast<device::Region*>(end.here);
  link.there = reinterpret_cast<device::Region*>(end.there);
  link.packetsHere = reinterpret_cast<device::Packet*>(end.here + parts.packets);
  link.packetsThere = reinterpret_cast<device::Packet*>(end.there + parts.packets);
  link.slotsHere = end.here + parts.slots;
  link.slotsThere = end.there + parts.slots;
  link.state = reinterpret_cast<device::LinkState*>(end.here + parts.state);
  link.peer = peer;
  link.sharesAddresses = end.sharesAddresses;
  return link;
}

std::vector<Memory> DeviceLinks::surrender() {
  ends_.clear();
  std::vector<Memory> memory;
  for (Area& area : std::exchange(areas_, {})) memory.push_back(std::move(area.memory));
  return memory;
}

std::size_t DeviceLinks::bytesHeld() const {
  std::size_t bytes = 0;
  for (const Area& area : areas_) bytes += area.memory.bytes();
  return bytes;
}

}  // namespace atl::cuda

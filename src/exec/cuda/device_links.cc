// SPDX-License-Identifier: Apache-2.0
#include "src/exec/cuda/device_links.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "src/exec/cuda/peer_proof.h"

namespace atl::cuda {
namespace {

/// Ends are cut from allocations of at least so many bytes, which a peer maps once …
constexpr std::size_t kAreaBytes = 16 << 20;
/// … or no peer: of the host's, which has less to spare, and of what only this device looks at.
constexpr std::size_t kPinnedAreaBytes = 4 << 20;
constexpr std::size_t kPrivateAreaBytes = 64 << 10;
constexpr std::size_t kAlign = 256;

constexpr std::size_t rounded(std::size_t bytes) {
  return (bytes + kAlign - 1) / kAlign * kAlign;
}

/// Where the parts of an end lie in it, and what the peer writes comes first. On ways through the host the state is
/// elsewhere.
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

/// Likewise of a staged end: what the device reads, and what it writes.
struct StagedParts {
  explicit StagedParts(const LinkShape& shape)
      : inSlots(rounded(sizeof(device::Region))),
        out(inSlots + rounded(device::kMails * shape.slotBytes)),
        outSlots(out + rounded(sizeof(device::Region))),
        bytes(outSlots + rounded(device::kMails * shape.slotBytes)) {}
  std::size_t inSlots, out, outSlots, bytes;
};

device::Region* regionAt(std::byte* data) {
  return reinterpret_cast<device::Region*>(data);
}
device::Packet* packetsAt(std::byte* data) {
  return reinterpret_cast<device::Packet*>(data);
}
device::LinkState* stateAt(std::byte* data) {
  return reinterpret_cast<device::LinkState*>(data);
}
std::byte* beginningOf(device::Region* region) {
  return reinterpret_cast<std::byte*>(region);
}

}  // namespace

std::string_view nameOf(Way way) {
  switch (way) {
    case Way::device: return "peer access";
    case Way::pinned: return "pinned memory of the process";
    case Way::staged: return "pinned memory and the network";
  }
  return "?";
}

bool DeviceLinks::has(Rank peer, std::int32_t lane) const {
  const auto found = ends_.find({peer, lane});
  return found != ends_.end() && found->second.there != nullptr;
}

Result<DeviceLinks::Cut> DeviceLinks::cut(Areas& areas, std::size_t bytes) {
  if (areas.all.empty() || areas.all.back().used + bytes > areas.all.back().memory.bytes()) {
    const std::size_t least = areas.exported                         ? kAreaBytes
                              : areas.place == Memory::Place::pinned ? kPinnedAreaBytes
                                                                     : kPrivateAreaBytes;
    Area area;
    ATOLL_ASSIGN(area.memory, Memory::allocate(areas.place, std::max(least, bytes)));
    if (areas.exported) {
      ATOLL_ASSIGN(area.exported, p2p::exportMemory(area.memory.data(), device_, process_, host_));
      uuid_ = area.exported.uuid;
    }
    // Nothing has come yet: flags are zero.
    if (areas.place == Memory::Place::pinned) {
      std::memset(area.memory.data(), 0, area.memory.bytes());
    } else {
      if (!stream_) {
        ATOLL_ASSIGN(stream_, Stream::create());
      }
      ATOLL_TRY(stream_->clear(area.memory.data(), area.memory.bytes()));
    }
    areas.all.push_back(std::move(area));
  }
  Area& area = areas.all.back();
  const std::size_t offset = area.used;
  area.used += rounded(bytes);
  return Cut{&area, offset};
}

Result<LinkOffer> DeviceLinks::offer(Rank peer, std::int32_t lane, Way way) {
  const Parts parts(shape_);
  LinkOffer offer;
  offer.shape = shape_;
  offer.way = way;
  device::Link link;
  link.peer = peer;
  if (way != Way::device) {
    ATOLL_ASSIGN(const Cut state, cut(private_, sizeof(device::LinkState)));
    link.state = stateAt(state.data());
  }
  if (way == Way::staged) {
    const StagedParts staged(shape_);
    ATOLL_ASSIGN(const Cut end, cut(pinned_, staged.bytes));
    link.here = regionAt(end.data());
    link.slotsHere = end.data() + staged.inSlots;
  } else {
    ATOLL_ASSIGN(const Cut end, cut(way == Way::device ? reached_ : pinned_, parts.bytes));
    link.here = regionAt(end.data());
    link.packetsHere = packetsAt(end.data() + parts.packets);
    link.slotsHere = end.data() + parts.slots;
    if (way == Way::device) link.state = stateAt(end.data() + parts.state);
    offer.memory = end.area->exported;
    offer.memory.address = reinterpret_cast<std::uintptr_t>(end.area->memory.data());
    offer.offset = end.offset;
  }
  ends_[{peer, lane}] = link;
  return offer;
}

Status DeviceLinks::accept(Rank peer, std::int32_t lane, const LinkOffer& offer) {
  if (offer.shape.slotBytes != shape_.slotBytes || offer.shape.packetBytes != shape_.packetBytes) {
    return makeError(ErrorCode::mismatch, "slots of {} and packets of {} bytes here, {} and {} there", shape_.slotBytes,
                     shape_.packetBytes, offer.shape.slotBytes, offer.shape.packetBytes);
  }
  device::Link& link = ends_.at({peer, lane});
  if (offer.way == Way::staged) {
    const StagedParts staged(shape_);
    link.there = regionAt(beginningOf(link.here) + staged.out);
    link.slotsThere = beginningOf(link.here) + staged.outSlots;
    return success();
  }
  std::byte* memory = reinterpret_cast<std::byte*>(offer.memory.address);  // NOLINT(performance-no-int-to-ptr)
  if (offer.way == Way::device) {
    ATOLL_ASSIGN(memory, imports_.reach(offer.memory));
    link.sharesAddresses = isOurs(offer);
  }
  const Parts parts(shape_);
  std::byte* const end = memory + offer.offset;
  link.there = regionAt(end);
  link.packetsThere = packetsAt(end + parts.packets);
  link.slotsThere = end + parts.slots;
  return success();
}

device::Staging DeviceLinks::staging(Rank peer, std::int32_t lane) const {
  const device::Link& link = ends_.at({peer, lane});
  return {link.here, link.slotsHere, link.there, link.slotsThere, shape_.slotBytes};
}

Status DeviceLinks::writeProof(Rank peer, std::int32_t lane, std::uint64_t number) {
  const device::Link& link = ends_.at({peer, lane});
  const Parts parts(shape_);
  return cuda::writeProof(beginningOf(link.there) + parts.proof, beginningOf(link.here) + parts.way, number, *stream_);
}

Status DeviceLinks::checkProof(Rank peer, std::int32_t lane, std::uint64_t number) {
  return cuda::checkProof(beginningOf(ends_.at({peer, lane}).here) + Parts(shape_).proof, number, *stream_);
}

std::vector<Memory> DeviceLinks::surrender() {
  ends_.clear();
  std::vector<Memory> memory;
  for (Areas* const areas : {&reached_, &pinned_, &private_}) {
    for (Area& area : std::exchange(areas->all, {})) memory.push_back(std::move(area.memory));
  }
  return memory;
}

std::size_t DeviceLinks::bytesHeld() const {
  std::size_t bytes = 0;
  for (const Areas* const areas : {&reached_, &pinned_, &private_}) {
    for (const Area& area : areas->all) bytes += area.memory.bytes();
  }
  return bytes;
}

}  // namespace atl::cuda

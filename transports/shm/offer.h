// SPDX-License-Identifier: Apache-2.0
// How two processes hand each other shared memory: one fixed-size offer each way over a local stream socket, with the
// descriptors of the memory beside its bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "src/base/result.h"
#include "src/base/unique_fd.h"

namespace atl::shm {

inline constexpr std::uint64_t kOfferMagic = 0x6d68736c6c6f7461;  // "atollshm" in memory
inline constexpr std::uint32_t kOfferVersion = 2;
inline constexpr std::size_t kMaxDescriptors = 2;

/// What goes over the socket, as it is: both ends run on the same machine.
struct Offer {
  std::uint64_t magic = kOfferMagic;
  std::uint32_t version = kOfferVersion;
  std::uint32_t descriptors = 0;  ///< that come with the offer: the mail region's (if any), then the outbox's
  std::uint64_t regionBytes = 0;  ///< 0: the sender expects the region from the other end
  std::uint64_t outboxBytes = 0;
  std::int32_t outboxDescriptor = -1;  ///< the outbox's number in the sender, by which the receiver may know it again
  std::uint32_t unused = 0;
};
static_assert(sizeof(Offer) == 40 && std::has_unique_object_representations_v<Offer>);

/// Sends an offer and its descriptors without blocking. False: the socket has no room yet, try again.
Result<bool> trySend(int socket, const Offer& offer, std::span<const int> descriptors);

/// Receives one offer, in however many pieces it comes.
class OfferReader {
 public:
  /// Never blocks. True when the offer is here. An error says what is wrong with what came.
  Result<bool> poll(int socket);

  [[nodiscard]] const Offer& offer() const { return offer_; }
  /// As many as the offer says, in its order.
  std::vector<UniqueFd>& descriptors() { return descriptors_; }

 private:
  Status check() const;

  Offer offer_;
  std::size_t received_ = 0;
  std::vector<UniqueFd> descriptors_;
};

}  // namespace atl::shm

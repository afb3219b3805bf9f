// SPDX-License-Identifier: Apache-2.0
// What the 128 bytes of a UniqueId hold.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/base/result.h"
#include "src/bootstrap/directory.h"
#include "src/bootstrap/session.h"

namespace atl {

inline constexpr std::size_t kMaxIdAddresses = 3;

struct IdFields {
  /// Where the rendezvous is known by its address alone (rendezvousAt), its process may come later than the others, so
  /// they keep trying; otherwise the process that made the id is there before anybody can have the id.
  bool byAddress = false;
  std::uint64_t group = 0;  ///< names the rendezvous in its process; random, not secret
  Secret secret{};
  std::uint64_t host = 0;       ///< identity of the rendezvous' host
  std::uint64_t localName = 0;  ///< of its abstract Unix socket (see localSocketName); 0: none
  std::vector<NetAddress> addresses;
};

UniqueId encodeId(const IdFields& fields);
/// Bytes that are no id, or one of another version, are an error.
Result<IdFields> decodeId(const UniqueId& id);

}  // namespace atl

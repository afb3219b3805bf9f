// SPDX-License-Identifier: Apache-2.0
// The keys of declared memory on the devices of a worker: by them a message goes from the sender's memory to the
// receiver's without a copy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "transports/rdma/buffer_pool.h"

namespace atl::rdma {

/// Used by one thread at a time.
class DeclaredKeys {
 public:
  DeclaredKeys(std::vector<std::shared_ptr<Nic>> nics, WriteOrder order) : nics_(std::move(nics)), order_(order) {}

  /// Null: the memory is not declared as a whole, or a device cannot register it. They stay where they are until the
  /// area ends, which it may not while a message goes there.
  const Keys* find(const void* memory, std::size_t bytes);

  /// From now on memory is registered with one device more: what find() is asked for, and what complete() is.
  void extend(std::shared_ptr<Nic> nic) { nics_.push_back(std::move(nic)); }
  /// Fills in keys that find() gave and that are in use. What a device does not register has none there (0).
  void complete(const Keys& keys);

 private:
  struct Entry {
    DeclaredArea area;
    Keys keys;
    std::size_t devices = 0;  ///< that have been asked
    bool refused = false;     ///< by one of them
  };
  void complete(Entry& entry) const;

  std::vector<std::shared_ptr<Nic>> nics_;
  WriteOrder order_;
  std::map<std::uint64_t, Entry> byArea_;
};

}  // namespace atl::rdma

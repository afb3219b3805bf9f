// SPDX-License-Identifier: Apache-2.0
// A switchboard for tests: the two ends of a stream meet by key inside this process, or are given beforehand across a
// fork.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <tuple>

#include "src/bootstrap/switchboard.h"

namespace atl::test {

/// A connected, non-blocking pair: a local socket pair, or TCP over loopback.
struct SocketPair {
  UniqueFd lower;
  UniqueFd higher;
};
SocketPair makeSocketPair(Switchboard::Via via);

class FakeSwitchboard : public Switchboard {
 public:
  std::unique_ptr<PendingStream> open(const StreamKey& key, Rank me, const Directory& directory, Via via,
                                      Deadline deadline) override;

  /// Makes both ends of a stream now, so that two processes that fork afterwards find them.
  void prepare(const StreamKey& key, Via via);

 private:
  using Key = std::tuple<std::uint64_t, Rank, Rank, int, int>;
  std::mutex mutex_;
  std::map<Key, SocketPair> pairs_;
};

}  // namespace atl::test

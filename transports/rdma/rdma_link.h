// SPDX-License-Identifier: Apache-2.0
// A message link over queue pairs: wire.h says how messages travel, outgoing.h and incoming.h what each end does.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "src/base/clock.h"
#include "src/base/unique_fd.h"
#include "transports/link.h"
#include "transports/rdma/incoming.h"
#include "transports/rdma/outgoing.h"

namespace atl::rdma {

/// Whom a link joins, for errors and logs.
struct LinkNames {
  Rank me = 0;
  Rank peer = 0;
  std::string peerName;  ///< "rank 3 (host n07, pid 4711)"
};

class RdmaLink : public MessageLink, public PathUser {
 public:
  /// `patience`: how long it may be without a path before it fails; 0: for ever.
  RdmaLink(std::shared_ptr<Worker> worker, LinkNames names, double patience);
  /// What was told to be done is with the peer.
  ~RdmaLink() override;
  RdmaLink(const RdmaLink&) = delete;
  RdmaLink& operator=(const RdmaLink&) = delete;

  /// Once, with a stream to the peer.
  Status begin(UniqueFd stream) { return paths_.begin(std::move(stream)); }
  /// After that, before anything is posted, until it is true: never blocks.
  Result<bool> meet();

  void post(SendPiece& piece) override;
  void post(ReceivePiece& piece) override;
  Result<bool> progress() override;
  void wanted(std::vector<pollfd>& fds) const override;
  [[nodiscard]] std::size_t suitedPiece() const override { return kChunkBytes; }
  [[nodiscard]] std::string describe() const override;
  void cancel() override;

  /// Memory that it takes while it is idle, without the worker's, and without what the device's driver takes.
  [[nodiscard]] std::size_t bytesHeld() const { return sizeof *this + paths_.bytesHeld(); }

 private:
  void onNote(Buffer& note, std::uint32_t bytes) override;
  void onWritten(const Arrival& arrival) override;
  std::vector<GrantKey> keysOn(std::size_t device) override { return in_.keysOn(device); }
  Status onKey(const GrantKey& key) override { return out_.key(key); }
  Status read(Buffer& note, std::uint32_t bytes, bool& kept);
  [[nodiscard]] bool idle() const { return out_.pieces.empty() && in_.pieces.empty(); }
  template <class Piece>
  bool retire(PieceList<Piece>& pieces);
  Result<bool> moveAll();
  Status whileNothingMoves();
  void fail(Error error);
  void shut();

  std::shared_ptr<Worker> worker_;
  LinkNames names_;
  PathGroup paths_;
  Notes notes_;
  Outgoing out_;
  Incoming in_;
  int idlePolls_ = 0;  ///< after the peer has left
  Clock::time_point idleSince_;
  Status state_ = success();  ///< an error is final
};

}  // namespace atl::rdma

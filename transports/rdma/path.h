// SPDX-License-Identifier: Apache-2.0
// One queue pair of a link: how it is joined to its counterpart, and what is under way on it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "transports/link.h"
#include "transports/rdma/wire.h"
#include "transports/rdma/worker.h"

namespace atl::rdma {

/// What a path tells the link that it is part of, when completions are looked at.
class PathUser {
 public:
  virtual ~PathUser() = default;
  virtual void onNote(Buffer& note, std::uint32_t bytes) = 0;
  virtual void onWritten(const Arrival& arrival) = 0;
  /// Keys on a device of grants that were given before the device was there.
  virtual std::vector<GrantKey> keysOn(std::size_t device) = 0;
  /// The peer's. An error if it cannot be.
  virtual Status onKey(const GrantKey& key) = 0;
};

/// Something to send: a note, or a write to a place that the receiver granted. Holds what it takes to send it again on
/// another path.
struct Request {
  const std::byte* data = nullptr;
  const Keys* keys = nullptr;        ///< of the data
  Buffer* buffer = nullptr;          ///< in which the data lies, to be given back then
  SendPiece* piece = nullptr;        ///< of which something is through when it is with the peer
  const GrantNote* grant = nullptr;  ///< null: a note. Stays as it is until the write is complete
  std::uint64_t at = 0;              ///< where in the granted place
  std::uint32_t bytes = 0;
  std::uint32_t through = 0;  ///< of the piece
  bool credit = false;        ///< a note that has nothing but credit, for which the peer may wait
  bool probe = false;         ///< a note for this path only, not to be sent again on another

  void giveBack() const {
    if (buffer != nullptr) buffer->giveBack();
  }
};

class Path : private QueuePairUser {
 public:
  /// Requests under way.
  static constexpr std::size_t kDepth = 24;

  /// `port` is a place in Worker::ports(). The worker and the user outlive it.
  Path(Worker& worker, std::size_t port, PathUser& user) : worker_(worker), port_(port), user_(user) {}
  ~Path() override;
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;

  /// Makes the queue pair; it can be told to the peer afterwards.
  Status open();
  [[nodiscard]] PathOffer offer() const;
  /// Joins it to the peer's: from then on it receives, and may send once the peer has done the same.
  Status connect(const PathOffer& theirs);

  [[nodiscard]] const Port& port() const { return worker_.ports()[port_]; }
  [[nodiscard]] bool hasRoom() const { return underWay() < kDepth; }
  [[nodiscard]] std::size_t underWay() const { return tail_ - head_; }
  [[nodiscard]] std::size_t creditsUnderWay() const { return credits_; }

  /// Needs room. A path that has failed keeps what it is given, for unreceived().
  void send(const Request& request);

  /// Success while it is good.
  [[nodiscard]] const Status& state() const { return state_; }
  /// Something has come by it, or has arrived: that it could be joined says little.
  [[nodiscard]] bool proven() const { return head_ > 0 || received_ > 0; }

  /// Its port no longer works, so far as is known.
  [[nodiscard]] bool portIsDown() const { return !port().works(); }
  void giveUp(std::string_view why);

  /// Ends it: afterwards no device refers to what was sent or granted by it, and arrived() is final.
  void halt();
  /// Requests that are known to be with the peer.
  [[nodiscard]] std::uint64_t arrived() const { return head_; }
  /// After halt(), with the peer's arrived(): takes what the device has not told of yet, since that will not be sent
  /// again. Afterwards received() is final. An error if it does not come.
  Status close(std::uint64_t arrivedHere);
  /// Requests of the peer's that have come by it.
  [[nodiscard]] std::uint64_t received() const { return received_; }
  /// After close(), with the peer's count of what it received: gives those requests back, and hands out the others in
  /// order. An error if the count cannot be.
  Result<std::vector<Request>> unreceived(std::uint64_t receivedThere);

  /// "rxe1:1 10.77.0.1 → 10.77.0.2".
  [[nodiscard]] std::string describe() const;

 private:
  void onSent(ibv_wc_status status) override;
  void onPartFailed(ibv_wc_status status) override;
  void onNote(Buffer& note, std::uint32_t bytes) override;
  void onWritten(std::uint32_t immediate) override;

  [[nodiscard]] bool goesInParts(const Request& request) const;
  [[nodiscard]] std::size_t device() const { return worker_.deviceOf(port_); }
  Status change(ibv_qp_attr& attributes, int mask, const char* to);
  Status beginReceiving(const PathOffer& theirs);
  Status beginSending();
  Status post(const Request& request);
  void retire();
  template <class Condition>
  bool pollUntil(Condition holds);
  void destroy();

  Worker& worker_;
  std::size_t port_;
  PathUser& user_;
  GidEntry gid_;  ///< of the port, when the queue pair was made: it may change
  ibv_qp* pair_ = nullptr;
  std::uint32_t mostInline_ = 0;  ///< bytes that the device takes out of the request itself
  std::uint32_t firstPacket_ = 0;
  PathOffer theirs_;
  Status state_ = success();
  std::array<Request, kDepth> sent_;  ///< a ring of what is under way, in order
  std::uint64_t head_ = 0;            ///< requests that are with the peer
  std::uint64_t tail_ = 0;            ///< requests in all
  std::uint64_t posted_ = 0;          ///< of these, with the device
  std::uint64_t answered_ = 0;        ///< and those of which it has said what became of them
  std::size_t credits_ = 0;
  std::uint64_t received_ = 0;
};

}  // namespace atl::rdma

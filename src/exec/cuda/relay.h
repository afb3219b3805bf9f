// SPDX-License-Identifier: Apache-2.0
// Moves the pieces of one link between a device's staging and the peer's host, over a message link. Its twin there does
// the same for the peer's device, so that to each device it looks as if the other wrote to its memory.
//
// A piece goes as a note, which says what it is, and behind it its data, straight between the slots of the two ends;
// few bytes go in the note. With every note goes how many pieces the device has consumed, by itself where no piece
// takes it along. A slot is free at both ends when the peer's device has consumed the piece: this is told to the device
// only, so whatever a device has posted there is room for at the peer's end, and the host takes it at once, whether
// the peer's device is at work or not.
//
// An end that is to go sends what its device has posted, and then a last note. The other end answers with its own when
// it has taken all that; so nothing is lost in a connection that is closed. One that ends before the peer's last note
// is an error; after it nobody needs the connection, and a network may well say that its end has gone.
#pragma once

#include <poll.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "src/base/result.h"
#include "src/exec/cuda/staging.h"
#include "transports/declared_memory.h"
#include "transports/transport.h"

namespace atl::device {

/// Used by one thread at a time.
class Relay {
 public:
  Relay(const Staging& staging, std::unique_ptr<PendingLink> pending);
  ~Relay();  ///< what is not over is cancelled
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  /// Moves what can move without blocking; whether anything did. An error is final.
  Result<bool> progress();

  /// Whether something is on its way that waits for nothing but the network.
  [[nodiscard]] bool busy() const;

  /// What to poll(2) for so that progress() would move something that comes from the peer, or to it.
  void wanted(std::vector<pollfd>& fds) const;

  /// The device will post nothing more.
  void leave() { leaving_ = true; }
  /// Nothing comes or goes any more: each end has sent its last note.
  [[nodiscard]] bool over() const { return peerLeft_ && (gone_ || (farewell_.under && farewell_.landed())); }

 private:
  static constexpr std::size_t kInlineBytes = 88;
  struct Note {
    std::uint64_t piece = 0;  ///< its number; 0: none
    std::uint64_t bytes = 0;  ///< of it
    std::uint64_t tag = 0;
    std::uint64_t consumed = 0;         ///< pieces of the receiver's device
    std::uint64_t last = 0;             ///< not 0: nothing comes after it
    std::byte data[kInlineBytes] = {};  ///< of a piece of no more bytes
  };
  static_assert(sizeof(Note) == 128);

  /// A note that leaves, perhaps with data behind it.
  struct Departure {
    Note note;
    SendPiece head;
    SendPiece body;
    bool under = false;  ///< on its way
    bool hasBody = false;
    /// Whether all of it may be used again.
    [[nodiscard]] bool landed() const { return !under || (head.done && (!hasBody || body.done)); }
  };

  Result<bool> connect();
  Status post();
  Status postPiece(const Mail& mail);
  void send(Departure& departure, const std::byte* data = nullptr);
  void land();
  Status take();
  Status takeNote();
  void awaitNote();
  void deliver();

  Staging staging_;
  std::array<Declaration, 2> declared_;   ///< the slots: networks that can move them in place
  std::unique_ptr<PendingLink> pending_;  ///< null: `link_` is there
  std::unique_ptr<MessageLink> link_;
  bool moved_ = false;

  // From the device to the peer.
  std::array<Departure, kMails> pieces_;  ///< by number
  Departure credit_;                      ///< what was consumed, by itself
  Departure farewell_;
  std::uint64_t sent_ = 0;          ///< pieces that were taken from the device
  std::uint64_t landed_ = 0;        ///< of these, those whose slot the host has done with
  std::uint64_t toldConsumed_ = 0;  ///< to the peer
  bool leaving_ = false;

  // From the peer to the device.
  Note arriving_;
  ReceivePiece head_;
  ReceivePiece body_;
  Mail announced_{};                ///< number not 0: the piece whose data is being received
  std::uint64_t received_ = 0;      ///< pieces that the device was told of
  std::uint64_t peerConsumed_ = 0;  ///< as the peer told
  std::uint64_t toldDevice_ = 0;    ///< and the device was
  bool peerLeft_ = false;
  bool gone_ = false;  ///< and the connection with it
};

}  // namespace atl::device

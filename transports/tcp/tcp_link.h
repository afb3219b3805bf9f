// SPDX-License-Identifier: Apache-2.0
// A message link over connected stream sockets. Payload goes between the caller's memory and the kernel without a stop.
#pragma once

#include <string>
#include <vector>

#include "src/base/paths.h"
#include "src/base/unique_fd.h"
#include "transports/link.h"
#include "transports/tcp/piece_queue.h"
#include "transports/tcp/wire.h"

namespace atl::tcp {

/// Whom a link joins, for errors and logs.
struct LinkNames {
  Rank me = 0;
  Rank peer = 0;
  std::string peerName;     ///< "rank 3 (host n07, pid 4711)"
  std::string description;  ///< "tcp 10.0.0.1:41000 → 10.0.0.2:39000 ×2 cubic"
};

class TcpLink : public MessageLink {
 public:
  /// Connected, non-blocking stream sockets in the order of their index, the greeting behind them. `eager`: whether
  /// post() sends what it can itself; of itself it does so with small pieces.
  TcpLink(std::vector<UniqueFd> connections, LinkNames names, Path eager = Path::automatic);

  void post(SendPiece& piece) override;
  void post(ReceivePiece& piece) override;
  Result<bool> progress() override;
  void wanted(std::vector<pollfd>& fds) const override;
  [[nodiscard]] std::string describe() const override { return names_.description; }
  void cancel() override;

 private:
  /// A header of which `have` bytes have come or gone.
  struct PartialHeader {
    Header header;
    std::size_t have = 0;
    [[nodiscard]] iovec rest() { return {reinterpret_cast<std::byte*>(&header) + have, sizeof header - have}; }
    [[nodiscard]] bool complete() const { return have == sizeof header; }
  };

  Result<bool> sendOn(std::size_t connection);
  Result<bool> receiveOn(std::size_t connection);
  Status checkHeader();
  [[nodiscard]] bool wantsToSend(std::size_t connection) const;
  [[nodiscard]] bool wantsToReceive(std::size_t connection) const;
  Result<bool> moveAll();
  Result<bool> fail(Error error);

  std::vector<UniqueFd> connections_;
  LinkNames names_;
  Path eager_;
  PieceQueue<SendPiece> outgoing_;
  PieceQueue<ReceivePiece> incoming_;
  PartialHeader outHeader_;
  PartialHeader inHeader_;    ///< the next to be checked, perhaps before its message has been asked for
  Status state_ = success();  ///< an error is final
};

}  // namespace atl::tcp

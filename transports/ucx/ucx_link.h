// SPDX-License-Identifier: Apache-2.0
// A message link over UCP active messages: wire.h says how messages travel, outgoing.h and incoming.h what each end
// does.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "transports/link.h"
#include "transports/ucx/endpoint.h"
#include "transports/ucx/incoming.h"
#include "transports/ucx/meeting.h"
#include "transports/ucx/outgoing.h"

namespace atl::ucx {

/// Whom a link joins, for errors and logs.
struct LinkNames {
  Rank me = 0;
  Rank peer = 0;
  std::string peerName;  ///< "rank 3 (host n07, pid 4711)"
};

class UcxLink : public MessageLink, private Addressee {
 public:
  UcxLink(std::shared_ptr<Worker> worker, LinkNames names);
  /// What was told to be done is with the peer, or on its way there.
  ~UcxLink() override;
  UcxLink(const UcxLink&) = delete;
  UcxLink& operator=(const UcxLink&) = delete;

  /// What the peer has to put into its headers for this end. Holds from the beginning: fragments may come before
  /// open().
  [[nodiscard]] std::uint32_t number() const { return number_; }
  /// Once: the address of the peer's worker, and its number of this link.
  Status open(std::span<const std::byte> peerAddress, std::uint32_t peerNumber);
  /// After that, before anything is posted, until it is true: never blocks.
  Result<bool> meet();

  void post(SendPiece& piece) override;
  void post(ReceivePiece& piece) override;
  Result<bool> progress() override;
  void wanted(std::vector<pollfd>& fds) const override;
  [[nodiscard]] std::size_t suitedPiece() const override { return kBlockBytes; }
  [[nodiscard]] std::string describe() const override;
  void cancel() override;

 private:
  /// What UCX's callbacks refer to. It outlives the link where UCX does not let go of it.
  struct Ends {
    Ends(Worker& worker, const LinkNames& names)
        : endpoint(worker), meeting(endpoint), out(endpoint), in(endpoint, names.me, names.peer) {}
    [[nodiscard]] bool atRest() {
      return endpoint.closed() && meeting.underWay() == 0 && out.underWay() == 0 && in.underWay() == 0;
    }
    Endpoint endpoint;
    Meeting meeting;
    Outgoing out;
    Incoming in;
  };

  bool onFragment(const FragmentHeader& header, void* data, std::size_t bytes, bool announced) override;
  void onCredit(const CreditHeader& credit) override;
  void onHello(HelloHeader::Word word) override;
  [[nodiscard]] bool idle() const { return ends_->out.pieces.empty() && ends_->in.pieces.empty(); }
  [[nodiscard]] bool isOver(bool moved);
  template <class Piece>
  bool retire(PieceList<Piece>& pieces);
  Result<bool> moveAll();
  Result<bool> fail(Error error);
  void shut();

  std::shared_ptr<Worker> worker_;
  LinkNames names_;
  std::shared_ptr<Ends> ends_;
  std::uint32_t number_;
  int roundsAfterFailure_ = 0;  ///< of the endpoint, in which something still moved
  Status state_ = success();    ///< an error is final
};

}  // namespace atl::ucx

// SPDX-License-Identifier: Apache-2.0
// A message link over a network plug-in of NCCL, by one connection each way: wire.h says how messages travel,
// outgoing.h and incoming.h what each end does.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "transports/link.h"
#include "transports/ncclnet/incoming.h"
#include "transports/ncclnet/outgoing.h"

namespace atl::ncclnet {

/// Whom a link joins, for errors and logs.
struct LinkNames {
  Rank me = 0;
  Rank peer = 0;
  std::string peerName;  ///< "rank 3 (host n07, pid 4711)"
};

class NcclNetLink : public MessageLink {
 public:
  NcclNetLink(std::shared_ptr<Context> context, std::unique_ptr<Comm> send, std::unique_ptr<Comm> receive,
              std::uint64_t blockBytes, LinkNames names);

  void post(SendPiece& piece) override;
  void post(ReceivePiece& piece) override;
  Result<bool> progress() override;
  void wanted(std::vector<pollfd>& fds) const override;
  [[nodiscard]] std::size_t suitedPiece() const override { return blockBytes_; }
  [[nodiscard]] std::string describe() const override;
  void cancel() override;

 private:
  [[nodiscard]] bool idle() const { return out_ == nullptr || (out_->pieces.empty() && in_->pieces.empty()); }
  Result<bool> moveAll();
  void fail(Error error);

  std::shared_ptr<Context> context_;
  std::uint64_t blockBytes_;
  LinkNames names_;
  std::unique_ptr<Outgoing> out_;  ///< null once it is cancelled
  std::unique_ptr<Incoming> in_;   ///< likewise
  Status state_ = success();       ///< an error is final
};

}  // namespace atl::ncclnet

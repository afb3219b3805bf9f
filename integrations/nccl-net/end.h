// SPDX-License-Identifier: Apache-2.0
// One side of a connection as NCCL holds it: a link of a transport of Atoll's, used in one direction. NCCL may use
// different connections from different threads, and register memory with one while another thread sends by it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "integrations/nccl-net/domain.h"
#include "integrations/nccl-net/wire.h"
#include "transports/declared_memory.h"
#include "transports/link.h"

namespace atl::netplugin {

class End;

/// What NCCL has asked for, until it has been told that it is done.
struct Request {
  End* owner = nullptr;  ///< null: the place is free
  Header header;
};

class End {
 public:
  virtual ~End();
  End(const End&) = delete;
  End& operator=(const End&) = delete;

  /// True when it is connected; never blocks. To be called until then.
  Result<bool> poll();

  /// Memory that will be sent from or received to; devices may be told of it.
  Declaration* declare(void* memory, std::size_t bytes);
  Status undeclare(Declaration* declaration);

  /// How many bytes it was, once it is done; the request is then free.
  virtual Result<std::optional<std::uint64_t>> test(Request& request) = 0;

 protected:
  End(std::shared_ptr<Domain> domain, Route route);

  /// Takes back what is under way and closes the connection: before the requests go.
  void close();
  [[nodiscard]] MessageLink& link() { return *link_; }
  [[nodiscard]] std::mutex& mutex() { return domain_->mutex; }

 private:
  std::shared_ptr<Domain> domain_;
  Rank peer_ = kNoRank;
  std::unique_ptr<PendingLink> pending_;
  std::unique_ptr<MessageLink> link_;
  std::mutex declarationsMutex_;
  std::map<Declaration*, std::unique_ptr<Declaration>> declarations_;
};

class SendEnd : public End {
 public:
  SendEnd(std::shared_ptr<Domain> domain, Route route) : End(std::move(domain), std::move(route)) {}
  ~SendEnd() override { close(); }

  /// Null: too many are under way.
  Request* send(const void* data, std::uint64_t bytes, int tag);
  Result<std::optional<std::uint64_t>> test(Request& request) override;

 private:
  struct Sending : Request {
    SendPiece head;
    SendPiece body;
    [[nodiscard]] bool done() const { return head.done && (header.bytes == 0 || body.done); }
  };
  std::array<Sending, ncclnet::kMostRequests> requests_;
};

class ReceiveEnd : public End {
 public:
  ReceiveEnd(std::shared_ptr<Domain> domain, Route route) : End(std::move(domain), std::move(route)) {}
  ~ReceiveEnd() override { close(); }

  /// Null: too many are under way.
  Result<Request*> receive(void* data, std::uint64_t room, int tag);
  Result<std::optional<std::uint64_t>> test(Request& request) override;

 private:
  struct Receiving : Request {
    void* data = nullptr;
    std::uint64_t room = 0;
    int tag = 0;
    bool opened = false;  ///< its header has come and was right, and the payload is asked for
    ReceivePiece head;
    ReceivePiece body;
    [[nodiscard]] bool done() const { return opened && (header.bytes == 0 || body.done); }
  };
  Status open();
  void askForHeader();

  // In the order in which NCCL asked: by turns, since the oldest is done first.
  std::array<Receiving, ncclnet::kMostRequests> requests_;
  std::uint64_t asked_ = 0;         ///< requests, ever
  std::uint64_t headersAsked_ = 0;  ///< of those, whose header is asked for
  std::uint64_t opened_ = 0;        ///< of those, which are open
  Status state_ = success();        ///< an error is final
};

}  // namespace atl::netplugin

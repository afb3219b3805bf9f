// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/switchboard.h"

#include <mutex>

#include "src/bootstrap/handshake.h"
#include "src/bootstrap/reception.h"
#include "src/bootstrap/service.h"
#include "src/bootstrap/stream_request.h"

namespace atl {
namespace {

/// Shared by the holder of the PendingStream and the service thread.
struct Exchange {
  std::mutex mutex;
  bool settled = false;
  UniqueFd fd;
  Error error;
  std::unique_ptr<StreamRequest> request;  ///< service thread only
  bool abandoned = false;                  ///< service thread only
};

class Pending final : public PendingStream {
 public:
  explicit Pending(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  ~Pending() override {
    Service::running().post([exchange = exchange_] {
      exchange->abandoned = true;
      exchange->request.reset();
    });
  }
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;

  Result<bool> poll() override {
    const std::lock_guard lock(exchange_->mutex);
    if (!exchange_->settled) return false;
    if (!exchange_->error.text.empty()) return exchange_->error;
    return true;
  }
  UniqueFd take() override {
    const std::lock_guard lock(exchange_->mutex);
    return std::move(exchange_->fd);
  }

 private:
  std::shared_ptr<Exchange> exchange_;
};

class Refused final : public PendingStream {
 public:
  explicit Refused(Error error) : error_(std::move(error)) {}
  Result<bool> poll() override { return error_; }
  UniqueFd take() override { return {}; }

 private:
  Error error_;
};

class ProcessSwitchboard final : public Switchboard {
 public:
  std::unique_ptr<PendingStream> open(const StreamKey& key, Rank me, const Directory& directory, Via via,
                                      Deadline deadline) override {
    if (key.lower < 0 || key.lower >= key.higher || key.higher >= directory.ranks() ||
        (me != key.lower && me != key.higher)) {
      return std::make_unique<Refused>(makeError(ErrorCode::internalError,
                                                 "rank {} asks for a stream between ranks {} and {} of {}", me,
                                                 key.lower, key.higher, directory.ranks()));
    }
    const auto service = Service::instance();
    if (!service.ok()) return std::make_unique<Refused>(service.error());
    auto exchange = std::make_shared<Exchange>();
    // The directory is the caller's and may be gone when the service thread begins: what is needed of it is copied
    // here.
    const ProcessInfo& peer = directory.process(me == key.lower ? key.higher : key.lower);
    (*service)->post([exchange, key, me, peer, secret = directory.secret, via, deadline] {
      if (!exchange->abandoned) exchange->request = begin(exchange, key, me, peer, secret, via, deadline);
    });
    return std::make_unique<Pending>(std::move(exchange));
  }

 private:
  static std::unique_ptr<StreamRequest> begin(const std::shared_ptr<Exchange>& exchange, const StreamKey& key, Rank me,
                                              const ProcessInfo& peer, const Secret& secret, Via via,
                                              Deadline deadline) {
    return std::make_unique<StreamRequest>(Service::running(), key, me, peer, secret, via, deadline,
                                           [exchange](Result<UniqueFd> result) {
                                             const std::lock_guard lock(exchange->mutex);
                                             exchange->settled = true;
                                             if (result.ok()) {
                                               exchange->fd = std::move(result).value();
                                             } else {
                                               exchange->error = std::move(result).error();
                                             }
                                           });
  }
};

}  // namespace

Switchboard& Switchboard::instance() {
  static auto* const switchboard =
      new ProcessSwitchboard();  // never destroyed: streams may be asked for until the very end
  return *switchboard;
}

}  // namespace atl

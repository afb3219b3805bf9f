// SPDX-License-Identifier: Apache-2.0
// A rank's UCP worker: what the links of one communicator share. They are used by one thread at a time, and so is it.
//
// Nothing moves but in progress(), which serves all of its links whichever asks for it. UCX has a thread of its own for
// what is not data: connections that come in, timers.
#pragma once

#include <poll.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "src/base/unique_fd.h"
#include "transports/ucx/context.h"
#include "transports/ucx/wire.h"

namespace atl::ucx {

/// What an active message's header names: one end of a link. Called within progress().
class Addressee {
 public:
  virtual ~Addressee() = default;
  /// A fragment: `data` is its payload, or what stands for it until it is received (`announced`). It is the
  /// addressee's until it gives it back by ucp_am_data_release or ucp_am_recv_data_nbx if this returns true.
  virtual bool onFragment(const FragmentHeader& header, void* data, std::size_t bytes, bool announced) = 0;
  virtual void onCredit(const CreditHeader& credit) = 0;
  virtual void onHello(HelloHeader::Word word) = 0;
};

class Worker {
 public:
  static Result<std::shared_ptr<Worker>> create();
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  [[nodiscard]] const Api& api() const { return context_->api(); }
  [[nodiscard]] ucp_worker_h handle() const { return handle_; }
  /// By which peers make endpoints to it.
  [[nodiscard]] const std::vector<std::byte>& address() const { return address_; }

  /// Gives the addressee a number, which no other has had before.
  std::uint32_t enrol(Addressee& addressee);
  /// What comes for that number from now on is dropped.
  void dismiss(std::uint32_t number);

  /// Moves what can move; true if anything did.
  bool progress();
  /// Adds what is readable when progress() has something to do.
  void wanted(std::vector<pollfd>& fds) const;

  /// Keeps what UCX may still refer to, until it cannot.
  void keep(std::shared_ptr<void> remains) { remains_.push_back(std::move(remains)); }

 private:
  explicit Worker(std::shared_ptr<Context> context) : context_(std::move(context)) {}
  Status open();
  Status listenTo(unsigned id, ucp_am_recv_callback_t callback);
  Addressee* find(std::uint32_t number) const;
  static ucs_status_t onFragment(void* self, const void* header, std::size_t headerBytes, void* data, std::size_t bytes,
                                 const ucp_am_recv_param_t* param);
  static ucs_status_t onCredit(void* self, const void* header, std::size_t headerBytes, void* data, std::size_t bytes,
                               const ucp_am_recv_param_t* param);

  static ucs_status_t onHello(void* self, const void* header, std::size_t headerBytes, void* data, std::size_t bytes,
                              const ucp_am_recv_param_t* param);

  std::shared_ptr<Context> context_;
  ucp_worker_h handle_ = nullptr;
  std::vector<std::byte> address_;
  int events_ = -1;                     ///< UCX's; readable after ucp_worker_arm when something has come
  UniqueFd atOnce_;                     ///< always readable: for waits that must not begin
  std::vector<Addressee*> addressees_;  ///< by number; null: dismissed
  std::vector<std::shared_ptr<void>> remains_;
};

}  // namespace atl::ucx

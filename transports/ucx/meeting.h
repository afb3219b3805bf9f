// SPDX-License-Identifier: Apache-2.0
// How two ends make sure that UCX has joined them, before either relies on it.
//
// UCX makes connections at the first message, and needs both ends' progress for that. Without this, a rank whose first
// call only sends would be held up by one that comes to it late. So each end says that it is here, in a message that
// leaves only when UCX has exchanged what it needs, and then that it is able; it goes on when it has heard the same of
// the other. What the other end needs of this one's progress is then over.
#pragma once

#include <array>

#include "transports/ucx/endpoint.h"

namespace atl::ucx {

class Meeting {
 public:
  explicit Meeting(Endpoint& endpoint) : endpoint_(endpoint) {}
  Meeting(const Meeting&) = delete;
  Meeting& operator=(const Meeting&) = delete;

  /// The number of this link at the peer, before the first advance().
  void addressTo(std::uint32_t link) { link_ = link; }
  /// What the peer has said.
  void hear(HelloHeader::Word word) { ableThere_ |= word == HelloHeader::Word::able; }
  /// To be called, with progress between, until it is true.
  bool advance();

  /// Words that UCX has not done with.
  [[nodiscard]] int underWay() const { return underWay_; }

 private:
  void say(HelloHeader::Word word);
  void failed(ucs_status_t status);
  static void onSaid(void* request, ucs_status_t status, void* self);

  Endpoint& endpoint_;
  std::uint32_t link_ = 0;
  std::array<HelloHeader, 2> words_;  ///< UCX reads them until they have left
  std::size_t said_ = 0;
  bool ableThere_ = false;
  bool refused_ = false;  ///< one of the words by UCX
  int underWay_ = 0;
};

}  // namespace atl::ucx

// SPDX-License-Identifier: Apache-2.0
#include "transports/rdma/lifeline.h"

#include <span>

namespace atl::rdma {

void Lifeline::greet(const Greeting& mine) {
  stream_.say(std::as_bytes(std::span(&mine, 1)));
}

Result<std::optional<Greeting>> Lifeline::hearGreeting() {
  ATOLL_ASSIGN(const bool heard, receive(&greeting_, sizeof greeting_));
  if (!heard) return std::optional<Greeting>();
  return std::optional(greeting_);
}

Status Lifeline::say(const Word& word) {
  if (ended_) return success();
  stream_.say(std::as_bytes(std::span(&word, 1)));
  ATOLL_TRY(stream_.flush());
  return success();
}

Result<std::optional<Word>> Lifeline::hear() {
  ATOLL_ASSIGN(const bool heard, receive(&word_, sizeof word_));
  if (!heard) return std::optional<Word>();
  return std::optional(word_);
}

Result<bool> Lifeline::receive(void* to, std::size_t bytes) {
  if (ended_) return false;
  ATOLL_TRY(stream_.flush());
  ATOLL_ASSIGN(const bool complete, stream_.hear(to, bytes, have_));
  if (complete) have_ = 0;
  ended_ = stream_.ended();
  return complete;
}

}  // namespace atl::rdma

// SPDX-License-Identifier: Apache-2.0
// The stream that stays open beside a link's queue pairs: greetings, then words about paths and keys. It goes by
// another way than they do, mostly, and its end says that the peer has left.
#pragma once

#include <cstddef>
#include <optional>

#include "transports/greeting_stream.h"
#include "transports/rdma/wire.h"

namespace atl::rdma {

class Lifeline {
 public:
  Lifeline() = default;
  /// A connected, non-blocking stream socket.
  explicit Lifeline(UniqueFd socket) : stream_(std::move(socket)) {}

  [[nodiscard]] int descriptor() const { return stream_.descriptor(); }
  /// True once the peer has closed its end.
  [[nodiscard]] bool ended() const { return ended_; }

  void greet(const Greeting& mine);
  /// The peer's, when it is here.
  Result<std::optional<Greeting>> hearGreeting();

  /// What cannot leave at once leaves with the next call of any of these.
  Status say(const Word& word);
  /// The next that has come; nothing if there is none, or the peer has left.
  Result<std::optional<Word>> hear();

 private:
  Result<bool> receive(void* to, std::size_t bytes);

  GreetingStream stream_{UniqueFd()};
  std::size_t have_ = 0;  ///< bytes of what comes
  Greeting greeting_;
  Word word_;
  bool ended_ = false;
};

}  // namespace atl::rdma

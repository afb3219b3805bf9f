// SPDX-License-Identifier: Apache-2.0
// Three ranks: rank 1 takes what rank 0 sent it only after it has heard from rank 2, which hears from rank 0 last. With
// as many messages to rank 1 as rank 0 has bounce slots, nothing is left for rank 2 but what needs none. The argument
// is the size of a message in bytes. Prints "rank R of N ok".
#include <algorithm>
#include <vector>

#include "tests/processes/check.h"

namespace {

using atl::test::require;

constexpr int kAhead = 2;  ///< the least number of bounce slots there can be

struct Rank {
  atollComm_t comm = nullptr;
  int me = 0;
  std::size_t bytes = 0;

  void send(int peer, unsigned char value) const {
    const std::vector<unsigned char> data(bytes, value);
    require(atollSend(data.data(), bytes, atollUint8, peer, comm, nullptr), "send", me, comm);
  }
  void receive(int peer, unsigned char value) const {
    std::vector<unsigned char> data(bytes);
    require(atollRecv(data.data(), bytes, atollUint8, peer, comm, nullptr), "receive", me, comm);
    if (std::ranges::count(data, value) == static_cast<std::ptrdiff_t>(bytes)) return;
    std::fprintf(stderr, "rank %d: a message of rank %d is not what it sent\n", me, peer);
    std::exit(EXIT_FAILURE);
  }
};

}  // namespace

int main(int argc, char** argv) {
  Rank rank;
  rank.bytes = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 8192;
  require(atollCommInitEnv(&rank.comm, nullptr), "init", -1);
  require(atollCommUserRank(rank.comm, &rank.me), "rank", -1, rank.comm);
  // Links first: this is about slots.
  require(atollBarrier(rank.comm, nullptr), "barrier", rank.me, rank.comm);
  if (rank.me == 0) {
    for (int i = 0; i < kAhead; ++i) rank.send(1, static_cast<unsigned char>(10 + i));
    rank.send(2, 20);
  } else if (rank.me == 1) {
    rank.receive(2, 30);
    for (int i = 0; i < kAhead; ++i) rank.receive(0, static_cast<unsigned char>(10 + i));
  } else {
    rank.receive(0, 20);
    rank.send(1, 30);
  }
  std::printf("rank %d of 3 ok\n", rank.me);
  std::fflush(stdout);
  require(atollCommDestroy(rank.comm), "destroy", rank.me);
  return 0;
}

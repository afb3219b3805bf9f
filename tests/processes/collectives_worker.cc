// SPDX-License-Identifier: Apache-2.0
// One rank of a job that runs every collective on small whole numbers and checks each element. Prints "rank R of N ok".
// Arguments are the counts to run them with, instead of those of kCounts.
#include <cstdint>
#include <functional>
#include <vector>

#include "tests/processes/check.h"

namespace {

using atl::test::require;

constexpr std::size_t kCounts[] = {0, 1, 7, 1000, 100003};

int rank = 0;
int ranks = 0;
atollComm_t comm = nullptr;

std::size_t at(int r) {
  return static_cast<std::size_t>(r);
}

/// Element i of rank r's input; sums over 1000 ranks stay exact.
std::int32_t element(int r, std::size_t i) {
  return static_cast<std::int32_t>((static_cast<std::size_t>(r) * 31 + i * 7 + 3) % 1000);
}

std::vector<std::int32_t> inputOf(int r, std::size_t count) {
  std::vector<std::int32_t> data(count);
  for (std::size_t i = 0; i < count; ++i) data[i] = element(r, i);
  return data;
}

std::int32_t sumAt(std::size_t i) {
  std::int32_t sum = 0;
  for (int r = 0; r < ranks; ++r) sum += element(r, i);
  return sum;
}

void expect(const char* call, const std::vector<std::int32_t>& got,
            const std::function<std::int32_t(std::size_t)>& wanted) {
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (got[i] == wanted(i)) continue;
    std::fprintf(stderr, "rank %d: %s of %zu: element %zu is %d, wanted %d\n", rank, call, got.size(), i, got[i],
                 wanted(i));
    std::exit(EXIT_FAILURE);
  }
}

void reducing(std::size_t count) {
  const auto mine = inputOf(rank, count);
  std::vector<std::int32_t> out(count, -1);
  require(atollAllReduce(mine.data(), out.data(), count, atollInt32, atollSum, comm, nullptr), "allreduce", rank, comm);
  expect("allreduce", out, sumAt);

  auto inPlace = mine;
  require(atollAllReduce(inPlace.data(), inPlace.data(), count, atollInt32, atollMax, comm, nullptr), "allreduce", rank,
          comm);
  expect("allreduce max", inPlace, [](std::size_t i) {
    std::int32_t most = 0;
    for (int r = 0; r < ranks; ++r) most = std::max(most, element(r, i));
    return most;
  });

  const int root = ranks - 1;
  out.assign(rank == root ? count : 0, -1);
  require(atollReduce(mine.data(), out.data(), count, atollInt32, atollSum, root, comm, nullptr), "reduce", rank, comm);
  expect("reduce", out, sumAt);

  const auto blocks = inputOf(rank, count * at(ranks));
  out.assign(count, -1);
  require(atollReduceScatter(blocks.data(), out.data(), count, atollInt32, atollSum, comm, nullptr), "reduce-scatter",
          rank, comm);
  expect("reduce-scatter", out, [&](std::size_t i) { return sumAt(at(rank) * count + i); });
}

void moving(std::size_t count) {
  const auto mine = inputOf(rank, count);
  for (int root = 0; root < ranks; ++root) {
    auto data = rank == root ? mine : std::vector<std::int32_t>(count, -1);
    require(atollBroadcast(data.data(), data.data(), count, atollInt32, root, comm, nullptr), "broadcast", rank, comm);
    expect("broadcast", data, [&](std::size_t i) { return element(root, i); });
  }

  std::vector<std::int32_t> all(count * at(ranks), -1);
  const auto ofBlock = [&](std::size_t i) { return element(static_cast<int>(i / count), i % count); };
  require(atollAllGather(mine.data(), all.data(), count, atollInt32, comm, nullptr), "all-gather", rank, comm);
  expect("all-gather", all, ofBlock);

  std::vector<std::int32_t> gathered(rank == 0 ? count * at(ranks) : 0, -1);
  require(atollGather(mine.data(), gathered.data(), count, atollInt32, 0, comm, nullptr), "gather", rank, comm);
  expect("gather", gathered, ofBlock);

  const auto toAll = inputOf(rank, count * at(ranks));
  std::vector<std::int32_t> part(count, -1);
  require(atollScatter(toAll.data(), part.data(), count, atollInt32, 0, comm, nullptr), "scatter", rank, comm);
  expect("scatter", part, [&](std::size_t i) { return element(0, at(rank) * count + i); });

  all.assign(all.size(), -1);
  require(atollAllToAll(toAll.data(), all.data(), count, atollInt32, comm, nullptr), "all-to-all", rank, comm);
  expect("all-to-all", all,
         [&](std::size_t i) { return element(static_cast<int>(i / count), at(rank) * count + i % count); });
}

void pointToPoint(std::size_t count) {
  const int next = (rank + 1) % ranks;
  const int previous = (rank + ranks - 1) % ranks;
  const auto mine = inputOf(rank, count);
  std::vector<std::int32_t> got(count, -1);
  require(atollGroupStart(), "group start", rank, comm);
  require(atollSend(mine.data(), count, atollInt32, next, comm, nullptr), "send", rank, comm);
  require(atollRecv(got.data(), count, atollInt32, previous, comm, nullptr), "receive", rank, comm);
  require(atollGroupEnd(), "group end", rank, comm);
  expect("receive", got, [&](std::size_t i) { return element(previous, i); });
}

void halves() {
  atollComm_t half = nullptr;
  require(atollCommSplit(comm, rank % 2, rank, &half, nullptr), "split", rank, comm);
  int members = 0;
  require(atollCommCount(half, &members), "count", rank, half);
  std::int32_t one = 1;
  require(atollAllReduce(&one, &one, 1, atollInt32, atollSum, half, nullptr), "allreduce of a half", rank, half);
  if (one != members) {
    std::fprintf(stderr, "rank %d: its half has %d members and the sum is %d\n", rank, members, one);
    std::exit(EXIT_FAILURE);
  }
  require(atollCommDestroy(half), "destroy the half", rank);
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::size_t> counts(std::begin(kCounts), std::end(kCounts));
  if (argc > 1) counts.clear();
  for (int i = 1; i < argc; ++i) counts.push_back(std::strtoull(argv[i], nullptr, 10));
  require(atollCommInitEnv(&comm, nullptr), "init", -1);
  require(atollCommUserRank(comm, &rank), "rank", -1, comm);
  require(atollCommCount(comm, &ranks), "count", rank, comm);
  for (const std::size_t count : counts) {
    reducing(count);
    moving(count);
    pointToPoint(count);
    require(atollBarrier(comm, nullptr), "barrier", rank, comm);
  }
  halves();
  require(atollCommDestroy(comm), "destroy", rank);
  std::printf("rank %d of %d ok\n", rank, ranks);
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "bench/gpu/correctness.h"

#include <fmt/format.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <vector>

#include "bench/gpu/rank_team.h"

namespace gpucheck {
namespace {

constexpr int kTypes = 12;
constexpr atollRedOp_t kOps[] = {atollSum, atollProd, atollMax, atollMin, atollAvg};
constexpr const char* kTypeNames[kTypes] = {"int8", "uint8", "int32",  "uint32",   "int64",  "uint64",
                                            "half", "float", "double", "bfloat16", "f8e4m3", "f8e5m2"};
constexpr const char* kOpNames[] = {"sum", "prod", "max", "min", "avg"};
constexpr std::size_t kCounts[] = {1, 1031, 300'000};

std::size_t sizeOf(int type) {
  constexpr std::size_t kSizes[kTypes] = {1, 1, 4, 4, 8, 8, 2, 4, 8, 2, 1, 1};
  return kSizes[type];
}

/// Bits of 1 and of 2, which every type holds exactly; so it holds products of a few and, for the maximum, both.
std::uint64_t bitsOf(int type, int value) {
  switch (type) {
    case atollFloat16: return value == 1 ? 0x3c00 : 0x4000;
    case atollFloat32: return value == 1 ? 0x3f800000 : 0x40000000;
    case atollFloat64: return value == 1 ? 0x3ff0000000000000 : 0x4000000000000000;
    case atollBfloat16: return value == 1 ? 0x3f80 : 0x4000;
    case atollFloat8e4m3: return value == 1 ? 0x38 : 0x40;
    case atollFloat8e5m2: return value == 1 ? 0x3c : 0x40;
    default: return static_cast<std::uint64_t>(value);
  }
}

std::vector<std::byte> filled(int type, std::size_t count, const auto& valueAt) {
  std::vector<std::byte> data(count * sizeOf(type));
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t bits = bitsOf(type, valueAt(i));
    std::memcpy(data.data() + i * sizeOf(type), &bits, sizeOf(type));
  }
  return data;
}

/// Two ranks at most contribute something but the neutral value, so that the result is 1 or 2 in every type.
struct Reduction {
  atollRedOp_t op;
  int ranks;
  [[nodiscard]] int contribution(int rank, std::size_t i) const {
    if (op == atollAvg) return 1 + static_cast<int>(i % 2);
    if (op == atollSum) return 0;  // see sums below
    const bool mine = static_cast<int>(i % static_cast<std::size_t>(ranks)) == rank;
    if (op == atollMin) return mine ? 1 : 2;
    return mine ? 2 : 1;
  }
  [[nodiscard]] int expected(std::size_t i) const {
    if (op == atollAvg) return 1 + static_cast<int>(i % 2);
    if (op == atollMin) return 1;
    return 2;
  }
};

bool matches(const Rank& rank, const Buffer& buffer, const std::vector<std::byte>& want) {
  std::vector<std::byte> got(want.size());
  rank.finish();
  need(cudaMemcpy(got.data(), buffer.data(), got.size(), cudaMemcpyDeviceToHost), "cudaMemcpy");
  return got == want;
}

void put(const Buffer& buffer, const std::vector<std::byte>& data) {
  need(cudaMemcpy(buffer.data(), data.data(), data.size(), cudaMemcpyHostToDevice), "cudaMemcpy");
}

/// All-reduces of a type by every operator; wrong ones.
int reduceAll(const Rank& rank, int type) {
  int wrong = 0;
  for (const std::size_t count : kCounts) {
    const Buffer send(count * sizeOf(type));
    const Buffer recv(count * sizeOf(type));
    for (const atollRedOp_t op : kOps) {
      const Reduction reduction{op, rank.ranks};
      // Sums: 1 of the rank whose turn it is and 0 of the others, so 1.
      const auto input = op == atollSum
                             ? filled(type, count, [](std::size_t) { return 1; })
                             : filled(type, count, [&](std::size_t i) { return reduction.contribution(rank.rank, i); });
      auto data = input;
      auto want = filled(type, count, [&](std::size_t i) { return op == atollSum ? 1 : reduction.expected(i); });
      if (op == atollSum) {
        for (std::size_t i = 0; i < count; ++i) {
          if (static_cast<int>(i % static_cast<std::size_t>(rank.ranks)) != rank.rank) {
            std::memset(data.data() + i * sizeOf(type), 0, sizeOf(type));
          }
        }
      }
      put(send, data);
      need(atollAllReduce(send.data(), recv.data(), count, static_cast<atollDataType_t>(type), op, rank.comm,
                          rank.atolls()),
           "atollAllReduce");
      wrong += matches(rank, recv, want) ? 0 : 1;
    }
  }
  return wrong;
}

std::vector<std::byte> numbers(std::size_t count, const auto& valueAt) {
  std::vector<std::byte> data(count * sizeof(int));
  for (std::size_t i = 0; i < count; ++i) {
    const int value = valueAt(i);
    std::memcpy(data.data() + i * sizeof value, &value, sizeof value);
  }
  return data;
}

/// What rank `from` has at element i of its block for rank `to`.
int element(int from, int to, std::size_t i) {
  return from * 1'000'003 + to * 1009 + static_cast<int>(i % 997);
}

/// The collectives that only move data; wrong ones.
int moveAll(const Rank& rank) {
  int wrong = 0;
  const auto n = static_cast<std::size_t>(rank.ranks);
  for (const std::size_t count : kCounts) {
    const Buffer send(n * count * sizeof(int));
    const Buffer recv(n * count * sizeof(int));
    const auto blockOf = [&](std::size_t i) { return static_cast<int>(i / count); };
    put(send, numbers(n * count, [&](std::size_t i) { return element(rank.rank, blockOf(i), i % count); }));
    need(atollAllGather(send.data(), recv.data(), count, atollInt, rank.comm, rank.atolls()), "atollAllGather");
    wrong += matches(rank, recv, numbers(n * count, [&](std::size_t i) { return element(blockOf(i), 0, i % count); }))
                 ? 0
                 : 1;
    need(atollAllToAll(send.data(), recv.data(), count, atollInt, rank.comm, rank.atolls()), "atollAllToAll");
    const auto exchanged = numbers(n * count, [&](std::size_t i) { return element(blockOf(i), rank.rank, i % count); });
    wrong += matches(rank, recv, exchanged) ? 0 : 1;
    put(recv, numbers(n * count, [](std::size_t) { return -1; }));
    need(atollGroupStart(), "atollGroupStart");
    for (int peer = 0; peer < rank.ranks; ++peer) {
      const std::size_t at = static_cast<std::size_t>(peer) * count;
      need(atollSend(static_cast<int*>(send.data()) + at, count, atollInt, peer, rank.comm, rank.atolls()),
           "atollSend");
      need(atollRecv(static_cast<int*>(recv.data()) + at, count, atollInt, peer, rank.comm, rank.atolls()),
           "atollRecv");
    }
    need(atollGroupEnd(), "atollGroupEnd");
    wrong += matches(rank, recv, exchanged) ? 0 : 1;
    need(atollBroadcast(send.data(), recv.data(), count, atollInt, rank.ranks - 1, rank.comm, rank.atolls()),
         "atollBroadcast");
    rank.finish();
    std::vector<std::byte> got(count * sizeof(int));
    need(cudaMemcpy(got.data(), recv.data(), got.size(), cudaMemcpyDeviceToHost), "cudaMemcpy");
    wrong += got == numbers(count, [&](std::size_t i) { return element(rank.ranks - 1, 0, i); }) ? 0 : 1;
  }
  return wrong;
}

}  // namespace

int checkResults(int devices, bool quick) {
  int allWrong = 0;
  for (const int ranks : quick ? std::vector<int>{2, 3} : std::vector<int>{1, 2, 3, 4, 8}) {
    std::vector<std::atomic<int>> wrong(kTypes + 1);
    onRanks(ranks, devices, [&](const Rank& rank) {
      for (int type = 0; type < kTypes; ++type) wrong[static_cast<std::size_t>(type)] += reduceAll(rank, type);
      wrong[kTypes] += moveAll(rank);
    });
    for (std::size_t i = 0; i < wrong.size(); ++i) {
      const std::string what = i < kTypes
                                   ? fmt::format("all-reduce of {} by {} operators", kTypeNames[i], std::size(kOpNames))
                                   : "all-gather, all-to-all, sends and receives, broadcast";
      std::cout << fmt::format("{} ranks, {}: {}\n", ranks, what,
                               wrong[i] == 0 ? "right" : fmt::format("{} WRONG", wrong[i].load()));
      allWrong += wrong[i];
    }
  }
  return allWrong;
}

}  // namespace gpucheck

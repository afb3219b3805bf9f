// SPDX-License-Identifier: Apache-2.0
// The descriptions of the collectives, against what the collectives mean.
#include "bench/perf/collectives/collectives.h"

#include <gtest/gtest.h>

#include <map>
#include <ostream>
#include <set>

namespace atl::perf {

void PrintTo(const Collective* collective, std::ostream* out) {
  *out << collective->program;
}

namespace {

class Description : public testing::TestWithParam<const Collective*> {
 protected:
  /// Calls body(jobs of all ranks) for many shapes.
  template <class Body>
  void forShapes(Body&& body) const {
    const Collective& c = *GetParam();
    for (int ranks = 1; ranks <= 9; ++ranks) {
      if (c.refuses != nullptr && !c.refuses(ranks).empty()) continue;
      for (const std::size_t elements : {std::size_t{0}, std::size_t{1}, std::size_t{97}, std::size_t{5040}}) {
        for (const int root : {0, ranks - 1}) {
          std::vector<Job> jobs;
          for (int rank = 0; rank < ranks; ++rank) jobs.push_back({c.countFor(elements, ranks), rank, ranks, root});
          body(jobs, elements);
        }
      }
    }
  }
};

TEST_P(Description, Size_IsTheLargestBufferAndNotAboveTheNominalOne) {
  const Collective& c = *GetParam();
  forShapes([&](const std::vector<Job>& jobs, std::size_t elements) {
    const std::size_t size = c.sizeOf(jobs[0].count, jobs[0].ranks);
    EXPECT_LE(size, elements);
    std::size_t largest = 0;
    for (const Job& job : jobs) largest = std::max({largest, extentOf(c.input(job)), extentOf(c.output(job))});
    EXPECT_EQ(largest, size);
  });
}

TEST_P(Description, NominalSizeThatDivides_IsUsedWhole) {
  const Collective& c = *GetParam();
  if (c.program == "barrier_perf") {
    EXPECT_EQ(c.countFor(100, 4), 0u);  // a barrier has no data
    return;
  }
  const std::size_t elements = 2 * 2520;  // of all ranks up to 8, and of alltoallv's units for 1 to 5 ranks
  for (const int ranks : {1, 2, 4}) EXPECT_EQ(c.sizeOf(c.countFor(elements, ranks), ranks), elements);
}

TEST_P(Description, EveryMessageReceived_IsSentByOneRankInTheSameLength) {
  const Collective& c = *GetParam();
  forShapes([&](const std::vector<Job>& jobs, std::size_t) {
    std::map<std::uint64_t, std::size_t> sent;
    for (const Job& job : jobs) {
      for (const Piece& piece : c.input(job)) {
        if (piece.content.kind != Content::Kind::message) continue;
        EXPECT_TRUE(sent.emplace(piece.content.key, piece.count).second)
            << "message " << piece.content.key << " sent twice";
      }
    }
    for (const Job& job : jobs) {
      for (const Piece& piece : c.output(job)) {
        if (piece.content.kind != Content::Kind::message) continue;
        ASSERT_TRUE(sent.contains(piece.content.key));
        EXPECT_EQ(sent[piece.content.key], piece.count);
      }
    }
  });
}

TEST_P(Description, EveryMessageSent_IsReceivedSomewhere) {
  const Collective& c = *GetParam();
  forShapes([&](const std::vector<Job>& jobs, std::size_t) {
    std::set<std::uint64_t> received;
    for (const Job& job : jobs) {
      for (const Piece& piece : c.output(job)) received.insert(piece.content.key);
    }
    for (const Job& job : jobs) {
      for (const Piece& piece : c.input(job)) {
        EXPECT_TRUE(piece.content.kind != Content::Kind::message || received.contains(piece.content.key));
      }
    }
  });
}

TEST_P(Description, Reductions_AreOfEveryRanksOwnContribution) {
  const Collective& c = *GetParam();
  if (!c.reduces) {
    forShapes([&](const std::vector<Job>& jobs, std::size_t) {
      for (const Job& job : jobs) {
        for (const Piece& piece : c.output(job)) EXPECT_EQ(piece.content.kind, Content::Kind::message);
      }
    });
    return;
  }
  forShapes([&](const std::vector<Job>& jobs, std::size_t) {
    for (const Job& job : jobs) {
      ASSERT_EQ(c.input(job).size(), 1u);
      EXPECT_EQ(c.input(job)[0].content.kind, Content::Kind::contribution);
      EXPECT_EQ(c.input(job)[0].content.key, static_cast<std::uint64_t>(job.rank));
      for (const Piece& piece : c.output(job)) EXPECT_EQ(piece.content.kind, Content::Kind::reduction);
    }
  });
}

TEST_P(Description, PiecesOfABuffer_DoNotOverlap) {
  const Collective& c = *GetParam();
  forShapes([&](const std::vector<Job>& jobs, std::size_t) {
    for (const Job& job : jobs) {
      for (const Layout& layout : {c.input(job), c.output(job)}) {
        std::size_t end = 0;
        for (const Piece& piece : layout) {
          EXPECT_GE(piece.offset, end);
          end = piece.offset + piece.count;
        }
      }
    }
  });
}

TEST_P(Description, InPlace_FitsInTheLargerBuffer) {
  const Collective& c = *GetParam();
  if (c.inPlace == nullptr) {
    EXPECT_TRUE(c.program == "alltoall_perf" || c.program == "alltoallv_perf" || c.program == "sendrecv_perf" ||
                c.program == "barrier_perf");
    return;
  }
  forShapes([&](const std::vector<Job>& jobs, std::size_t) {
    for (const Job& job : jobs) {
      const InPlace at = c.inPlace(job);
      const std::size_t sent = extentOf(c.input(job));
      const std::size_t received = extentOf(c.output(job));
      EXPECT_LE(at.sendOffset + sent, std::max(sent, received));
      EXPECT_LE(at.recvOffset + received, std::max(sent, received));
    }
  });
}

TEST_P(Description, InPlace_WhatStaysWhereItIsNeedsNoMove) {
  const Collective& c = *GetParam();
  if (c.inPlace == nullptr) return;
  forShapes([&](const std::vector<Job>& jobs, std::size_t) {
    for (const Job& job : jobs) {
      const InPlace at = c.inPlace(job);
      std::map<std::uint64_t, std::size_t> placed;
      for (const Piece& piece : c.input(job)) {
        if (piece.content.kind == Content::Kind::message) placed[piece.content.key] = at.sendOffset + piece.offset;
      }
      for (const Piece& piece : c.output(job)) {
        const auto stays = placed.find(piece.content.key);
        EXPECT_TRUE(stays == placed.end() || stays->second == at.recvOffset + piece.offset);
      }
    }
  });
}

TEST_P(Description, BusFactor_IsTheDocumentedOne) {
  const Collective& c = *GetParam();
  const std::map<std::string_view, double> ofFour = {
      {"all_reduce_perf", 1.5}, {"all_gather_perf", 0.75}, {"broadcast_perf", 1.0},  {"reduce_scatter_perf", 0.75},
      {"reduce_perf", 1.0},     {"alltoall_perf", 0.75},   {"alltoallv_perf", 0.75}, {"scatter_perf", 0.75},
      {"gather_perf", 0.75},    {"sendrecv_perf", 1.0},    {"hypercube_perf", 0.75}, {"barrier_perf", 1.0}};
  EXPECT_DOUBLE_EQ(c.busFactor(4), ofFour.at(c.program));
}

INSTANTIATE_TEST_SUITE_P(All, Description,
                         testing::Values(&allReduce(), &allGather(), &broadcast(), &reduceScatter(), &reduce(),
                                         &allToAll(), &allToAllV(), &scatter(), &gather(), &sendRecv(), &hypercube(),
                                         &barrier()),
                         [](const auto& instance) { return std::string(instance.param->program); });

TEST(AllToAllV, Blocks_AreUnequalAndEveryRankMovesTheSame) {
  const Collective& c = allToAllV();
  const Job job{c.countFor(1000, 4), 1, 4, 0};
  std::set<std::size_t> lengths;
  std::size_t sent = 0;
  for (const Piece& piece : c.input(job)) {
    lengths.insert(piece.count);
    sent += piece.count;
  }
  EXPECT_EQ(lengths.size(), 4u);
  EXPECT_EQ(sent, 1000u);
  EXPECT_EQ(extentOf(c.output(job)), 1000u);
}

TEST(Hypercube, RanksThatAreNoPowerOfTwo_AreRefused) {
  EXPECT_FALSE(hypercube().refuses(3).empty());
  EXPECT_TRUE(hypercube().refuses(8).empty());
  EXPECT_EQ(hypercube().rounds(8), 4);
}

}  // namespace
}  // namespace atl::perf

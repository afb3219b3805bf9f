// SPDX-License-Identifier: Apache-2.0
#include "bench/gpu/timing.h"

#include <fmt/format.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <iostream>
#include <vector>

#include "bench/gpu/rank_team.h"

namespace gpucheck {
namespace {

constexpr int kTurns = 7;

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// Seconds of one of `calls` calls, the median of kTurns turns, by the clock of the host from before the first call to
/// after the last.
template <class Call>
double secondsOf(int calls, cudaStream_t stream, const Call& call) {
  std::vector<double> times;
  for (int turn = 0; turn < kTurns + 1; ++turn) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < calls; ++i) call();
    need(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
    if (turn > 0) times.push_back(passed.count() / calls);
  }
  return median(std::move(times));
}

/// Bytes a second that a copy within the device moves, reading and writing.
double copyRate() {
  constexpr std::size_t kBytes = std::size_t{1} << 28;
  const Buffer from(kBytes);
  const Buffer to(kBytes);
  const double seconds = secondsOf(10, nullptr, [&] {
    need(cudaMemcpyAsync(to.data(), from.data(), kBytes, cudaMemcpyDeviceToDevice, nullptr), "cudaMemcpyAsync");
  });
  return 2.0 * kBytes / seconds;
}

struct Row {
  std::size_t bytes = 0;
  double launched = 0;
  double replayed = 0;
};

std::vector<Row> allReduceTimes(int ranks, int devices) {
  std::vector<Row> rows;
  for (std::size_t bytes = 8; bytes <= std::size_t{1} << 30; bytes *= 8) rows.push_back({bytes});
  std::barrier together(ranks);
  onRanks(ranks, devices, [&](const Rank& rank) {
    const Buffer send(rows.back().bytes);
    const Buffer recv(rows.back().bytes);
    for (Row& row : rows) {
      const int calls = row.bytes >= std::size_t{1} << 26 ? 5 : 50;
      const auto call = [&] {
        need(atollAllReduce(send.data(), recv.data(), row.bytes / sizeof(float), atollFloat, atollSum, rank.comm,
                            rank.atolls()),
             "atollAllReduce");
      };
      call();
      rank.finish();
      together.arrive_and_wait();
      const double launched = secondsOf(calls, rank.stream, call);
      cudaGraph_t graph = nullptr;
      cudaGraphExec_t executable = nullptr;
      need(cudaStreamBeginCapture(rank.stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
      for (int i = 0; i < calls; ++i) call();
      need(cudaStreamEndCapture(rank.stream, &graph), "cudaStreamEndCapture");
      need(cudaGraphInstantiate(&executable, graph, 0), "cudaGraphInstantiate");
      together.arrive_and_wait();
      const double replayed =
          secondsOf(1, rank.stream, [&] { need(cudaGraphLaunch(executable, rank.stream), "cudaGraphLaunch"); }) / calls;
      rank.finish();
      if (rank.rank == 0) {
        row.launched = launched;
        row.replayed = replayed;
      }
      need(cudaGraphExecDestroy(executable), "cudaGraphExecDestroy");
      need(cudaGraphDestroy(graph), "cudaGraphDestroy");
      together.arrive_and_wait();
    }
  });
  return rows;
}

}  // namespace

void printTimes(int devices) {
  double slowest = 0;
  for (int device = 0; device < devices; ++device) {
    need(cudaSetDevice(device), "cudaSetDevice");
    const double rate = copyRate();
    slowest = device == 0 ? rate : std::min(slowest, rate);
    std::cout << fmt::format("device {}: copies move {:.0f} GB/s, read and written\n", device, rate / 1e9);
  }
  // On one device every rank's input is read once and every output written once, at the least.
  for (const int ranks : {1, 2, 4, 8}) {
    const int sharing = (ranks + devices - 1) / devices;
    std::cout << fmt::format("\nall-reduce, float, {} ranks on {} devices\n{:>12} {:>12} {:>12} {:>12} {:>10}\n", ranks,
                             std::min(ranks, devices), "bytes", "launched us", "replayed us", "busbw GB/s",
                             "of copies");
    for (const Row& row : allReduceTimes(ranks, devices)) {
      const double bytes = static_cast<double>(row.bytes);
      const double best = std::min(row.launched, row.replayed);
      std::cout << fmt::format("{:>12} {:>12.2f} {:>12.2f} {:>12.2f} {:>9.0f}%\n", row.bytes, row.launched * 1e6,
                               row.replayed * 1e6, bytes / best * 2 * (ranks - 1) / ranks / 1e9,
                               100 * 2 * bytes * sharing / best / slowest);
    }
  }
}

}  // namespace gpucheck

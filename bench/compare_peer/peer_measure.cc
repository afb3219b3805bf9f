// SPDX-License-Identifier: Apache-2.0
#include "bench/compare_peer/peer_measure.h"

#include <algorithm>
#include <numeric>

#include "src/base/clock.h"

namespace atl::perf {

PeerMeasuring::PeerMeasuring(Peer& peer, const PeerCollective& collective, const Options& options, const Buffer& send,
                             const Buffer& recv, std::size_t count, bool inPlace)
    : peer_(peer),
      collective_(collective),
      options_(options),
      send_(send),
      recv_(recv),
      inPlace_(inPlace),
      type_(options.types.front()) {
  job_.count = count;
  job_.root = options.root;
  job_.rank = peer.rank();
  job_.ranks = peer.ranks();
  const Collective& c = *collective.description;
  input_ = c.input(job_);
  output_ = c.output(job_);
  const std::size_t elementBytes = atl::sizeOf(type_);
  sendBytes_ = extentOf(input_) * elementBytes;
  recvBytes_ = extentOf(output_) * elementBytes;
  if (inPlace) offsets_ = c.inPlace(job_);
  commonBytes_ =
      std::max(offsets_.sendOffset * elementBytes + sendBytes_, offsets_.recvOffset * elementBytes + recvBytes_);
}

Result<PeerIssue> PeerMeasuring::bind() const {
  PeerCall call;
  call.count = job_.count;
  call.type = type_;
  if (collective_.description->reduces) call.reduction = options_.reductions.front();
  call.root = job_.root;
  call.inPlace = inPlace_;
  return peer_.bind(collective_.name, call);
}

PeerMeasuring::Place PeerMeasuring::placeOf(std::size_t position) const {
  if (!inPlace_) return {send_.position(position, sendBytes_), recv_.position(position, recvBytes_)};
  const Buffer& common = send_.capacity() > recv_.capacity() ? send_ : recv_;
  std::byte* const region = common.position(position, commonBytes_);
  const std::size_t elementBytes = atl::sizeOf(type_);
  return {region + offsets_.sendOffset * elementBytes, region + offsets_.recvOffset * elementBytes};
}

Status PeerMeasuring::issue(const PeerIssue& call, int iteration) const {
  const Place place = placeOf(options_.positionOf(iteration));
  return call(place.send, place.recv);
}

Result<std::vector<double>> PeerMeasuring::timeIterations(const PeerIssue& call) const {
  std::vector<double> samples;
  double total = 0;
  if (options_.timesIterations()) {
    for (int i = 0; i < options_.iterations; ++i) {
      if (options_.alignIterations) ATOLL_TRY(peer_.barrier());
      const auto start = Clock::now();
      ATOLL_TRY(issue(call, options_.warmup + i));
      samples.push_back(seconds(Clock::now() - start));
    }
    total = std::accumulate(samples.begin(), samples.end(), 0.0);
  } else {
    const auto start = Clock::now();
    for (int i = 0; i < options_.iterations; ++i) ATOLL_TRY(issue(call, options_.warmup + i));
    total = seconds(Clock::now() - start);
  }
  samples.push_back(total / options_.iterations);
  return samples;
}

Status PeerMeasuring::combine(std::vector<double>& mine) const {
  const Average how = options_.average;
  if (how == Average::rank0 && job_.rank != 0) std::fill(mine.begin(), mine.end(), 0.0);
  const auto fold = how == Average::min ? Peer::Fold::min : how == Average::max ? Peer::Fold::max : Peer::Fold::sum;
  ATOLL_TRY(peer_.combine(mine, fold));
  if (how == Average::mean) {
    for (double& value : mine) value /= job_.ranks;
  }
  return success();
}

Result<Measurement> PeerMeasuring::time() {
  ATOLL_ASSIGN(const PeerIssue call, bind());
  for (int i = 0; i < options_.warmup; ++i) ATOLL_TRY(issue(call, i));
  ATOLL_TRY(peer_.barrier());
  ATOLL_ASSIGN(std::vector<double> samples, timeIterations(call));
  ATOLL_TRY(combine(samples));
  const Collective& c = *collective_.description;
  Measurement measurement =
      measurementOf(c.sizeOf(job_.count, job_.ranks) * atl::sizeOf(type_), samples.back(), c.busFactor(job_.ranks));
  samples.pop_back();
  measurement.samples = std::move(samples);
  return measurement;
}

Result<std::uint64_t> PeerMeasuring::check(std::uint64_t seed) {
  ATOLL_ASSIGN(const PeerIssue call, bind());
  const bool reduces = collective_.description->reduces;
  const TestData data(type_, reduces ? sharedPattern(type_, options_.reductions.front(), job_.ranks) : nullptr,
                      job_.rank);
  const Place place = placeOf(seed);
  data.fillWrong(output_, seed, place.recv);
  data.fill(input_, seed, place.send);
  ATOLL_TRY(call(place.send, place.recv));
  // A double holds the count exactly: no buffer has 2^53 elements.
  auto wrong = static_cast<double>(data.countWrong(output_, seed, place.recv));
  ATOLL_TRY(peer_.combine({&wrong, 1}, Peer::Fold::sum));
  return static_cast<std::uint64_t>(wrong);
}

}  // namespace atl::perf

// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/measure.h"

#include <time.h>

#include <algorithm>
#include <numeric>

namespace atl::perf {

Measuring::Measuring(const Collective& collective, const Options& options, const Team& team,
                     const std::vector<MemberBuffers>& buffers, const Case& oneCase, std::size_t count, bool inPlace)
    : collective_(collective),
      options_(options),
      team_(team),
      case_(oneCase),
      inPlace_(inPlace),
      rounds_(collective.rounds == nullptr ? 1 : collective.rounds(team.ranks())),
      bytes_(collective.sizeOf(count, team.ranks()) * atl::sizeOf(oneCase.type)) {
  const std::size_t elementBytes = atl::sizeOf(oneCase.type);
  for (std::size_t i = 0; i < team.members().size(); ++i) {
    Part part;
    part.job = {count, team.members()[i].rank, team.ranks(), std::max(oneCase.root, 0)};
    part.issue = collective.bind(part.job);
    part.buffers = &buffers[i];
    part.op = oneCase.operators[i];
    part.input = collective.input(part.job);
    part.output = collective.output(part.job);
    const std::size_t sent = extentOf(part.input);
    const std::size_t received = extentOf(part.output);
    part.sendBytes = sent * elementBytes;
    part.recvBytes = received * elementBytes;
    if (inPlace) {
      part.offsets = collective.inPlace(part.job);
      part.commonBytes = std::max(part.offsets.sendOffset + sent, part.offsets.recvOffset + received) * elementBytes;
    }
    parts_.push_back(std::move(part));
  }
}

Measuring::Place Measuring::placeOf(const Part& part, std::size_t position) const {
  if (!inPlace_) {
    return {part.buffers->send.position(position, part.sendBytes),
            part.buffers->recv.position(position, part.recvBytes), nullptr};
  }
  const std::size_t elementBytes = atl::sizeOf(case_.type);
  std::byte* const common = part.buffers->common().position(position, part.commonBytes);
  return {common + part.offsets.sendOffset * elementBytes, common + part.offsets.recvOffset * elementBytes, common};
}

Status Measuring::issue(std::size_t position, int repeat) {
  const auto members = team_.members();
  for (int round = 0; round < rounds_; ++round) {
    ATOLL_TRY(team_.each(
        collective_.program,
        [&](std::size_t i) {
          const Part& part = parts_[i];
          const Place place = placeOf(part, position);
          const Call call{place.send, place.recv,      static_cast<atollDataType_t>(case_.type),
                          part.op,    members[i].comm, members[i].stream};
          return part.issue(call, round);
        },
        repeat));
  }
  return success();
}

double Measuring::now() const {
  timespec t{};
  ::clock_gettime(options_.cpuTime ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

Result<Measurement> Measuring::time() {
  for (int i = 0; i < options_.warmup; ++i) ATOLL_TRY(issue(options_.positionOf(i), options_.aggregate));
  ATOLL_TRY(team_.synchronize());
  ATOLL_TRY(team_.barrier());

  std::vector<double> samples;
  double total = 0;
  if (options_.timesIterations()) {
    ATOLL_ASSIGN(samples, timeApart());
    total = std::accumulate(samples.begin(), samples.end(), 0.0);
  } else {
    ATOLL_ASSIGN(total, timeTogether());
  }
  // One agreement for the total and the samples: the total goes last.
  samples.push_back(total / options_.iterations);
  for (double& s : samples) s /= options_.aggregate;
  ATOLL_ASSIGN(samples, team_.combine(std::move(samples), options_.average));
  Measurement measurement = measurementOf(bytes_, samples.back(), collective_.busFactor(team_.ranks()));
  samples.pop_back();
  measurement.samples = std::move(samples);
  return measurement;
}

void Measuring::rewriteInput(std::size_t position) const {
  constexpr std::size_t kLine = 64;
  for (const Part& part : parts_) {
    volatile std::byte* const send = placeOf(part, position).send;
    for (std::size_t i = 0; i < part.sendBytes; i += kLine) send[i] = send[i];
  }
}

Result<double> Measuring::timeTogether() {
  const double start = now();
  for (int i = 0; i < options_.iterations; ++i) {
    if (options_.freshInput) rewriteInput(options_.positionOf(options_.warmup + i));
    ATOLL_TRY(issue(options_.positionOf(options_.warmup + i), options_.aggregate));
    if (options_.waitEachCall) ATOLL_TRY(team_.synchronize());
  }
  ATOLL_TRY(team_.synchronize());
  const double elapsed = now() - start;
  if (!options_.freshInput) return elapsed;
  // What the writing alone takes, which is not the call's. Measured when the data is where it was during the calls.
  const double again = now();
  for (int i = 0; i < options_.iterations; ++i) rewriteInput(options_.positionOf(options_.warmup + i));
  return std::max(0.0, elapsed - (now() - again));
}

Result<std::vector<double>> Measuring::timeApart() {
  std::vector<double> samples;
  samples.reserve(static_cast<std::size_t>(options_.iterations) + 1);
  for (int i = 0; i < options_.iterations; ++i) {
    if (options_.alignIterations) ATOLL_TRY(team_.barrier());
    const double start = now();
    ATOLL_TRY(issue(options_.positionOf(options_.warmup + i), options_.aggregate));
    ATOLL_TRY(team_.synchronize());
    samples.push_back(now() - start);
  }
  return samples;
}

Result<std::uint64_t> Measuring::check(std::uint64_t seed) {
  for (std::size_t i = 0; i < parts_.size(); ++i) prepare(i, seed, seed);
  ATOLL_TRY(issue(seed, 1));
  ATOLL_TRY(team_.synchronize());
  std::uint64_t wrong = 0;
  for (std::size_t i = 0; i < parts_.size(); ++i) wrong += countWrong(i, seed, seed);
  return team_.total(wrong);
}

void Measuring::prepare(std::size_t member, std::size_t position, std::uint64_t seed) {
  const Part& part = parts_[member];
  const TestData& data = case_.data[member];
  const Place place = placeOf(part, position);
  if (inPlace_) {
    part.buffers->common().plantGuards(place.common, part.commonBytes);
  } else {
    part.buffers->send.plantGuards(place.send, part.sendBytes);
    part.buffers->recv.plantGuards(place.recv, part.recvBytes);
  }
  data.fillWrong(part.output, seed, place.recv);
  data.fill(part.input, seed, place.send);  // last: in place, it lies on top
}

std::uint64_t Measuring::countWrong(std::size_t member, std::size_t position, std::uint64_t seed) const {
  const Part& part = parts_[member];
  const TestData& data = case_.data[member];
  const Place place = placeOf(part, position);
  std::uint64_t wrong = data.countWrong(part.output, seed, place.recv);
  if (inPlace_) {
    wrong += part.buffers->common().countTouched(place.common, part.commonBytes);
  } else {
    wrong += part.buffers->send.countTouched(place.send, part.sendBytes);
    wrong += part.buffers->recv.countTouched(place.recv, part.recvBytes);
  }
  // What a rank sends is only read, unless its result lies there.
  if (!inPlace_ || part.output.empty()) wrong += data.countWrong(part.input, seed, place.send);
  return wrong;
}

}  // namespace atl::perf

// SPDX-License-Identifier: Apache-2.0
#include "bench/compare_mpi/mpi_measure.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "src/base/clock.h"

namespace atl::perf {
namespace {

Status checkedMpi(int result, std::string_view name) {
  if (result == MPI_SUCCESS) return success();
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(result, text, &length);
  return makeError(ErrorCode::systemError, "{}: {}", name, text);
}

/// What Team::combine does, by MPI.
std::vector<double> combine(std::vector<double> mine, Average how, int rank, int ranks) {
  if (how == Average::rank0 && rank != 0) std::fill(mine.begin(), mine.end(), 0.0);
  const MPI_Op op = how == Average::min ? MPI_MIN : how == Average::max ? MPI_MAX : MPI_SUM;
  MPI_Allreduce(MPI_IN_PLACE, mine.data(), static_cast<int>(mine.size()), MPI_DOUBLE, op, MPI_COMM_WORLD);
  if (how == Average::mean) {
    for (double& value : mine) value /= ranks;
  }
  return mine;
}

}  // namespace

MpiMeasuring::MpiMeasuring(const MpiCollective& collective, const Options& options, const Buffer& send,
                           const Buffer& recv, std::size_t count, bool inPlace)
    : collective_(collective),
      options_(options),
      send_(send),
      recv_(recv),
      inPlace_(inPlace),
      type_(options.types.front()) {
  job_.count = count;
  job_.root = options.root;
  MPI_Comm_rank(MPI_COMM_WORLD, &job_.rank);
  MPI_Comm_size(MPI_COMM_WORLD, &job_.ranks);
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

Result<MpiCall> MpiMeasuring::callTemplate() const {
  if (job_.count > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    return makeError(ErrorCode::unsupported, "MPI's counts are ints; {} elements are too many", job_.count);
  }
  MpiCall call;
  ATOLL_ASSIGN(call.type, mpiTypeOf(type_));
  if (collective_.description->reduces) {
    ATOLL_ASSIGN(call.op, mpiOpOf(options_.reductions.front()));
  }
  call.count = static_cast<int>(job_.count);
  call.root = job_.root;
  call.rank = job_.rank;
  call.ranks = job_.ranks;
  call.inPlace = inPlace_;
  return call;
}

MpiCall MpiMeasuring::at(const MpiCall& call, std::size_t position) const {
  MpiCall placed = call;
  if (inPlace_) {
    const Buffer& common = send_.capacity() > recv_.capacity() ? send_ : recv_;
    std::byte* const region = common.position(position, commonBytes_);
    placed.send = region + offsets_.sendOffset * atl::sizeOf(type_);
    placed.recv = region + offsets_.recvOffset * atl::sizeOf(type_);
  } else {
    placed.send = send_.position(position, sendBytes_);
    placed.recv = recv_.position(position, recvBytes_);
  }
  return placed;
}

Result<Measurement> MpiMeasuring::time() {
  ATOLL_ASSIGN(const MpiCall call, callTemplate());
  for (int i = 0; i < options_.warmup; ++i) {
    ATOLL_TRY(checkedMpi(collective_.call(at(call, static_cast<std::size_t>(i))), collective_.name));
  }
  MPI_Barrier(MPI_COMM_WORLD);
  std::vector<double> samples;
  double total = 0;
  if (options_.timesIterations()) {
    for (int i = 0; i < options_.iterations; ++i) {
      if (options_.alignIterations) MPI_Barrier(MPI_COMM_WORLD);
      const auto start = Clock::now();
      ATOLL_TRY(checkedMpi(collective_.call(at(call, static_cast<std::size_t>(i))), collective_.name));
      samples.push_back(seconds(Clock::now() - start));
    }
    total = std::accumulate(samples.begin(), samples.end(), 0.0);
  } else {
    const auto start = Clock::now();
    for (int i = 0; i < options_.iterations; ++i) {
      ATOLL_TRY(checkedMpi(collective_.call(at(call, static_cast<std::size_t>(i))), collective_.name));
    }
    total = seconds(Clock::now() - start);
  }
  samples.push_back(total / options_.iterations);
  samples = combine(std::move(samples), options_.average, job_.rank, job_.ranks);
  const Collective& c = *collective_.description;
  Measurement measurement =
      measurementOf(c.sizeOf(job_.count, job_.ranks) * atl::sizeOf(type_), samples.back(), c.busFactor(job_.ranks));
  samples.pop_back();
  measurement.samples = std::move(samples);
  return measurement;
}

Result<std::uint64_t> MpiMeasuring::check(std::uint64_t seed) {
  ATOLL_ASSIGN(const MpiCall call, callTemplate());
  const bool reduces = collective_.description->reduces;
  const TestData data(type_, reduces ? sharedPattern(type_, options_.reductions.front(), job_.ranks) : nullptr,
                      job_.rank);
  const MpiCall placed = at(call, seed);
  auto* const input = const_cast<void*>(placed.send);  // ours: only MPI's signature makes it const
  data.fillWrong(output_, seed, placed.recv);
  data.fill(input_, seed, input);
  ATOLL_TRY(checkedMpi(collective_.call(placed), collective_.name));
  unsigned long long wrong = data.countWrong(output_, seed, placed.recv);
  MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_UNSIGNED_LONG_LONG, MPI_SUM, MPI_COMM_WORLD);
  return wrong;
}

}  // namespace atl::perf

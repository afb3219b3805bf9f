// SPDX-License-Identifier: Apache-2.0
// mpi_collective_perf COLLECTIVE [options of the _perf programs]: MPI's collective, measured and printed as Atoll's
// are.
#include <mpi.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "bench/compare_mpi/mpi_measure.h"
#include "bench/perf/json_report.h"
#include "bench/perf/report.h"

namespace atl::perf {
namespace {

/// The implementation's first line about itself: "Open MPI v4.1.4, …".
Library mpiLibrary() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = {};
  int length = 0;
  MPI_Get_library_version(text, &length);
  const std::string first(text, std::strcspn(text, ",\n"));
  const auto space = first.rfind(' ');
  if (space == std::string::npos) return {"MPI", first};
  return {first.substr(0, space), first.substr(space + 1)};
}

std::vector<RankInfo> describeRanks(int rank, int ranks) {
  struct Record {
    std::int64_t pid = 0;
    char host[64] = {};
  } mine;
  mine.pid = ::getpid();
  ::gethostname(mine.host, sizeof mine.host - 1);
  std::vector<Record> all(static_cast<std::size_t>(ranks));
  MPI_Gather(&mine, sizeof mine, MPI_BYTE, all.data(), sizeof mine, MPI_BYTE, 0, MPI_COMM_WORLD);
  std::vector<RankInfo> infos;
  for (int r = 0; rank == 0 && r < ranks; ++r) {
    infos.push_back({r, r, all[static_cast<std::size_t>(r)].pid, all[static_cast<std::size_t>(r)].host, -1});
  }
  return infos;
}

/// What these options ask that has no meaning for MPI's blocking collectives.
Status checkOptions(const Collective& c, const Options& o, int ranks) {
  const auto bad = ErrorCode::unsupported;
  if (o.threads != 1 || o.ranksPerThread != 1)
    return makeError(bad, "one rank a process: --nthreads and --ngpus are 1");
  if (o.aggregate != 1 || o.stream || o.registerBuffers || o.cpuTime || o.cycles != 1) {
    return makeError(bad,
                     "--agg_iters, --stream, --local_register, --report_cputime and --run_cycles are Atoll's alone");
  }
  if (o.types.size() != 1 || o.reductions.size() != 1 || o.root == Options::kAllRoots) {
    return makeError(bad, "one type, one operator and one root a run; not all");
  }
  if (c.rooted && o.root >= ranks) return makeError(bad, "root {} is not a rank: there are {}", o.root, ranks);
  return success();
}

class Run {
 public:
  Run(const MpiCollective& collective, const Options& options) : collective_(collective), options_(options) {
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks_);
  }

  /// Returns the number of wrong elements.
  Result<std::uint64_t> sweep() {
    ATOLL_TRY(checkOptions(*collective_.description, options_, ranks_));
    ATOLL_ASSIGN(const auto sizes, sizesOf(options_.sweep));
    ATOLL_ASSIGN(const Buffer send, Buffer::allocate(sizes.back(), nullptr));
    ATOLL_ASSIGN(const Buffer recv, Buffer::allocate(sizes.back(), nullptr));
    const auto infos = describeRanks(rank_, ranks_);
    const Library library = mpiLibrary();
    JsonReport json("mpi_collective_perf", library, options_, infos);
    show(headerText("mpi_collective_perf", library, options_, infos) + columnText(options_));
    Totals totals;
    for (const std::uint64_t bytes : sizes) {
      ATOLL_ASSIGN(const Row row, runSize(bytes, send, recv));
      totals.add(row);
      json.add(row);
      show(rowText(row) + (options_.iterationSpread ? spreadText(row) : ""));
    }
    show(footerText(totals));
    if (rank_ == 0 && !options_.jsonFile.empty()) ATOLL_TRY(json.write(options_.jsonFile, totals));
    return totals.wrong();
  }

 private:
  void show(const std::string& text) const {
    if (rank_ != 0) return;
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }

  Result<Row> runSize(std::uint64_t bytes, const Buffer& send, const Buffer& recv) {
    const Collective& c = *collective_.description;
    Row row;
    row.type = options_.types.front();
    row.count = c.countFor(bytes / atl::sizeOf(row.type), ranks_);
    row.bytes = c.sizeOf(row.count, ranks_) * atl::sizeOf(row.type);
    if (c.reduces) row.reduction = options_.reductions.front();
    if (c.rooted) row.root = options_.root;
    if (collective_.forms != Forms::inPlaceOnly) {
      ATOLL_ASSIGN(row.outOfPlace, runHalf(send, recv, row.count, false));
    }
    if (collective_.forms != Forms::outOfPlaceOnly) {
      ATOLL_ASSIGN(row.inPlace, runHalf(send, recv, row.count, true));
    }
    return row;
  }

  Result<Measurement> runHalf(const Buffer& send, const Buffer& recv, std::size_t count, bool inPlace) {
    MpiMeasuring measuring(collective_, options_, send, recv, count, inPlace);
    ATOLL_ASSIGN(Measurement measurement, measuring.time());
    if (options_.checks > 0) measurement.wrong = 0;
    for (int i = 0; i < options_.checks; ++i) {
      ATOLL_ASSIGN(const std::uint64_t wrong, measuring.check(checkedRuns_++));
      *measurement.wrong += wrong;
    }
    return measurement;
  }

  const MpiCollective& collective_;
  const Options& options_;
  int rank_ = 0;
  int ranks_ = 1;
  std::uint64_t checkedRuns_ = 0;
};

int usage(const std::string& reason) {
  fmt::print(stderr,
             "mpi_collective_perf: {}\nusage: mpi_collective_perf COLLECTIVE [options of Atoll's _perf programs]\n"
             "collectives: {}\n",
             reason, mpiCollectiveNames());
  return kExitBadUsage;
}

int mpiMain(int argc, char** argv) {
  if (argc < 2) return usage("name a collective first");
  const MpiCollective* const collective = mpiCollectiveNamed(argv[1]);
  if (collective == nullptr) return usage(fmt::format("'{}' is not a collective", argv[1]));
  const auto parsed = parseOptions(*collective->description, argc - 1, argv + 1);
  if (const auto* exit = std::get_if<EarlyExit>(&parsed)) {
    std::fputs(exit->text.c_str(), exit->code == 0 ? stdout : stderr);
    return exit->code;
  }
  MPI_Init(&argc, &argv);
  auto wrong = Run(*collective, std::get<Options>(parsed)).sweep();
  if (!wrong.ok()) {
    fmt::print(stderr, "mpi_collective_perf: {}\n", wrong.error().text);
    MPI_Abort(MPI_COMM_WORLD, kExitFailed);
  }
  MPI_Finalize();
  return *wrong == 0 ? 0 : kExitFailed;
}

}  // namespace
}  // namespace atl::perf

int main(int argc, char** argv) {
  return atl::perf::mpiMain(argc, argv);
}

// SPDX-License-Identifier: Apache-2.0
#include "bench/compare_peer/peer_program.h"

#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "bench/compare_peer/peer_measure.h"
#include "bench/perf/json_report.h"

namespace atl::perf {
namespace {

Result<std::vector<RankInfo>> describeRanks(Peer& peer) {
  struct Record {
    std::int64_t pid = 0;
    char host[64] = {};
  } record;
  record.pid = ::getpid();
  ::gethostname(record.host, sizeof record.host - 1);
  ATOLL_ASSIGN(const std::vector<std::byte> all, peer.gather(std::as_bytes(std::span(&record, 1))));
  std::vector<RankInfo> infos;
  for (int r = 0; r < peer.ranks(); ++r) {
    std::memcpy(&record, all.data() + static_cast<std::size_t>(r) * sizeof record, sizeof record);
    infos.push_back({r, r, record.pid, record.host, -1});
  }
  return infos;
}

/// What these options ask that has no meaning for blocking collectives of one rank a process.
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
  Run(std::string_view program, Peer& peer, const PeerCollective& collective, const Options& options)
      : program_(program), peer_(peer), collective_(collective), options_(options) {}

  /// Returns the number of wrong elements.
  Result<std::uint64_t> sweep() {
    ATOLL_TRY(checkOptions(*collective_.description, options_, peer_.ranks()));
    ATOLL_ASSIGN(const auto sizes, sizesOf(options_.sweep));
    ATOLL_ASSIGN(const Buffer send, Buffer::allocate(options_.capacityFor(sizes.back()), nullptr));
    ATOLL_ASSIGN(const Buffer recv, Buffer::allocate(options_.capacityFor(sizes.back()), nullptr));
    ATOLL_ASSIGN(const auto infos, describeRanks(peer_));
    const Library library = peer_.library();
    JsonReport json(program_, library, options_, infos);
    show(headerText(program_, library, options_, infos) + columnText(options_));
    Totals totals;
    for (const std::uint64_t bytes : sizes) {
      ATOLL_ASSIGN(const Row row, runSize(bytes, send, recv));
      totals.add(row);
      json.add(row);
      show(rowText(row) + (options_.iterationSpread ? spreadText(row) : ""));
    }
    show(footerText(totals));
    if (peer_.rank() == 0 && !options_.jsonFile.empty()) ATOLL_TRY(json.write(options_.jsonFile, totals));
    return totals.wrong();
  }

 private:
  void show(const std::string& text) const {
    if (peer_.rank() != 0) return;
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }

  Result<Row> runSize(std::uint64_t bytes, const Buffer& send, const Buffer& recv) {
    const Collective& c = *collective_.description;
    Row row;
    row.type = options_.types.front();
    row.count = c.countFor(bytes / atl::sizeOf(row.type), peer_.ranks());
    row.bytes = c.sizeOf(row.count, peer_.ranks()) * atl::sizeOf(row.type);
    if (c.reduces) row.reduction = options_.reductions.front();
    if (c.rooted) row.root = options_.root;
    if (collective_.forms != Forms::inPlaceOnly) {
      ATOLL_ASSIGN(row.outOfPlace, runHalf(send, recv, row.count, false));
    }
    const bool wanted = !options_.outOfPlaceOnly || collective_.forms == Forms::inPlaceOnly;
    if (collective_.forms != Forms::outOfPlaceOnly && wanted) {
      ATOLL_ASSIGN(row.inPlace, runHalf(send, recv, row.count, true));
    }
    return row;
  }

  Result<Measurement> runHalf(const Buffer& send, const Buffer& recv, std::size_t count, bool inPlace) {
    PeerMeasuring measuring(peer_, collective_, options_, send, recv, count, inPlace);
    ATOLL_ASSIGN(Measurement measurement, measuring.time());
    if (options_.checks > 0) measurement.wrong = 0;
    for (int i = 0; i < options_.checks; ++i) {
      ATOLL_ASSIGN(const std::uint64_t wrong, measuring.check(checkedRuns_++));
      *measurement.wrong += wrong;
    }
    return measurement;
  }

  std::string_view program_;
  Peer& peer_;
  const PeerCollective& collective_;
  const Options& options_;
  std::uint64_t checkedRuns_ = 0;
};

std::string_view fileName(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0: all of it
}

int usage(std::string_view program, std::span<const PeerCollective> collectives, const std::string& reason) {
  std::string names;
  for (const PeerCollective& c : collectives) names += fmt::format("{}{}", names.empty() ? "" : ", ", c.name);
  fmt::print(stderr, "{0}: {1}\nusage: {0} COLLECTIVE [options of Atoll's _perf programs]\ncollectives: {2}\n", program,
             reason, names);
  return kExitBadUsage;
}

}  // namespace

int peerMain(int argc, char** argv, std::span<const PeerCollective> collectives, const JoinPeer& join) {
  const std::string_view program = fileName(argv[0]);
  if (argc < 2) return usage(program, collectives, "name a collective first");
  const PeerCollective* collective = nullptr;
  for (const PeerCollective& c : collectives) {
    if (c.name == argv[1]) collective = &c;
  }
  if (collective == nullptr) return usage(program, collectives, fmt::format("'{}' is not a collective", argv[1]));
  const auto parsed = parseOptions(*collective->description, argc - 1, argv + 1);
  if (const auto* exit = std::get_if<EarlyExit>(&parsed)) {
    std::fputs(exit->text.c_str(), exit->code == 0 ? stdout : stderr);
    return exit->code;
  }
  auto peer = join(&argc, &argv);
  if (!peer.ok()) {
    fmt::print(stderr, "{}: {}\n", program, peer.error().text);
    return kExitFailed;
  }
  const auto wrong = Run(program, **peer, *collective, std::get<Options>(parsed)).sweep();
  if (!wrong.ok()) {
    fmt::print(stderr, "{}: rank {}: {}\n", program, (*peer)->rank(), wrong.error().text);
    (*peer)->abort(kExitFailed);
  }
  return *wrong == 0 ? 0 : kExitFailed;
}

}  // namespace atl::perf

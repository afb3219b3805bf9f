// SPDX-License-Identifier: Apache-2.0
// bounds_perf: what this machine's memory, caches and loopback interface can do at best, as JSON on standard output.
// bench/compare runs it beside the libraries, for their times mean little without it.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "bench/compare_bounds/flag_bound.h"
#include "bench/compare_bounds/memory_bound.h"
#include "bench/compare_bounds/tcp_bound.h"
#include "bench/perf/buffer.h"
#include "bench/perf/options.h"

namespace atl::perf {
namespace {

/// Buffers of each core: from within its own cache to beyond every last-level cache.
constexpr std::size_t kSizes[] = {std::size_t{16} << 10, std::size_t{128} << 10, std::size_t{1} << 20,
                                  std::size_t{8} << 20, std::size_t{64} << 20};

struct BoundOptions {
  int repetitions = 3;
  double seconds = 0.05;
};

Result<nlohmann::ordered_json> measureAll(const BoundOptions& options) {
  ATOLL_ASSIGN(const std::vector<int> cores, usableCores());
  nlohmann::ordered_json document;
  document["cores"] = cores.size();
  document["memory"] = nlohmann::ordered_json::array();
  const std::uint64_t affordable = availableMemory() / 4;
  for (const MemoryWork work : kMemoryWorks) {
    for (const std::size_t bytes : kSizes) {
      // On a host of many cores the largest buffers may be more than there is memory for; 0 is not known.
      if (affordable > 0 && workingSetOf(work, cores, bytes) > affordable) continue;
      const MemoryRate rate = measureMemory(work, cores, bytes, options.repetitions, options.seconds);
      document["memory"].push_back({{"work", nameOf(work)},
                                    {"working_set", rate.workingSetBytes},
                                    {"gigabytes_per_second", rate.gigabytesPerSecond}});
    }
  }
  document["flag_round_trip_us"] = nullptr;
  if (const auto flag = measureFlagRoundTrip(cores, options.repetitions)) document["flag_round_trip_us"] = *flag * 1e6;
  ATOLL_ASSIGN(const TcpRate tcp, measureTcpStream(options.repetitions, options.seconds));
  document["tcp_stream"] = {{"gigabytes_per_second", tcp.gigabytesPerSecond},
                            {"congestion_control", tcp.congestionControl}};
  return document;
}

int boundsMain(int argc, char** argv) {
  CLI::App app("Measures the bounds that collectives in this machine's memory run into, and prints them as JSON.");
  BoundOptions options;
  app.add_option("-n,--repetitions", options.repetitions, "rounds of each, of which the best counts")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("-s,--seconds", options.seconds, "of each round")
      ->check(CLI::Range(0.001, 60.0))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const auto document = measureAll(options);
  if (!document.ok()) {
    fmt::print(stderr, "bounds_perf: {}\n", document.error().text);
    return kExitFailed;
  }
  fmt::print("{}\n", document->dump(1));
  return 0;
}

}  // namespace
}  // namespace atl::perf

int main(int argc, char** argv) {
  return atl::perf::boundsMain(argc, argv);
}

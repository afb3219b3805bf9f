// SPDX-License-Identifier: Apache-2.0
// bounds_perf: what this machine's memory, caches and TCP can do at best, as JSON on standard output.
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

using json = nlohmann::ordered_json;

/// Buffers of each core: from within its own cache to beyond every last-level cache.
constexpr std::size_t kSizes[] = {std::size_t{16} << 10, std::size_t{128} << 10, std::size_t{1} << 20,
                                  std::size_t{8} << 20, std::size_t{64} << 20};

struct BoundOptions {
  int repetitions = 3;
  double seconds = 0.05;
  bool memory = true;
  TcpRoute route;
};

json measureMemories(const BoundOptions& options, const std::vector<int>& cores) {
  json rates = json::array();
  const std::uint64_t affordable = availableMemory() / 4;
  for (const MemoryWork work : kMemoryWorks) {
    for (const std::size_t bytes : kSizes) {
      // On a host of many cores the largest buffers may be more than there is memory for; 0 is not known.
      if (affordable > 0 && workingSetOf(work, cores, bytes) > affordable) continue;
      const MemoryRate rate = measureMemory(work, cores, bytes, options.repetitions, options.seconds);
      rates.push_back({{"work", nameOf(work)},
                       {"working_set", rate.workingSetBytes},
                       {"gigabytes_per_second", rate.gigabytesPerSecond}});
    }
  }
  return rates;
}

/// Every congestion control, since one may carry several times as much as another; times with the one that carries
/// most.
Result<json> measureTcp(const BoundOptions& options, const std::vector<int>& cores) {
  ATOLL_ASSIGN(const auto names, congestionControls());
  json streams = json::array();
  TcpStream best;
  for (const std::string& name : names) {
    ATOLL_ASSIGN(const TcpStream stream, measureTcpStream(options.route, name, options.repetitions, options.seconds));
    streams.push_back(
        {{"congestion_control", name}, {"one_way", stream.oneWayGBps}, {"both_ways", stream.bothWaysGBps}});
    if (stream.oneWayGBps > best.oneWayGBps) best = stream;
  }
  ATOLL_ASSIGN(const TcpTimes times,
               measureTcpTimes(options.route, best.congestionControl, cores, options.repetitions));
  return json{{"system_congestion_control", names.front()},
              {"streams", streams},
              {"exchange_us", times.exchange * 1e6},
              {"round_trip_us", times.roundTrip * 1e6},
              {"blocking_round_trip_us", times.blockingRoundTrip * 1e6}};
}

Result<json> measureAll(const BoundOptions& options) {
  ATOLL_ASSIGN(const std::vector<int> cores, usableCores());
  json document;
  document["cores"] = cores.size();
  document["memory"] = options.memory ? measureMemories(options, cores) : json::array();
  document["flag_round_trip_us"] = nullptr;
  if (const auto flag = measureFlagRoundTrip(cores, options.repetitions)) document["flag_round_trip_us"] = *flag * 1e6;
  ATOLL_ASSIGN(document["tcp"], measureTcp(options, cores));
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
  app.add_flag("!--no-memory", options.memory, "leave out the memory's rates, which take longest");
  app.add_option("--tcp-from", options.route.from, "network namespace of one end of the TCP connections [this one]");
  app.add_option("--tcp-to", options.route.to, "network namespace of the other end [this one]");
  app.add_option("--tcp-address", options.route.address, "IPv4 address of the other end")->capture_default_str();
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

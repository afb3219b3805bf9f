// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/report.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>

namespace atl::perf {
namespace {

/// Microseconds in seven columns: two decimals as long as they fit.
std::string timeText(double seconds) {
  const double us = seconds * 1e6;
  if (us < 9999.995) return fmt::format("{:.2f}", us);
  return us < 99999.95 ? fmt::format("{:.1f}", us) : fmt::format("{:.0f}", us);
}

std::string halfText(const std::optional<Measurement>& half) {
  if (!half) return fmt::format("  {:>7}  {:>6}  {:>6}  {:>6}", "N/A", "N/A", "N/A", "N/A");
  const std::string wrong = half->wrong ? fmt::format("{}", *half->wrong) : "N/A";
  return fmt::format("  {:>7}  {:>6.2f}  {:>6.2f}  {:>6}", timeText(half->seconds), half->algorithmGBps, half->busGBps,
                     wrong);
}

std::string spreadOfHalf(std::string_view name, const std::optional<Measurement>& half) {
  if (!half || half->samples.empty()) return "";
  const Spread spread = spreadOf(half->samples);
  return fmt::format("  {}: min {} median {} p99 {}", name, timeText(spread.min), timeText(spread.median),
                     timeText(spread.p99));
}

/// What connections are set to makes so much of a difference that no figure is to be read without it.
std::string congestionText() {
  std::ifstream file("/proc/sys/net/ipv4/tcp_congestion_control");
  std::string systems = "unknown";
  file >> systems;
  const char* const asked = std::getenv("ATOLL_TCP_CONGESTION");
  return fmt::format("# TCP congestion control: the system's {}, ATOLL_TCP_CONGESTION {}\n", systems,
                     asked == nullptr ? "not set" : asked);
}

}  // namespace

void Totals::add(const Row& row) {
  for (const auto* half : {&row.outOfPlace, &row.inPlace}) {
    if (!half->has_value()) continue;
    wrong_ += (*half)->wrong.value_or(0);
    busGBps_ += (*half)->busGBps;
    ++measurements_;
  }
}

std::string headerText(std::string_view program, const Library& library, const Options& options,
                       const std::vector<RankInfo>& ranks) {
  const Sweep& sweep = options.sweep;
  std::string text = fmt::format("# {}  {} {}\n", program, library.name, library.version);
  text += fmt::format(
      "# nThread {} nGpus {} minBytes {} maxBytes {} step: {} warmup iters: {} iters: {} agg iters: {} validation: {} "
      "graph: 0\n",
      options.threads, options.ranksPerThread, sweep.minBytes, sweep.maxBytes,
      sweep.factor != 0 ? fmt::format("{}(factor)", sweep.factor) : fmt::format("{}(bytes)", sweep.stepBytes),
      options.warmup, options.iterations, options.aggregate, options.checks);
  text += congestionText();
  text += "#\n# Ranks\n";
  for (const RankInfo& r : ranks) {
    const std::string device = r.device < 0 ? "host memory" : fmt::format("{}", r.device);
    text += fmt::format("#  Rank {:>4} Process {:>4} Pid {:>7} on {:>12} device {}\n", r.rank, r.process, r.pid, r.host,
                        device);
  }
  return text + "#\n";
}

std::string columnText(const Options& options) {
  const std::string_view time = options.cpuTime ? "cputime" : "time";
  const auto halves = [](std::string_view a, std::string_view b, std::string_view c, std::string_view d) {
    const std::string half = fmt::format("  {:>7}  {:>6}  {:>6}  {:>6}", a, b, c, d);
    return half + half;
  };
  return fmt::format("# {:>10}  {:>12}  {:>8}  {:>6}  {:>6}  {:^31}  {:^31}\n", "", "", "", "", "", "out-of-place",
                     "in-place") +
         fmt::format("# {:>10}  {:>12}  {:>8}  {:>6}  {:>6}{}\n", "size", "count", "type", "redop", "root",
                     halves(time, "algbw", "busbw", "#wrong")) +
         fmt::format("# {:>10}  {:>12}  {:>8}  {:>6}  {:>6}{}\n", "(B)", "(elements)", "", "", "",
                     halves("(us)", "(GB/s)", "(GB/s)", ""));
}

std::string rowText(const Row& row) {
  const std::string_view reduction = row.reduction ? nameOf(*row.reduction) : std::string_view("none");
  return fmt::format("{:>12}  {:>12}  {:>8}  {:>6}  {:>6}{}{}\n", row.bytes, row.count, nameOf(row.type), reduction,
                     row.root, halfText(row.outOfPlace), halfText(row.inPlace));
}

std::string spreadText(const Row& row) {
  return fmt::format("#   iterations (us){}{}\n", spreadOfHalf("out-of-place", row.outOfPlace),
                     spreadOfHalf("in-place", row.inPlace));
}

std::string footerText(const Totals& totals) {
  return fmt::format("# Out of bounds values : {} {}\n# Avg bus bandwidth    : {:g}\n#\n", totals.wrong(),
                     totals.ok() ? "OK" : "FAILED", totals.averageBusGBps());
}

}  // namespace atl::perf

// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/tune/tune_report.h"

#include <fmt/chrono.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <fstream>

#include "atoll/atoll.h"
#include "src/topology/usable_cores.h"

namespace atl::tools {
namespace {

std::string sizeText(std::uint64_t bytes) {
  static constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB"};
  std::size_t unit = 0;
  for (; unit + 1 < kUnits.size() && bytes != 0 && bytes % 1024 == 0; ++unit) bytes /= 1024;
  return fmt::format("{} {}", bytes, kUnits[unit]);
}

double secondsOf(const TunedSize& size, const plan::Algorithm* algorithm) {
  const auto& times = size.row.times;
  const auto found = std::find_if(times.begin(), times.end(), [&](const auto& t) { return t.algorithm == algorithm; });
  return found == times.end() ? 0 : found->seconds;
}

/// The processor as the kernel names it; "CPUs of an unknown kind" has no name.
std::string processorName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return " of " + line.substr(colon + 2);
  }
  return "";
}

}  // namespace

plan::TunedSite siteOf(const TuningResult& result, std::string measured) {
  plan::TunedSite tuned{result.site, std::move(measured), {}};
  for (const TunedSize& size : result.sizes) tuned.rows[static_cast<std::size_t>(size.collective)].push_back(size.row);
  return tuned;
}

std::string fastestText(const TuningResult& result) {
  std::string text = fmt::format("Fastest for {}:\n", plan::describe(result.site));
  const TunedSize* before = nullptr;
  for (const TunedSize& size : result.sizes) {
    const auto* const best = size.row.times.front().algorithm;
    if (before == nullptr || before->collective != size.collective) {
      text += fmt::format("{}  {:<14}{}", before == nullptr ? "" : "\n", nameOf(size.collective), best->name);
    } else if (before->row.times.front().algorithm != best) {
      text += fmt::format(", from {} {}", sizeText(size.row.bytes), best->name);
    }
    before = &size;
  }
  return text + "\n";
}

std::string builtInText(const TuningResult& result, double tolerance) {
  std::string rows;
  std::size_t within = 0;
  for (const TunedSize& size : result.sizes) {
    const auto& best = size.row.times.front();
    const double seconds = secondsOf(size, size.builtIn);
    if (size.builtIn == nullptr || seconds <= best.seconds * (1 + tolerance)) {
      ++within;
      continue;
    }
    rows += fmt::format("  {:<14}{:>9}  {} {:.4g} µs, {} {:.4g} µs: {:.0f} % longer\n", nameOf(size.collective),
                        sizeText(size.row.bytes), size.builtIn->name, seconds * 1e6, best.algorithm->name,
                        best.seconds * 1e6, (seconds / best.seconds - 1) * 100);
  }
  std::string text = fmt::format("Without a table, the choice is within {:.0f} % of the fastest at {} of {} sizes.\n",
                                 tolerance * 100, within, result.sizes.size());
  if (!rows.empty()) text += "It is not at:\n" + rows;
  return text;
}

std::string measuredHere() {
  int version = 0;
  atollGetVersion(&version);
  const int cpus = usableCores();
  return fmt::format("{:%Y-%m-%d}, {} CPU{}{}, atoll {}.{}.{}", fmt::localtime(std::time(nullptr)), cpus,
                     cpus == 1 ? "" : "s", processorName(), version / 10000, version / 100 % 100, version % 100);
}

}  // namespace atl::tools

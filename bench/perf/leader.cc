// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/leader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "atoll/atoll.h"
#include "bench/perf/sweep.h"
#include "bench/perf/sweeper.h"

namespace atl::perf {
namespace {

void show(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);  // a reader at the other end of a pipe sees each row as it is measured
}

}  // namespace

void Leader::begin(const Options& asked, const Options& options, const std::vector<RankInfo>& ranks) {
  options_ = options;
  int code = 0;
  atollGetVersion(&code);  // of the library that is loaded, which need not be the one this was compiled against
  const Library library{"Atoll", fmt::format("{}.{}.{}", code / 10000, code / 100 % 100, code % 100)};
  show(headerText(collective_.program, library, options, ranks));
  if (options.sweep.maxBytes < asked.sweep.maxBytes) {
    show(fmt::format("# maxbytes lowered from {} to {}: the memory allows no more\n", asked.sweep.maxBytes,
                     options.sweep.maxBytes));
  }
  show(columnText(options));
  if (!options.jsonFile.empty()) json_ = std::make_unique<JsonReport>(collective_.program, library, options, ranks);

  auto sizes = sizesOf(options.sweep);  // valid: the sweep has begun
  const std::size_t sweeps = caseCount(collective_, options, static_cast<int>(ranks.size())) *
                             static_cast<std::size_t>(std::max(1, options.cycles));
  std::vector<std::uint64_t> all;
  for (std::size_t i = 0; i < sweeps; ++i) all.insert(all.end(), sizes->begin(), sizes->end());
  progress_ = std::make_unique<Progress>(std::move(all));
}

void Leader::sizeDone(const Row& row) {
  progress_->finish();
  show(rowText(row));
  if (options_.iterationSpread) show(spreadText(row));
  totals_.add(row);
  if (json_) json_->add(row);
}

void Leader::cycleDone() {
  show(footerText(totals_));
  if (json_ && status_.ok()) status_ = json_->write(options_.jsonFile, totals_);
}

}  // namespace atl::perf

// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/json_report.h"

#include <array>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "bench/perf/whole_file.h"
#include "src/base/settings.h"

namespace atl::perf {
namespace {

using nlohmann::json;

json halfJson(const std::optional<Measurement>& half, const Options& options) {
  if (!half) return nullptr;
  json value = {{"time", half->seconds * 1e6}, {"alg_bw", half->algorithmGBps}, {"bus_bw", half->busGBps}};
  value["nwrong"] = half->wrong ? json(*half->wrong) : json("N/A");
  if (options.iterationSpread && !half->samples.empty()) {
    const Spread spread = spreadOf(half->samples);
    value["iterations"] = {{"min", spread.min * 1e6}, {"median", spread.median * 1e6}, {"p99", spread.p99 * 1e6}};
  }
  if (options.iterationSamples) {
    json samples = json::array();
    for (const double s : half->samples) samples.push_back(s * 1e6);
    value["samples"] = samples;
  }
  return value;
}

/// The settings that were in force, except the unique id, which carries the group's secret.
json environmentJson() {
  json env = json::object();
  for (const SettingInfo& setting : settingTable()) {
    const std::string name(setting.name);
    if (name == "ATOLL_ID") continue;
    if (const char* value = std::getenv(name.c_str())) env[name] = value;
  }
  return env;
}

json configJson(const Options& o) {
  static constexpr std::array kAverages = {"rank0", "average", "min", "max"};
  return {{"nthreads", o.threads},
          {"ngpus", o.ranksPerThread},
          {"minbytes", o.sweep.minBytes},
          {"maxbytes", o.sweep.maxBytes},
          {"stepbytes", o.sweep.stepBytes},
          {"stepfactor", o.sweep.factor},
          {"iters", o.iterations},
          {"warmup_iters", o.warmup},
          {"agg_iters", o.aggregate},
          {"rotation", o.rotation ? json(*o.rotation) : json(nullptr)},
          {"run_cycles", o.cycles},
          {"parallel_init", o.parallelInit},
          {"check", o.checks},
          {"blocking", (o.waitEachCall ? 1 : 0) + (o.alignIterations ? 2 : 0)},
          {"report_cputime", o.cpuTime},
          {"average", kAverages.at(static_cast<std::size_t>(o.average))},
          {"local_register", o.registerBuffers},
          {"timeout", o.timeoutSeconds < 0 ? json(nullptr) : json(o.timeoutSeconds)},
          {"stream", o.stream}};
}

}  // namespace

JsonReport::JsonReport(std::string_view program, Library library, const Options& options, std::vector<RankInfo> ranks)
    : program_(program), library_(std::move(library)), options_(options), ranks_(std::move(ranks)) {}

std::string JsonReport::text(const Totals& totals) const {
  json devices = json::array();
  for (const RankInfo& r : ranks_) {
    devices.push_back({{"rank", r.rank},
                       {"process", r.process},
                       {"pid", r.pid},
                       {"host", r.host},
                       {"device", r.device < 0 ? json("host") : json(r.device)}});
  }
  json results = json::array();
  for (const Row& row : rows_) {
    results.push_back({{"size", row.bytes},
                       {"count", row.count},
                       {"type", nameOf(row.type)},
                       {"redop", row.reduction ? nameOf(*row.reduction) : std::string_view("none")},
                       {"root", row.root},
                       {"out_of_place", halfJson(row.outOfPlace, options_)},
                       {"in_place", halfJson(row.inPlace, options_)}});
  }
  const json document = {{"program", program_},
                         {"library", library_.name},
                         {"version", library_.version},
                         {"args", options_.arguments},
                         {"env", environmentJson()},
                         {"config", configJson(options_)},
                         {"nranks", ranks_.size()},
                         {"devices", devices},
                         {"results", results},
                         {"out_of_bounds", {{"count", totals.wrong()}, {"okay", totals.ok()}}},
                         {"average_bus_bandwidth", {{"bandwidth", totals.averageBusGBps()}}}};
  return document.dump(2) + "\n";
}

Status JsonReport::write(const std::string& path, const Totals& totals) const {
  return writeWhole(path, text(totals));
}

}  // namespace atl::perf

// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/plan_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "src/plan/algorithm.h"
#include "src/plan/serialize.h"
#include "tools/atoll/plan/family_options.h"
#include "tools/atoll/plan/verification.h"

namespace atl::tools {
namespace {

constexpr const char* kExamples = R"(Examples:
  atoll plan list
  atoll plan show --coll allreduce --algo ring --ranks 8 --rank 3
  atoll plan show --coll allreduce --algo double-binary-tree --ranks 8 --svg tree.svg
  atoll plan export --coll broadcast --algo chain --ranks 4 -o mine.json
  atoll plan verify --file mine.json
  atoll plan verify --all --max-ranks 16)";

/// Ends the program with the error, as `atoll plan SUB: text`.
template <class T>
T orLeave(Result<T> result, std::string_view sub) {
  if (result.ok()) return std::move(result).value();
  fmt::print(stderr, "atoll plan {}: {}\n", sub, result.error().text);
  throw CLI::RuntimeError(1);
}

struct ShowOptions {
  FamilyOptions family;
  std::optional<Rank> rank;
  bool text = false;
  bool json = false;
  std::string svg;
};

void show(const ShowOptions& options) {
  if (options.rank && !options.json && options.svg.empty()) {
    const Plan one = orLeave(planFrom(options.family, *options.rank), "show");
    fmt::print("{}", plan::toText(one));
    return;
  }
  const std::vector<Plan> family = orLeave(familyFrom(options.family), "show");
  if (options.json) {
    fmt::print("{}", plan::toJson(family));
  } else if (!options.svg.empty()) {
    orLeave(writeFile(options.svg, plan::toSvg(family)), "show");
  } else {
    const char* separator = "";
    for (const Plan& one : family) {
      fmt::print("{}{}", separator, plan::toText(one));
      separator = "\n";
    }
  }
}

void addShow(CLI::App& parent) {
  const auto options = std::make_shared<ShowOptions>();
  CLI::App* sub = parent.add_subcommand("show", "Print a plan as text or JSON, or draw its family");
  addFamilyOptions(*sub, options->family);
  CLI::Option* rank =
      sub->add_option("--rank", options->rank, "This rank's plan alone (text)")->check(CLI::NonNegativeNumber);
  CLI::Option* text = sub->add_flag("--text", options->text, "As text, a line per step (what happens anyway)");
  CLI::Option* json = sub->add_flag("--json", options->json, "The family as JSON (docs/plan-format.md)");
  CLI::Option* svg = sub->add_option("--svg", options->svg, "Draw the family into this file; - is standard output");
  json->excludes(text, svg, rank);
  svg->excludes(text, rank);
  sub->callback([options] { show(*options); });
}

struct ExportOptions {
  FamilyOptions family;
  std::string output = "-";
};

void addExport(CLI::App& parent) {
  const auto options = std::make_shared<ExportOptions>();
  CLI::App* sub =
      parent.add_subcommand("export", "Write a family as JSON, to be changed and brought back by ATOLL_PLAN_FILE");
  addFamilyOptions(*sub, options->family);
  sub->add_option("-o,--output", options->output, "File to write; - is standard output")->capture_default_str();
  sub->callback([options] {
    const std::vector<Plan> family = orLeave(familyFrom(options->family), "export");
    orLeave(writeFile(options->output, plan::toJson(family)), "export");
  });
}

struct VerifyCommandOptions {
  FamilyOptions family;
  SweepOptions sweep;
  bool all = false;
};

void addVerify(CLI::App& parent) {
  const auto options = std::make_shared<VerifyCommandOptions>();
  CLI::App* sub =
      parent.add_subcommand("verify", "Prove plans correct: contributions, order, deadlock, hazards, scratch");
  addFamilyOptions(*sub, options->family);
  CLI::Option* all = sub->add_flag("--all", options->all, "Every algorithm of the catalogue, every number of ranks");
  sub->add_option("--max-ranks", options->sweep.maxRanks, "With --all: numbers of ranks from 1 to this")
      ->needs(all)
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  for (const char* name : {"--file", "--ranks", "--root", "--shares"}) all->excludes(sub->get_option(name));
  sub->callback([options] {
    if (options->all) {
      options->sweep.collective = options->family.collective;
      options->sweep.algorithm = options->family.algorithm;
      if (!orLeave(verifyCatalogue(options->sweep), "verify")) throw CLI::RuntimeError(1);
      return;
    }
    const std::vector<Plan> family = orLeave(familyFrom(options->family), "verify");
    orLeave(verifyFamily(family), "verify");
  });
}

void addList(CLI::App& parent) {
  CLI::App* sub = parent.add_subcommand("list", "The catalogue: every algorithm and the collectives that it serves");
  sub->callback([] {
    std::size_t width = 0;
    for (const plan::Algorithm& a : plan::catalogue()) width = std::max(width, a.name.size());
    for (const plan::Algorithm& a : plan::catalogue()) {
      fmt::print("{:<{}}  {}\n", a.name, width, a.summary);
      std::string served;
      for (int c = 0; c < kCollectives; ++c) {
        const auto collective = static_cast<Collective>(c);
        if (servesSomewhere(a, collective)) served += fmt::format(" {}", atl::nameOf(collective));
      }
      fmt::print("{:<{}} {}{}\n", "", width, served, a.unequalBlocks ? "" : "  (alltoall: equal blocks only)");
    }
  });
}

}  // namespace

void addPlanCommand(CLI::App& program) {
  CLI::App* command = program.add_subcommand("plan", "Show, prove, list and export plans");
  command->require_subcommand(1);
  command->footer(kExamples);
  addShow(*command);
  addVerify(*command);
  addList(*command);
  addExport(*command);
}

}  // namespace atl::tools

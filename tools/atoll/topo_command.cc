// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/topo_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "src/topology/description.h"
#include "src/topology/machine.h"
#include "src/topology/outline.h"
#include "tools/atoll/topo/drawing.h"
#include "tools/atoll/topo/link_timer.h"
#include "tools/atoll/topo/machine_text.h"
#include "tools/atoll/topo/plan_routes.h"
#include "tools/atoll/topo/png.h"
#include "tools/atoll/topo/survey.h"
#include "tools/atoll/topo/topology_json.h"

namespace atl::tools {
namespace {

constexpr const char* kExamples = R"(Examples:
  atoll topo                                    this machine
  atoll topo topologies/hpn7.yaml               a system, as text
  atoll topo topologies/hpn7.yaml --svg hpn7.svg
  atoll topo topologies/four-hosts.yaml --png ring.png --plan allreduce:ring:2
  atoll topo --yaml > mine.yaml                 this machine as a file, to be completed
  atoll run -H a,b -- atoll topo --measure -o mine.yaml
The format of files: docs/topology.md)";

struct TopoOptions {
  std::string file;
  bool json = false;
  bool yaml = false;
  bool measure = false;
  std::string output;
  std::string svg;
  std::string png;
  std::string plan;
};

/// What is to be shown: a file's content, or this machine.
struct Subject {
  std::optional<Machine> machine;
  TopologyDescription description;
  std::optional<Topology> topology;
  std::vector<std::string> findings;  ///< of a measurement
};

template <class T>
T orLeave(Result<T> result) {
  if (result.ok()) return std::move(result).value();
  fmt::print(stderr, "atoll topo: {}\n", result.error().text);
  throw CLI::RuntimeError(EXIT_FAILURE);
}

Status writeTo(const std::string& path, const std::string& content) {
  if (path == "-") {
    fmt::print("{}", content);
    return success();
  }
  std::ofstream file(path, std::ios::binary);
  file << content;
  file.close();
  return file ? success() : Status(systemError(errno, fmt::format("cannot write {}", path)));
}

Result<Subject> subjectOf(const std::string& path) {
  Subject subject;
  if (path.empty()) {
    subject.machine = readMachine();
    subject.topology = topologyOf(*subject.machine);
    subject.description = TopologyDescription::of(*subject.topology);
    return subject;
  }
  ATOLL_ASSIGN(TopologyFile file, readTopologyFile(path));
  subject.description = std::move(file.description);
  subject.topology = subject.description.topology();
  return subject;
}

/// What timing the links of this job finds; nothing on ranks other than 0, which have nothing to say.
Result<std::optional<Subject>> measured() {
  ATOLL_ASSIGN(const LinkTimer timer, LinkTimer::join());
  ATOLL_ASSIGN(Survey survey, surveyLinks(timer));
  if (timer.rank() != 0) return std::optional<Subject>();
  Subject subject;
  subject.description = TopologyDescription::of(survey.topology);
  subject.description.note = fmt::format("{}", fmt::join(survey.findings, ". "));
  subject.description.sources = {"atoll topo --measure"};
  subject.topology = std::move(survey.topology);
  subject.findings = std::move(survey.findings);
  return std::optional(std::move(subject));
}

DrawingOptions drawingOf(const Subject& subject) {
  DrawingOptions options;
  options.notes = subject.findings;
  if (subject.machine) {
    options.rankName = rankNameOf(*subject.machine);
    for (const MachineDevice& device : subject.machine->devices) options.notes.push_back(deviceText(device));
    for (const std::string& remark : subject.machine->remarks) options.notes.push_back(remark);
  }
  return options;
}

std::string textOf(const Subject& subject) {
  if (subject.machine) return machineText(*subject.machine);
  std::string text = fmt::format("{}\n", fmt::join(outlineText(*subject.topology), "\n"));
  if (!subject.description.note.empty()) text += fmt::format("note: {}\n", subject.description.note);
  for (const std::string& source : subject.description.sources) text += fmt::format("source: {}\n", source);
  return text;
}

void show(const TopoOptions& options) {
  const bool drawn = !options.svg.empty() || !options.png.empty();
  if (!options.plan.empty() && !drawn) {
    orLeave(
        Status(makeError(ErrorCode::invalidArgument, "--plan: there is no picture to draw on without --svg or --png")));
  }
  const std::optional<Subject> found = options.measure ? orLeave(measured()) : orLeave(subjectOf(options.file));
  if (!found) return;
  const Subject& subject = *found;
  if (!options.output.empty()) orLeave(writeTo(options.output, subject.description.toYaml()));
  if (options.yaml) {
    fmt::print("{}", subject.description.toYaml());
    return;
  }
  if (!subject.topology) {
    orLeave(Status(makeError(ErrorCode::invalidArgument,
                             "{} has levels without members: it describes the islands of each job, and has none of its "
                             "own to show",
                             options.file)));
  }
  if (options.json) fmt::print("{}\n", jsonOf(*subject.topology, subject.machine ? &*subject.machine : nullptr));
  DrawingOptions drawing = drawingOf(subject);
  if (!options.plan.empty()) {
    const auto wanted = orLeave(routesWanted(options.plan, subject.topology->hierarchy().ranks()));
    drawRoutes(drawing, wanted, *subject.topology);
  }
  const std::string picture = drawn ? drawTopology(*subject.topology, drawing) : std::string();
  if (!options.svg.empty()) orLeave(writeTo(options.svg, picture));
  if (!options.png.empty()) orLeave(writePng(options.png, picture));
  if (!options.json && !drawn) fmt::print("{}", textOf(subject));
}

}  // namespace

void addTopoCommand(CLI::App& program) {
  CLI::App* const command = program.add_subcommand("topo", "Show this machine, or a topology file, and draw it.");
  const auto options = std::make_shared<TopoOptions>();
  command->add_option("file", options->file, "A topology file; this machine if none is given")->type_name("FILE");
  CLI::Option* file = command->get_option("file");
  CLI::Option* measure =
      command->add_flag("--measure", options->measure,
                        "Find the islands of a job by timing links between its ranks; start it by atoll run");
  measure->excludes(file);
  command->add_option("-o,--output", options->output, "Write it as a topology file");
  CLI::Option* json = command->add_flag("--json", options->json, "As JSON");
  CLI::Option* yaml = command->add_flag("--yaml", options->yaml, "As a topology file");
  CLI::Option* svg = command->add_option("--svg", options->svg, "Draw it into this file; - is standard output");
  CLI::Option* png = command->add_option("--png", options->png, "Draw it into this file, by rsvg-convert");
  command->add_option("--plan", options->plan,
                      "Draw the rings or trees of a plan on top: allreduce:ring, or allreduce:ring:4 for four shares");
  json->excludes(yaml, svg, png);
  yaml->excludes(svg, png);
  command->footer(kExamples);
  command->callback([options] { show(*options); });
}

}  // namespace atl::tools

// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/options.h"

#include <CLI/CLI.hpp>
#include <charconv>

#include "src/base/settings.h"

namespace atl::perf {
namespace {

/// A wrong value; CLI11 puts the option's name in front.
[[noreturn]] void reject(const std::string& option, const std::string& text) {
  throw CLI::ValidationError(option, text);
}

std::uint64_t readBytes(const std::string& option, const std::string& text) {
  auto bytes = parseBytes(text);
  if (!bytes.ok()) reject(option, bytes.error().text);
  return *bytes;
}

std::vector<Reduction> readReductions(const std::string& text) {
  if (text == "all") {
    std::vector<Reduction> all;
    for (int i = 0; i < kReductions; ++i) all.push_back(static_cast<Reduction>(i));
    return all;
  }
  const auto reduction = reductionNamed(text);
  if (!reduction) reject("--op", fmt::format("'{}' is not sum, prod, min, max, avg, mulsum or all", text));
  return {*reduction};
}

std::vector<DataType> readTypes(const std::string& text) {
  std::vector<DataType> types;
  std::string names;
  for (int i = 0; i < kDataTypes; ++i) {
    types.push_back(static_cast<DataType>(i));
    names += fmt::format("{}, ", nameOf(types.back()));
  }
  if (text == "all") return types;
  const auto type = dataTypeNamed(text);
  if (!type) reject("--datatype", fmt::format("'{}' is not {}or all", text, names));
  return {*type};
}

int readRoot(const std::string& text) {
  if (text == "all") return Options::kAllRoots;
  int root = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), root);
  if (ec != std::errc() || end != text.data() + text.size() || root < 0) {
    reject("--root", fmt::format("'{}' is not a rank or all", text));
  }
  return root;
}

constexpr int kMany = 1 << 30;

/// A whole number within bounds, described for --help as a person would.
CLI::Range atLeast(int low) {
  return {low, kMany, fmt::format("{} or more", low)};
}
CLI::Range within(int low, int high) {
  return {low, high, fmt::format("{} to {}", low, high)};
}

/// The sizes: -b -e -i -f.
void addSweep(CLI::App& app, Sweep& sweep) {
  const auto bytes = [&](const char* names, const char* option, std::uint64_t& field, const char* text) {
    return app
        .add_option_function<std::string>(
            names, [option, &field](const std::string& value) { field = readBytes(option, value); }, text)
        ->type_name("BYTES");
  };
  bytes("-b,--minbytes", "--minbytes", sweep.minBytes, "smallest size; K, M and G are binary [32M]");
  bytes("-e,--maxbytes", "--maxbytes", sweep.maxBytes, "largest size [32M]");
  auto* step = bytes("-i,--stepbytes", "--stepbytes", sweep.stepBytes, "step from one size to the next [1M]");
  app.add_option("-f,--stepfactor", sweep.factor, "factor from one size to the next, instead of a step [off]")
      ->check(atLeast(1))
      ->excludes(step);
}

/// Who takes part and how the ranks are driven.
void addRanks(CLI::App& app, Options& options) {
  app.add_option("-t,--nthreads", options.threads, "threads of each process, each with ranks of its own [1]")
      ->check(atLeast(1));
  app.add_option("-g,--ngpus", options.ranksPerThread, "ranks of each thread, driven by group calls [1]")
      ->check(atLeast(1));
  app.add_option("-p,--parallel_init", options.parallelInit,
                 "1: threads make their communicators at the same time [0]");
  app.add_option("-T,--timeout", options.timeoutSeconds, "time limit of a call in seconds; 0 for none [the library's]")
      ->check(CLI::Range(0.0, 1e9, "0 or more"));
  app.add_flag("--out-of-place", options.outOfPlaceOnly, "measure no calls in place, unless there are no others");
  app.add_flag("--stream", options.stream, "run the calls on host streams instead of in the calling thread");
  app.add_option_function<int>(
         "-R,--local_register", [&options](int mode) { options.registerBuffers = mode != 0; },
         "0: ordinary memory; 1, 2: memory of the library's, registered (in host memory every registration is "
         "symmetric) [0]")
      ->check(within(0, 2));
  app.add_option_function<int>(
         "-G,--cudagraph",
         [](int launches) {
           if (launches != 0) {
             reject("--cudagraph",
                    fmt::format("{} asked for, but calls in host memory cannot be captured in a CUDA graph; use 0",
                                launches));
           }
         },
         "launches of a CUDA graph; only 0 in host memory [0]")
      ->check(atLeast(0));
}

/// What is called and on which data.
void addCall(CLI::App& app, Options& options) {
  app.add_option_function<std::string>(
         "-o,--op", [&options](const std::string& text) { options.reductions = readReductions(text); },
         "operator: sum, prod, min, max, avg, mulsum or all; for collectives that reduce [sum]")
      ->type_name("OP");
  app.add_option_function<std::string>(
         "-d,--datatype", [&options](const std::string& text) { options.types = readTypes(text); },
         "element type, e.g. float, half, bfloat16, f8e4m3, int32; or all [float]")
      ->type_name("TYPE");
  app.add_option_function<std::string>(
         "-r,--root", [&options](const std::string& text) { options.root = readRoot(text); },
         "root rank, or all; for collectives that have one [0]")
      ->type_name("RANK");
  app.add_option("-c,--check", options.checks, "checked runs of each size; 0 for none [1]")->check(atLeast(0));
}

/// How time is taken.
void addTiming(CLI::App& app, Options& options) {
  app.add_option("-n,--iters", options.iterations, "timed iterations [20]")->check(atLeast(1));
  app.add_option("-w,--warmup_iters", options.warmup, "iterations before, not timed, of each size [1]")
      ->check(atLeast(0));
  app.add_option_function<std::string>(
         "--rotation", [&options](const std::string& text) { options.rotation = readBytes("--rotation", text); },
         "memory of each buffer that successive iterations are spread over: more than the caches hold for cold data, 0 "
         "for the same memory every time [that of the largest size]")
      ->type_name("BYTES");
  app.add_option("-m,--agg_iters", options.aggregate, "calls issued as one group in an iteration [1]")
      ->check(atLeast(1));
  app.add_option("-N,--run_cycles", options.cycles, "times to run the whole sweep; 0 for ever [1]")->check(atLeast(0));
  app.add_option_function<int>(
         "-z,--blocking",
         [&options](int mode) {
           options.waitEachCall = (mode & 1) != 0;
           options.alignIterations = (mode & 2) != 0;
         },
         "0: wait once, after the last iteration; 1: wait after each; 2: a barrier, not timed, before each; 3: both "
         "[0]")
      ->check(within(0, 3));
  app.add_option("-C,--report_cputime", options.cpuTime, "1: the time column shows the calling thread's CPU time [0]");
  app.add_option_function<int>(
         "-a,--average", [&options](int mode) { options.average = static_cast<Average>(mode); },
         "whose time is shown: 0 rank 0, 1 average, 2 least, 3 greatest of all ranks [1]")
      ->check(within(0, 3));
  app.add_option("-I,--iteration_spread", options.iterationSpread,
                 "1: least, median and 99th percentile of the iterations below each row [0]");
  app.add_option("-K,--iteration_samples", options.iterationSamples, "1: every iteration's time in the JSON file [0]");
}

}  // namespace

std::variant<Options, EarlyExit> parseOptions(const Collective& collective, int argc, const char* const* argv) {
  Options options;
  for (int i = 1; i < argc; ++i) options.arguments.emplace_back(argv[i]);

  CLI::App app{std::string(collective.what), std::string(collective.program)};
  app.set_version_flag("--version", fmt::format("{}.{}.{}", ATOLL_MAJOR, ATOLL_MINOR, ATOLL_PATCH));
  app.footer(
      "Ranks are processes x threads x ranks of a thread. Start several processes with `atoll run -n N`, mpirun or "
      "srun.");
  addSweep(app, options.sweep);
  addRanks(app, options);
  addCall(app, options);
  addTiming(app, options);
  app.add_option("-J,--output_file", options.jsonFile, "also write the results to this file, as JSON")
      ->type_name("FILE");

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return EarlyExit{0, app.help()};
  } catch (const CLI::CallForVersion& version) {
    return EarlyExit{0, fmt::format("{}\n", version.what())};
  } catch (const CLI::ParseError& error) {
    return EarlyExit{kExitBadUsage,
                     fmt::format("{}: {}\nRun it with --help for its options.\n", collective.program, error.what())};
  }
  if (auto sizes = sizesOf(options.sweep); !sizes.ok()) {
    return EarlyExit{kExitBadUsage, fmt::format("{}: {}\n", collective.program, sizes.error().text)};
  }
  if (options.iterationSamples && options.jsonFile.empty()) {
    return EarlyExit{
        kExitBadUsage,
        fmt::format("{}: --iteration_samples goes to the JSON file: give --output_file too\n", collective.program)};
  }
  return options;
}

}  // namespace atl::perf

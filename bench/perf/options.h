// SPDX-License-Identifier: Apache-2.0
// The command line of the programs: nccl-tests' options, where they make sense in host memory, and a few of Atoll's
// own.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "bench/perf/collective.h"
#include "bench/perf/reduction.h"
#include "bench/perf/sweep.h"
#include "src/base/types.h"

namespace atl::perf {

/// Whose time a row shows (-a).
enum class Average : int { rank0 = 0, mean = 1, min = 2, max = 3 };

struct Options {
  int threads = 1;                                       ///< -t: threads of a process
  int ranksPerThread = 1;                                ///< -g: ranks that one thread drives, by group calls
  Sweep sweep;                                           ///< -b -e -i -f
  int iterations = 20;                                   ///< -n
  int warmup = 1;                                        ///< -w: of every size, not timed
  int aggregate = 1;                                     ///< -m: calls of one iteration, issued as a group
  int cycles = 1;                                        ///< -N: whole sweeps; 0 for ever
  bool parallelInit = false;                             ///< -p: threads make their communicators at the same time
  int checks = 1;                                        ///< -c: checked runs of every size; 0 for none
  std::vector<Reduction> reductions = {Reduction::sum};  ///< -o
  std::vector<DataType> types = {DataType::float32};     ///< -d
  int root = 0;                                          ///< -r; kAllRoots for each in turn
  bool waitEachCall = false;                             ///< -z bit 0: wait for the stream after every iteration
  bool alignIterations = false;                          ///< -z bit 1: a barrier, not timed, before every iteration
  double timeoutSeconds = -1;       ///< -T: the communicators' time limit; negative for the library's own
  bool cpuTime = false;             ///< -C: the time column shows the thread's CPU time
  Average average = Average::mean;  ///< -a
  bool registerBuffers = false;     ///< -R: buffers from atollMemAlloc, registered with the communicator
  bool iterationSpread = false;     ///< -I: min, median, p99 of the iterations below each row
  bool iterationSamples = false;    ///< -K: every iteration's time in the JSON file
  bool freshInput = false;          ///< `atoll tune`: what is sent has been written since the last call
  bool outOfPlaceOnly = false;      ///< --out-of-place: no in-place half, where there is an out-of-place one
  bool stream = false;              ///< --stream: calls go to a host stream instead of running in the calling thread
  /// --rotation: memory of a buffer over which successive iterations are spread, at least; 0: all use the same.
  std::optional<std::uint64_t> rotation;
  std::string jsonFile;                ///< -J: empty for none
  std::vector<std::string> arguments;  ///< the command line as given

  static constexpr int kAllRoots = -1;
  /// The position of a buffer (see Buffer) that an iteration uses, counted from the first of the warm-up.
  [[nodiscard]] std::size_t positionOf(int iteration) const {
    return rotation == 0 ? 0 : static_cast<std::size_t>(iteration);
  }
  /// Usable bytes of a buffer in which the largest region takes `largest`.
  [[nodiscard]] std::size_t capacityFor(std::size_t largest) const {
    return largest == 0 ? 0 : std::max<std::size_t>(largest, rotation.value_or(0));
  }
  [[nodiscard]] bool timesIterations() const { return iterationSpread || iterationSamples || alignIterations; }
};

/// The program is to end at once, with a text for a person: after --help, --version, or a wrong option.
struct EarlyExit {
  int code = 0;
  std::string text;
};

/// Reads the command line of the collective's program. -o and -r are taken by every program and ignored (as nccl-tests
/// does) where the collective has no operator or root.
std::variant<Options, EarlyExit> parseOptions(const Collective& collective, int argc, const char* const* argv);

/// Exit codes of the programs.
inline constexpr int kExitFailed = 1;    ///< wrong data, or a call failed
inline constexpr int kExitBadUsage = 2;  ///< a wrong option

}  // namespace atl::perf

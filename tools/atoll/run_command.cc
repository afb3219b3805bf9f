// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/run_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tools/atoll/launch/agent.h"
#include "tools/atoll/launch/launcher.h"

namespace atl::tools {
namespace {

constexpr const char* kDescription =
    "Start the ranks of a program, here or on several hosts, and carry their output, input and signals.\n"
    "When a rank fails, the others are ended and its exit code is returned (128 + N after signal N).";

constexpr const char* kExamples = R"(Examples:
  atoll run -n 4 -- all_reduce_perf -b 8 -e 64M -f 4
  atoll run -n 8 -H node1,node2 -- ./train          four ranks a host, by ssh
  atoll run -H node1:6,node2:2 -- ./train           as many ranks as the list says
  ATOLL_DEBUG=info atoll run -n 2 -- ./train        ATOLL_* settings reach every host)";

struct RunOptions {
  launch::LaunchOptions launch;
  std::string hosts;
  Rank ranks = 0;
  bool noPrefix = false;
  bool agent = false;
};

/// An agent speaks over what its remote shell gave it as standard input and output.
int runAgent() {
  auto pipe = launch::FramePipe::over(UniqueFd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)),
                                      UniqueFd(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)));
  if (!pipe.ok()) {
    fmt::print(stderr, "atoll run: {}\n", pipe.error().text);
    return EXIT_FAILURE;
  }
  // The ranks' own standard output is a pipe to the agent; nothing else may write into the conversation.
  const UniqueFd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  ::dup2(nothing.get(), STDIN_FILENO);
  ::dup2(nothing.get(), STDOUT_FILENO);
  return launch::serveAgent(std::move(*pipe));
}

/// Descriptors 0 to 2 have to exist, or a pipe of ours would become somebody's standard output.
void openStandardDescriptors() {
  for (int fd = ::open("/dev/null", O_RDWR); fd >= 0; fd = ::open("/dev/null", O_RDWR)) {
    if (fd <= STDERR_FILENO) continue;
    ::close(fd);
    return;
  }
}

int run(RunOptions& options) {
  openStandardDescriptors();
  if (options.agent) return runAgent();
  if (options.launch.command.empty()) {
    fmt::print(stderr, "atoll run: no program was given; see atoll run --help\n");
    return EXIT_FAILURE;
  }
  auto hosts = launch::placeRanks(options.hosts, options.ranks);
  if (!hosts.ok()) {
    fmt::print(stderr, "atoll run: {}\n", hosts.error().text);
    return EXIT_FAILURE;
  }
  options.launch.hosts = std::move(*hosts);
  const Rank ranks = options.launch.hosts.back().first + options.launch.hosts.back().count;
  options.launch.prefix = ranks > 1 && !options.noPrefix;
  const auto code = launch::launch(options.launch);
  if (!code.ok()) {
    fmt::print(stderr, "atoll run: {}\n", code.error().text);
    return EXIT_FAILURE;
  }
  return *code;
}

}  // namespace

void addRunCommand(CLI::App& program) {
  CLI::App* const command = program.add_subcommand("run", kDescription);
  command->footer(kExamples);
  auto options = std::make_shared<RunOptions>();
  launch::LaunchOptions& launch = options->launch;
  command->add_option("-n,--ranks", options->ranks, "Number of ranks [1, or what the host list says]")
      ->check(CLI::Range(1, 1 << 20))
      ->type_name("N");
  command->add_option("-H,--hosts", options->hosts, "Hosts as HOST[:RANKS],… [this host]")->type_name("LIST");
  command
      ->add_option("-x,--export", launch.exports,
                   "A variable for the ranks' environment on other hosts; may be repeated")
      ->allow_extra_args(false)
      ->type_name("NAME[=VALUE]");
  command->add_option("--rsh", launch.remoteShell, "Command that runs another on a host")
      ->capture_default_str()
      ->type_name("COMMAND");
  command->add_option("--remote-atoll", launch.remoteProgram, "Path of atoll on the other hosts [the same as here]")
      ->type_name("PATH");
  command->add_option("--timeout", launch.timeoutSeconds, "End the job after this time, with code 124 [never]")
      ->check(CLI::NonNegativeNumber)
      ->type_name("SECONDS");
  command->add_option("--grace", launch.graceSeconds, "Time between SIGTERM and SIGKILL")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->type_name("SECONDS");
  command->add_flag("--keep-going", launch.keepGoing, "A rank's failure does not end the others");
  command->add_flag("--no-prefix", options->noPrefix, "No rank in front of each line [none either for one rank]");
  command->add_flag("--agent", options->agent)->group("");
  command->add_option("program", launch.command, "Program and its arguments, best after --");
  command->positionals_at_end();
  command->callback([options] {
    // Not through return values: CLI11 hands an exit code on by this exception.
    throw CLI::RuntimeError(run(*options));
  });
}

}  // namespace atl::tools

// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/program_runner.h"

#include <sys/wait.h>

#include <cstdio>
#include <sstream>

namespace atl::perf {

std::vector<PrintedRow> ProgramRun::rows() const {
  std::vector<PrintedRow> all;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    PrintedRow row;
    std::istringstream words(line);
    for (std::string word; words >> word;) row.words.push_back(word);
    if (row.words.size() == 13 && row.words[0].find_first_not_of("0123456789") == std::string::npos) all.push_back(row);
  }
  return all;
}

ProgramRun runPerf(const std::string& program, const std::string& arguments, const std::string& launcher) {
  // Only a safety net: what hangs is a failure of its own.
  const std::string command =
      "timeout --kill-after=5 120 " + launcher + " " ATOLL_PROGRAM_FOLDER "/" + program + " " + arguments + " 2>&1";
  ProgramRun run;
  FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return run;
  char block[4096];
  for (std::size_t n = 0; (n = std::fread(block, 1, sizeof block, pipe)) > 0;) run.output.append(block, n);
  const int status = ::pclose(pipe);
  if (WIFEXITED(status)) run.exitCode = WEXITSTATUS(status);
  return run;
}

}  // namespace atl::perf

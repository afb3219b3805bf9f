// SPDX-License-Identifier: Apache-2.0
// Runs a built _perf program and reads what it printed.
#pragma once

#include <string>
#include <vector>

namespace atl::perf {

/// One row as printed: its words.
struct PrintedRow {
  std::vector<std::string> words;
  [[nodiscard]] long long bytes() const { return std::stoll(words.at(0)); }
  [[nodiscard]] const std::string& type() const { return words.at(2); }
  [[nodiscard]] const std::string& reduction() const { return words.at(3); }
  [[nodiscard]] int root() const { return std::stoi(words.at(4)); }
  [[nodiscard]] const std::string& wrong() const { return words.at(8); }
  [[nodiscard]] const std::string& wrongInPlace() const { return words.at(12); }
};

struct ProgramRun {
  int exitCode = -1;   ///< −1: killed by a signal
  std::string output;  ///< standard output and error
  [[nodiscard]] std::vector<PrintedRow> rows() const;
  [[nodiscard]] bool saysOk() const { return output.find("# Out of bounds values : 0 OK") != std::string::npos; }
};

/// Runs a program of this build with arguments that a shell would not touch, under a launcher's command if one is
/// given. A run that takes too long is ended.
ProgramRun runPerf(const std::string& program, const std::string& arguments, const std::string& launcher = "");

}  // namespace atl::perf

// SPDX-License-Identifier: Apache-2.0
// A program under test as a real process: its output, its end, and a limit on its time.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

namespace atl::test {

struct ProgramResult {
  int code = -1;  ///< exit code, or 128 + signal; -1 when it had to be killed at the limit
  std::string output;
  std::string errors;
};

/// NAME=VALUE on top of the environment; a bare NAME removes it.
using Environment = std::vector<std::string>;

class ProgramRun {
 public:
  /// Starts it at once. Output and errors go to unnamed files, so that nothing is lost and nothing blocks.
  explicit ProgramRun(const std::vector<std::string>& command, const Environment& environment = {},
                      const std::string& input = "");
  /// Kills it if it still runs.
  ~ProgramRun();
  ProgramRun(const ProgramRun&) = delete;
  ProgramRun& operator=(const ProgramRun&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const;

  /// Waits for the end; after `limitSeconds` it is killed and the test fails.
  ProgramResult wait(double limitSeconds = 120);

  /// Output so far.
  [[nodiscard]] std::string output() const;
  [[nodiscard]] std::string errors() const;
  /// Waits until the output holds `count` whole lines that contain `text`, and returns them; the test fails when they
  /// do not come.
  std::vector<std::string> awaitLines(const std::string& text, std::size_t count, double limitSeconds = 120) const;

 private:
  struct Files;
  std::unique_ptr<Files> files_;
  pid_t pid_ = -1;
};

/// Starts it and waits.
ProgramResult runProgram(const std::vector<std::string>& command, const Environment& environment = {},
                         const std::string& input = "");

/// True when the process is gone within the limit. A zombie counts as gone.
bool endsWithin(pid_t pid, double limitSeconds);

/// The lines of a text, without their ends.
std::vector<std::string> linesOf(const std::string& text);

}  // namespace atl::test

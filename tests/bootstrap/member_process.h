// SPDX-License-Identifier: Apache-2.0
// A member (see member.cc) as the test sees it.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "src/base/unique_fd.h"

namespace atl::test {

class MemberProcess {
 public:
  MemberProcess();
  ~MemberProcess();
  MemberProcess(MemberProcess&&) = default;
  MemberProcess& operator=(MemberProcess&&) = delete;

  void tell(const std::string& command);
  /// The next line that begins with `prefix`; lines before it are kept in heard(). Empty after 30 s or at the end of
  /// the output.
  std::string await(const std::string& prefix);
  /// Everything said so far that no await has returned.
  [[nodiscard]] const std::vector<std::string>& heard() const { return heard_; }
  /// Asks for an id by the command and gives its digits.
  std::string askId(const std::string& command = "open");
  void kill(int signal);
  /// Ends its input and waits; the rest of what it says goes to heard(). Its wait status.
  int finish();
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  bool readMore(int milliseconds);

  pid_t pid_ = -1;
  UniqueFd input_;
  UniqueFd output_;
  std::string partial_;
  std::vector<std::string> lines_;
  std::vector<std::string> heard_;
};

/// True if one of the lines contains the text.
bool contains(const std::vector<std::string>& lines, const std::string& text);

}  // namespace atl::test

// SPDX-License-Identifier: Apache-2.0
// Waits until a thread sleeps, as the kernel sees it.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <fstream>
#include <string>

namespace atl::test {

/// The letter of a thread's state in /proc: R running, S sleeping, Z dead; '?' if there is no such thread.
inline char stateOf(pid_t process, pid_t thread) {
  std::ifstream file("/proc/" + std::to_string(process) + "/task/" + std::to_string(thread) + "/stat");
  std::string text;
  std::getline(file, text);
  const auto name = text.rfind(')');  // a program's name may contain anything
  return name == std::string::npos || name + 2 >= text.size() ? '?' : text[name + 2];
}

/// For a thread that is in a call which will not end by itself. Returns at once if there is no such thread.
inline void awaitAsleep(pid_t process, pid_t thread) {
  while (stateOf(process, thread) == 'R') ::sched_yield();
}

}  // namespace atl::test

// SPDX-License-Identifier: Apache-2.0
#include "bench/compare_bounds/cores.h"

#include <sched.h>

#include <cerrno>
#include <thread>

namespace atl::perf {

Result<std::vector<int>> usableCores() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (::sched_getaffinity(0, sizeof mask, &mask) != 0) return systemError(errno, "cannot ask for the affinity mask");
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &mask)) cores.push_back(core);
  }
  return cores;
}

void onEachCore(const std::vector<int>& cores, const std::function<void(std::size_t index)>& body) {
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < cores.size(); ++i) {
    threads.emplace_back([&, i] {
      cpu_set_t mask;
      CPU_ZERO(&mask);
      CPU_SET(cores[i], &mask);
      // A core that was taken away meanwhile leaves the thread wherever it is: slower at worst, and a bound is a best.
      ::sched_setaffinity(0, sizeof mask, &mask);
      body(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace atl::perf

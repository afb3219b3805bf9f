// SPDX-License-Identifier: Apache-2.0
// What a core is told between two looks at a flag: it saves power, and leaves more of a shared core to the other
// thread.
#pragma once

namespace atl {

inline void pauseCore() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace atl

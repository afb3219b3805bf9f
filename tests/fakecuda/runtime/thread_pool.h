// SPDX-License-Identifier: Apache-2.0
// Threads for streams and blocks. Whatever is started gets a thread at once, for it may wait for something started
// later.
#pragma once

#include <functional>

namespace fakecuda {

/// Runs the job in another thread, one that waits for work or a new one. Never waits itself. Jobs may not throw.
void startJob(std::function<void()> job);

}  // namespace fakecuda

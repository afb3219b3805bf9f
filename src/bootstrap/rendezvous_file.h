// SPDX-License-Identifier: Apache-2.0
// A rendezvous by way of a file that all processes of a job can see, on one host or on a shared file system.
#pragma once

#include <string>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/base/settings.h"
#include "src/bootstrap/session.h"

namespace atl {

/// Process 0 (`host`) opens a rendezvous and writes it to `path`, readable by the owner only and in one piece (a
/// rename), in place of whatever was there. The others wait for the file. A file that was there long before this
/// process started (longer than the bootstrap time limit) is of an earlier job and is not believed.
Result<UniqueId> rendezvousByFile(const std::string& path, bool host, const Settings& settings, Deadline deadline);

/// Removes the file; for process 0, once everyone has joined. A file that is gone already is no error.
Status removeRendezvousFile(const std::string& path);

}  // namespace atl

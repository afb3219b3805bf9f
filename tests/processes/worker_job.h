// SPDX-License-Identifier: Apache-2.0
// Jobs of worker programs that end with "rank R of N ok": how they are started, and what is expected of them.
#pragma once

#include "tests/processes/program_run.h"

namespace atl::test {

/// The reason why a test cannot use an MPI launcher and must be skipped, or empty.
std::string cannotUse(const std::string& launcher, const std::string& package);

/// The reason why no job can use UCX here, or empty: what `worker` says of it when it is alone.
std::string cannotUseUcx(const std::string& worker);

/// What a job needs in its environment to have RDMA, over adapters that are not there (tests/fakeverbs), and nothing
/// else; empty where the fake was not built. Each job has a network of its own.
Environment rdmaOverFake();

/// What a job needs to have NCCL's network plug-ins, by Atoll's own, which carries data by `transport` (rdma: as
/// above); empty where that was not built.
Environment ncclNetOverAtoll(const std::string& transport);

/// What a job under an MPI launcher needs in its environment, also as root and with AddressSanitizer.
extern const Environment kUnderMpi;

/// Runs the job under atoll run.
ProgramResult underAtoll(int ranks, const std::vector<std::string>& worker, const Environment& environment);

/// Fails the test unless the job succeeded and each of its ranks said so.
void expectAllOk(const ProgramResult& result, int ranks);

}  // namespace atl::test

// SPDX-License-Identifier: Apache-2.0
// Teams of NCCL's device API, as hosts ask for them. No rank reaches another's memory from kernels of the user's here,
// so the team of those that do is each rank alone.
#include "integrations/nccl/results.h"

struct ncclTeam_t {
  int nRanks;
  int rank;
  int stride;
};

namespace {

ncclTeam_t world(ncclComm_t comm) {
  ncclTeam_t team{0, 0, 1};
  atollCommCount(atl::nccl::atollsOf(comm), &team.nRanks);
  atollCommUserRank(atl::nccl::atollsOf(comm), &team.rank);
  return team;
}

}  // namespace

ATOLL_NCCL_API ncclTeam_t pncclTeamWorld(ncclComm_t comm) {
  return world(comm);
}
ATOLL_NCCL_TWIN(TeamWorld);

ATOLL_NCCL_API ncclTeam_t pncclTeamLsa(ncclComm_t /*comm*/) {
  return {1, 0, 1};
}
ATOLL_NCCL_TWIN(TeamLsa);

ATOLL_NCCL_API ncclTeam_t pncclTeamRail(ncclComm_t comm) {
  return world(comm);
}
ATOLL_NCCL_TWIN(TeamRail);

ATOLL_NCCL_API int pncclTeamRankToWorld(ncclComm_t comm, ncclTeam_t team, int rank) {
  return world(comm).rank + (rank - team.rank) * team.stride;
}
ATOLL_NCCL_TWIN(TeamRankToWorld);

ATOLL_NCCL_API int pncclTeamRankToLsa(ncclComm_t /*comm*/, ncclTeam_t team, int rank) {
  return (rank - team.rank) * team.stride;
}
ATOLL_NCCL_TWIN(TeamRankToLsa);

// Of an exchange in kernels of the user's: there is none.
ATOLL_NCCL_API int pncclLLA2ACalcSlots(int /*maxElements*/, int /*maxElementSize*/) {
  return 0;
}
ATOLL_NCCL_TWIN(LLA2ACalcSlots);

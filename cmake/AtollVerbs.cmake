# SPDX-License-Identifier: Apache-2.0
# Are libibverbs's headers here? Sets
#   ATOLL_VERBS_FOUND    TRUE where they are, of a version that is supported, and ATOLL_VERBS is not OFF
#   ATOLL_VERBS_REASON   why ATOLL_VERBS_FOUND is FALSE
# and defines the target atoll_verbs_headers. Nothing is linked: the library is opened when it is asked for.
atoll_switch(VERBS "its headers are")

find_path(ATOLL_VERBS_INCLUDE infiniband/verbs.h)
mark_as_advanced(ATOLL_VERBS_INCLUDE)

set(verbs_reason "")
if(ATOLL_VERBS STREQUAL "OFF")
  set(verbs_reason "switched off by ATOLL_VERBS=OFF")
elseif(NOT ATOLL_VERBS_INCLUDE)
  set(verbs_reason "libibverbs's headers (infiniband/verbs.h, Debian: libibverbs-dev) were not found")
else()
  file(STRINGS ${ATOLL_VERBS_INCLUDE}/infiniband/verbs.h verbs_gid_table REGEX "_ibv_query_gid_ex")
  if(NOT verbs_gid_table)
    set(verbs_reason "libibverbs's headers in ${ATOLL_VERBS_INCLUDE} are older than rdma-core 31")
  endif()
endif()
atoll_found(VERBS "${ATOLL_VERBS_INCLUDE}" "${verbs_reason}" "libibverbs-dev has them")

# SPDX-License-Identifier: Apache-2.0
# Are UCX's headers here? Sets
#   ATOLL_UCX_FOUND    TRUE where they are, of a version that is supported, and ATOLL_UCX is not OFF
#   ATOLL_UCX_REASON   why ATOLL_UCX_FOUND is FALSE
#   ATOLL_UCX_VERSION  "1.13"
# and defines the target atoll_ucx_headers. Nothing is linked: the library is opened when it is asked for.
atoll_switch(UCX "its headers are")

find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
  pkg_check_modules(ATOLL_UCX_PC QUIET ucx)
endif()
find_path(ATOLL_UCX_INCLUDE ucp/api/ucp.h HINTS $ENV{UCX_HOME}/include ${ATOLL_UCX_PC_INCLUDE_DIRS})
mark_as_advanced(ATOLL_UCX_INCLUDE)

if(ATOLL_UCX_INCLUDE)
  file(STRINGS ${ATOLL_UCX_INCLUDE}/ucp/api/ucp_version.h ucx_version_lines REGEX "#define UCP_API_(MAJOR|MINOR)")
  string(REGEX REPLACE ".*MAJOR +([0-9]+).*MINOR +([0-9]+).*" "\\1.\\2" ATOLL_UCX_VERSION "${ucx_version_lines}")
endif()

set(ucx_reason "")
if(ATOLL_UCX STREQUAL "OFF")
  set(ucx_reason "switched off by ATOLL_UCX=OFF")
elseif(NOT ATOLL_UCX_INCLUDE)
  set(ucx_reason "UCX's headers (ucp/api/ucp.h) were not found")
elseif(ATOLL_UCX_VERSION VERSION_LESS 1.13)
  set(ucx_reason "UCX ${ATOLL_UCX_VERSION} in ${ATOLL_UCX_INCLUDE} is older than 1.13")
endif()
atoll_found(UCX "${ATOLL_UCX_INCLUDE}" "${ucx_reason}" "UCX_HOME can say where UCX is")

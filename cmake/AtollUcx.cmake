# SPDX-License-Identifier: Apache-2.0
# Are UCX's headers here? Sets
#   ATOLL_UCX_FOUND    TRUE where they are, of a version that is supported, and ATOLL_UCX is not OFF
#   ATOLL_UCX_REASON   why ATOLL_UCX_FOUND is FALSE
#   ATOLL_UCX_VERSION  "1.13"
# and defines the target atoll_ucx_headers. Nothing is linked: the library is opened when it is asked for.
set(ATOLL_UCX AUTO CACHE STRING "UCX: AUTO (where its headers are found), ON (an error where they are not) or OFF")
set_property(CACHE ATOLL_UCX PROPERTY STRINGS AUTO ON OFF)
if(NOT ATOLL_UCX MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "ATOLL_UCX is '${ATOLL_UCX}': use AUTO, ON or OFF")
endif()

find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
  pkg_check_modules(ATOLL_UCX_PC QUIET ucx)
endif()
find_path(ATOLL_UCX_INCLUDE ucp/api/ucp.h HINTS $ENV{UCX_HOME}/include ${ATOLL_UCX_PC_INCLUDE_DIRS})
mark_as_advanced(ATOLL_UCX_INCLUDE)

set(ATOLL_UCX_FOUND FALSE)
set(ATOLL_UCX_VERSION "")
if(ATOLL_UCX_INCLUDE)
  file(STRINGS ${ATOLL_UCX_INCLUDE}/ucp/api/ucp_version.h ucx_version_lines REGEX "#define UCP_API_(MAJOR|MINOR)")
  string(REGEX REPLACE ".*MAJOR +([0-9]+).*MINOR +([0-9]+).*" "\\1.\\2" ATOLL_UCX_VERSION "${ucx_version_lines}")
endif()

if(ATOLL_UCX STREQUAL "OFF")
  set(ATOLL_UCX_REASON "switched off by ATOLL_UCX=OFF")
elseif(NOT ATOLL_UCX_INCLUDE)
  set(ATOLL_UCX_REASON "UCX's headers (ucp/api/ucp.h) were not found")
elseif(ATOLL_UCX_VERSION VERSION_LESS 1.13)
  set(ATOLL_UCX_REASON "UCX ${ATOLL_UCX_VERSION} in ${ATOLL_UCX_INCLUDE} is older than 1.13")
else()
  set(ATOLL_UCX_FOUND TRUE)
  set(ATOLL_UCX_REASON "")
  add_library(atoll_ucx_headers INTERFACE)
  target_include_directories(atoll_ucx_headers SYSTEM INTERFACE ${ATOLL_UCX_INCLUDE})
endif()

if(ATOLL_UCX STREQUAL "ON" AND NOT ATOLL_UCX_FOUND)
  message(FATAL_ERROR "ATOLL_UCX=ON, but ${ATOLL_UCX_REASON}; UCX_HOME can say where UCX is")
endif()

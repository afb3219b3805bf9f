# SPDX-License-Identifier: Apache-2.0
# What this build has and why it lacks the rest: a summary at the end of the configuration, and a header for `atoll info`.

# atoll_feature(NAME ON|OFF REASON): one line of the summary.
function(atoll_feature name state reason)
  set_property(GLOBAL APPEND PROPERTY ATOLL_FEATURES "${name}|${state}|${reason}")
endfunction()

# atoll_absent_feature(NAME WHAT FOUND): something that Atoll will use in a later version, present here or not.
function(atoll_absent_feature name what found)
  if(found)
    atoll_feature(${name} OFF "${what} is here, but this version does not use it yet")
  else()
    atoll_feature(${name} OFF "${what} was not found, and this version would not use it yet")
  endif()
endfunction()

find_program(ATOLL_NVCC nvcc HINTS /usr/local/cuda/bin)
find_path(ATOLL_VERBS_INCLUDE infiniband/verbs.h)
find_path(ATOLL_UCX_INCLUDE ucp/api/ucp.h)
mark_as_advanced(ATOLL_NVCC ATOLL_VERBS_INCLUDE ATOLL_UCX_INCLUDE)

foreach(transport IN ITEMS inproc shm tcp)
  if(EXISTS ${CMAKE_SOURCE_DIR}/transports/${transport} AND "transports" IN_LIST ATOLL_FOLDERS)
    atoll_feature("transport ${transport}" ON "")
  else()
    atoll_feature("transport ${transport}" OFF "its folder is not part of this build")
  endif()
endforeach()
atoll_absent_feature(CUDA "the CUDA compiler" "${ATOLL_NVCC}")
atoll_absent_feature(verbs "libibverbs" "${ATOLL_VERBS_INCLUDE}")
atoll_absent_feature(UCX "UCX" "${ATOLL_UCX_INCLUDE}")

# Two outputs of one list: build_features.h and the summary.
function(atoll_report_features)
  get_property(features GLOBAL PROPERTY ATOLL_FEATURES)
  set(ATOLL_FEATURE_ROWS "")
  message(STATUS "Atoll ${PROJECT_VERSION}, ${CMAKE_BUILD_TYPE}, ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}")
  foreach(feature IN LISTS features)
    string(REPLACE "|" ";" fields "${feature}")
    list(GET fields 0 name)
    list(GET fields 1 state)
    string(REGEX REPLACE "^[^|]*\\|[^|]*\\|" "" reason "${feature}")
    if(state)
      message(STATUS "  ${name}: on")
      string(APPEND ATOLL_FEATURE_ROWS "    BuildFeature{\"${name}\", true, \"\"},\n")
    else()
      message(STATUS "  ${name}: off (${reason})")
      string(APPEND ATOLL_FEATURE_ROWS "    BuildFeature{\"${name}\", false, \"${reason}\"},\n")
    endif()
  endforeach()
  configure_file(${CMAKE_SOURCE_DIR}/cmake/build_features.h.in ${CMAKE_BINARY_DIR}/generated/build_features.h @ONLY)
endfunction()
atoll_report_features()

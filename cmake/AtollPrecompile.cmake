# SPDX-License-Identifier: Apache-2.0
# Headers that are read once for all: with a sanitizer, half of what clang does for a file is to read fmt, GoogleTest and the
# containers again. The plain builds go without, so that a file that forgets an #include does not get through.
option(ATOLL_PRECOMPILE "Read the headers that most files include only once (the sanitizers' presets do)" OFF)

# Code of libraries and code of programs is generated differently, and neither can use the other's headers.
if(ATOLL_PRECOMPILE)
  find_package(fmt REQUIRED)
  find_package(Threads REQUIRED)
  set(common_headers
      <fmt/format.h> <algorithm> <array> <atomic> <chrono> <cstddef> <cstdint> <functional> <map> <memory> <mutex> <optional>
      <random> <span> <string> <string_view> <thread> <tuple> <utility> <variant> <vector>)
  file(WRITE ${CMAKE_BINARY_DIR}/generated/precompile_library.cc "")
  add_library(atoll_precompiled_library STATIC ${CMAKE_BINARY_DIR}/generated/precompile_library.cc)
  target_link_libraries(atoll_precompiled_library PRIVATE fmt::fmt Threads::Threads)
  target_precompile_headers(atoll_precompiled_library PRIVATE ${common_headers})
  if(ATOLL_BUILD_TESTS)
    file(WRITE ${CMAKE_BINARY_DIR}/generated/precompile_test.cc "int main() {}\n")
    add_executable(atoll_precompiled_test ${CMAKE_BINARY_DIR}/generated/precompile_test.cc)
    target_link_libraries(atoll_precompiled_test PRIVATE fmt::fmt Threads::Threads GTest::gtest GTest::gmock)
    target_precompile_headers(atoll_precompiled_test PRIVATE ${common_headers} <gmock/gmock.h> <gtest/gtest.h>)
  endif()
  # The headers differ from one build to the next by nothing but the time, which ccache would take for a change.
  foreach(target IN ITEMS atoll_precompiled_library atoll_precompiled_test)
    if(TARGET ${target} AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
      target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
    endif()
  endforeach()
endif()

# atoll_precompiled(NAME library|test): the target's files find the common headers read.
function(atoll_precompiled name kind)
  if(TARGET atoll_precompiled_${kind})
    target_precompile_headers(${name} REUSE_FROM atoll_precompiled_${kind})
  endif()
endfunction()

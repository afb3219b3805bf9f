# SPDX-License-Identifier: Apache-2.0
# Warnings, sanitizers and the helper that every folder uses to define a library and its tests.
option(ATOLL_BUILD_TESTS "Build the tests" ON)
set(ATOLL_SANITIZE "" CACHE STRING "Sanitizers to build with: empty, address (with undefined) or thread")

add_compile_options(-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Werror)
add_compile_options($<$<COMPILE_LANGUAGE:C>:-Wno-non-virtual-dtor>)
if(ATOLL_SANITIZE STREQUAL "address")
  # What is left out AddressSanitizer finds too where it does harm, and it makes builds half as long again.
  add_compile_options(-fsanitize=address,undefined -fno-sanitize=null,vptr,object-size,pointer-overflow
                      -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    add_compile_options(-fno-sanitize=function)  # C programs are linked without what it calls
  endif()
  add_link_options(-fsanitize=address,undefined)
elseif(ATOLL_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
elseif(NOT ATOLL_SANITIZE STREQUAL "")
  message(FATAL_ERROR "ATOLL_SANITIZE is '${ATOLL_SANITIZE}': use address, thread or nothing")
endif()

if(ATOLL_SANITIZE)
  # For tests that go through fewer cases under sanitizers, or cannot run there.
  add_compile_definitions(ATOLL_SANITIZED)
endif()

if(ATOLL_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # The instrumentation hides from GCC's flow analysis that an empty std::optional is not destroyed; the plain build,
  # which keeps the warning, sees it.
  add_compile_options(-Wno-maybe-uninitialized)
endif()

if(ATOLL_BUILD_TESTS)
  enable_testing()
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
include(AtollPrecompile)

# atoll_switch(NAME WHAT): the setting ATOLL_NAME of something optional, which is found or not.
macro(atoll_switch name what)
  set(ATOLL_${name} AUTO CACHE STRING "${name}: AUTO (where ${what} found), ON (an error where not) or OFF")
  set_property(CACHE ATOLL_${name} PROPERTY STRINGS AUTO ON OFF)
  if(NOT ATOLL_${name} MATCHES "^(AUTO|ON|OFF)$")
    message(FATAL_ERROR "ATOLL_${name} is '${ATOLL_${name}}': use AUTO, ON or OFF")
  endif()
  set(ATOLL_${name}_FOUND FALSE)
  set(ATOLL_${name}_VERSION "")
endmacro()

# atoll_found(NAME INCLUDE REASON HINT): ends the search. REASON is empty where it was found: then there is a target of its
# headers, atoll_name_headers. HINT says what helps whoever wants it ON.
macro(atoll_found name include reason hint)
  set(ATOLL_${name}_REASON "${reason}")
  if("${reason}" STREQUAL "")
    set(ATOLL_${name}_FOUND TRUE)
    string(TOLOWER atoll_${name}_headers headers)
    add_library(${headers} INTERFACE)
    target_include_directories(${headers} SYSTEM INTERFACE ${include})
  elseif(ATOLL_${name} STREQUAL "ON")
    message(FATAL_ERROR "ATOLL_${name}=ON, but ${reason}; ${hint}")
  endif()
endmacro()

# atoll_module(NAME SOURCES … DEPENDS …): an object-like static library, linked into libatoll.
function(atoll_module name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/include)
  target_link_libraries(${name} PUBLIC fmt::fmt Threads::Threads ${arg_DEPENDS})
  atoll_precompiled(${name} library)
endfunction()

# atoll_test(NAME SOURCES … DEPENDS … [TIMEOUT seconds]): one GoogleTest program, one ctest entry.
function(atoll_test name)
  if(NOT ATOLL_BUILD_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_link_libraries(${name} PRIVATE ${arg_DEPENDS} GTest::gtest GTest::gmock GTest::gtest_main)
  atoll_precompiled(${name} test)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 900)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT})
endfunction()

# atoll_test_paths(NAME [FILTER pattern]): the program of an atoll_test twice more, with every fast path forced on, and forced
# off (docs/tuning.md); FILTER is GoogleTest's. These tests are called NAME_paths_on and NAME_paths_off.
function(atoll_test_paths name)
  if(NOT ATOLL_BUILD_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "" "FILTER" "" ${ARGN})
  if(NOT arg_FILTER)
    set(arg_FILTER *)
  endif()
  foreach(state IN ITEMS on off)
    add_test(NAME ${name}_paths_${state} COMMAND ${name} --gtest_filter=${arg_FILTER})
    set_tests_properties(${name}_paths_${state} PROPERTIES TIMEOUT 900 ENVIRONMENT ATOLL_PATHS=all=${state})
  endforeach()
endfunction()

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the build tree given as $1 beside it, builds the examples against that from nothing, by CMake and by pkg-config, and
# runs them with the installed launcher.
set -eu
tree=$1
source=$2
stage=$tree/stage
rm -rf "$stage" "$tree/stage-examples"
cmake --install "$tree" --prefix "$stage" >/dev/null
test -x "$stage/bin/atoll" && test -x "$stage/bin/all_reduce_perf" && test -f "$stage/include/atoll/atoll.h"

cmake -S "$source/examples" -B "$tree/stage-examples" -G Ninja -DCMAKE_PREFIX_PATH="$stage" >/dev/null
cmake --build "$tree/stage-examples" >/dev/null
cd "$tree/stage-examples"

./threads | grep -c 'sees the sum 10' | grep -qx 4
"$stage/bin/atoll" run -n 3 -- ./launched | grep -c 'has its column' | grep -qx 3
"$stage/bin/atoll" run -n 2 -- ./streams | grep -c 'sum 2, maximum 1' | grep -qx 2
./streams | grep -q 'rank 0 of 1'
"$stage/bin/atoll" run -n 3 -- ./own_plan "$source/examples/own_plan.json" | grep -c 'the right sum, 6' | grep -qx 3
meeting=$tree/stage-examples/meeting
for rank in 0 1 2; do ./file 3 $rank "$meeting" >"file.$rank" & done
wait
cat file.0 file.1 file.2 | grep -c 'good morning from rank 0' | grep -qx 3
test ! -e "$meeting"

# pkg-config, the shared library; and the static one through CMake.
pc=$(dirname "$(find "$stage" -name atoll.pc)")
export PKG_CONFIG_PATH="$pc"
# shellcheck disable=SC2046 # several words are meant
cc "$source/examples/threads.c" -o threads-pc $(pkg-config --cflags --libs atoll) -pthread
LD_LIBRARY_PATH=$(pkg-config --variable=libdir atoll) ./threads-pc | grep -c 'sees the sum 10' | grep -qx 4
mkdir -p static
cat >static/CMakeLists.txt <<TEXT
cmake_minimum_required(VERSION 3.25)
project(static LANGUAGES C CXX)
find_package(Atoll REQUIRED COMPONENTS static)
find_package(Threads REQUIRED)
add_executable(threads-static $source/examples/threads.c)
set_target_properties(threads-static PROPERTIES LINKER_LANGUAGE CXX)
target_link_libraries(threads-static PRIVATE Atoll::atoll_static Threads::Threads)
TEXT
cmake -S static -B static/build -G Ninja -DCMAKE_PREFIX_PATH="$stage" >/dev/null
cmake --build static/build >/dev/null
./static/build/threads-static | grep -c 'sees the sum 10' | grep -qx 4

# SPDX-License-Identifier: Apache-2.0
# Is the CUDA toolkit here? Sets
#   ATOLL_CUDA_FOUND    TRUE where its headers are, of a version that is supported, and ATOLL_CUDA is not OFF
#   ATOLL_CUDA_REASON   why ATOLL_CUDA_FOUND is FALSE
#   ATOLL_CUDA_VERSION  "13.0"
#   ATOLL_NVCC          the compiler
#   ATOLL_CUDART_STATIC the runtime to link
# and defines the target atoll_cuda_headers. Nothing needs a driver, neither to build nor to run the tests.
atoll_switch(CUDA "its toolkit is")

# The toolkit's own bin before the PATH, on which there may be a wrapper that CMake cannot read the toolkit's place off.
set(cuda_places $ENV{CUDA_HOME} $ENV{CUDA_PATH} /usr/local/cuda)
if(DEFINED ENV{CUDACXX})
  get_filename_component(cuda_compiler_folder "$ENV{CUDACXX}" DIRECTORY)
  list(PREPEND cuda_places ${cuda_compiler_folder}/..)
endif()
find_program(ATOLL_NVCC nvcc HINTS ${cuda_places} PATH_SUFFIXES bin)
find_path(ATOLL_CUDA_INCLUDE cuda_runtime_api.h HINTS ${cuda_places} PATH_SUFFIXES include)
find_library(ATOLL_CUDART_STATIC libcudart_static.a HINTS ${cuda_places} PATH_SUFFIXES lib64 lib)
mark_as_advanced(ATOLL_NVCC ATOLL_CUDA_INCLUDE ATOLL_CUDART_STATIC)

if(ATOLL_CUDA_INCLUDE)
  file(STRINGS ${ATOLL_CUDA_INCLUDE}/cuda_runtime_api.h cuda_version_line REGEX "^#define CUDART_VERSION +[0-9]+")
  string(REGEX REPLACE ".* ([0-9]+).*" "\\1" cuda_version_number "${cuda_version_line}")
  math(EXPR cuda_major "${cuda_version_number} / 1000")
  math(EXPR cuda_minor "${cuda_version_number} % 1000 / 10")
  set(ATOLL_CUDA_VERSION ${cuda_major}.${cuda_minor})
endif()

set(cuda_reason "")
if(ATOLL_CUDA STREQUAL "OFF")
  set(cuda_reason "switched off by ATOLL_CUDA=OFF")
elseif(NOT ATOLL_CUDA_INCLUDE)
  set(cuda_reason "the CUDA toolkit's headers were not found")
elseif(ATOLL_CUDA_VERSION VERSION_LESS 13.0)
  set(cuda_reason "CUDA ${ATOLL_CUDA_VERSION} in ${ATOLL_CUDA_INCLUDE} is older than 13.0")
elseif(NOT ATOLL_NVCC)
  set(cuda_reason "its headers are in ${ATOLL_CUDA_INCLUDE}, but nvcc was not found")
elseif(NOT ATOLL_CUDART_STATIC)
  set(cuda_reason "its headers are in ${ATOLL_CUDA_INCLUDE}, but libcudart_static.a was not found")
endif()
atoll_found(CUDA "${ATOLL_CUDA_INCLUDE}" "${cuda_reason}" "CUDA_HOME or CUDACXX can say where the toolkit is")

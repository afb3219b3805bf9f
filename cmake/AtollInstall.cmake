# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where: libraries, header, programs, CMake package, pkg-config file. Included before the folders, so
# that their programs find the shared library beside them; the rules themselves wait until all targets exist.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

file(RELATIVE_PATH ATOLL_LIB_FROM_BIN /${CMAKE_INSTALL_BINDIR} /${CMAKE_INSTALL_LIBDIR})
set(CMAKE_INSTALL_RPATH "$ORIGIN/${ATOLL_LIB_FROM_BIN}")

function(atoll_install)
  if(NOT TARGET atoll_shared)
    return()
  endif()
  set(package ${CMAKE_INSTALL_LIBDIR}/cmake/Atoll)
  foreach(product IN ITEMS shared static)
    install(
      TARGETS atoll_${product}
      EXPORT AtollTargets-${product}
      LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
      ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
      PUBLIC_HEADER DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/atoll)
    install(EXPORT AtollTargets-${product} NAMESPACE Atoll:: DESTINATION ${package})
  endforeach()
  set_target_properties(atoll_shared PROPERTIES EXPORT_NAME atoll)
  # Where no loader looks by itself: whoever wants it in place of NVIDIA's names the folder.
  if(TARGET atoll_nccl_shared)
    install(TARGETS atoll_nccl_shared LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/atoll/nccl)
  endif()
  # Likewise: whoever wants it names the folder, or the file (NCCL_NET_PLUGIN).
  if(TARGET atoll_nccl_net_shared)
    install(TARGETS atoll_nccl_net_shared LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/atoll/nccl-net)
  endif()

  configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/AtollConfig.cmake.in ${CMAKE_BINARY_DIR}/generated/AtollConfig.cmake
                                INSTALL_DESTINATION ${package})
  write_basic_package_version_file(${CMAKE_BINARY_DIR}/generated/AtollConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  # Relative, so that `cmake --install --prefix ELSEWHERE` and a moved tree give the right flags.
  file(RELATIVE_PATH ATOLL_PC_TO_PREFIX /p/${CMAKE_INSTALL_LIBDIR}/pkgconfig /p)
  configure_file(${CMAKE_SOURCE_DIR}/cmake/atoll.pc.in ${CMAKE_BINARY_DIR}/generated/atoll.pc @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/generated/AtollConfig.cmake ${CMAKE_BINARY_DIR}/generated/AtollConfigVersion.cmake
          DESTINATION ${package})
  install(FILES ${CMAKE_BINARY_DIR}/generated/atoll.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  install(FILES ${CMAKE_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
endfunction()
cmake_language(DEFER DIRECTORY ${CMAKE_SOURCE_DIR} CALL atoll_install)

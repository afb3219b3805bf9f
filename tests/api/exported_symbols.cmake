# SPDX-License-Identifier: Apache-2.0
# cmake -DHEADER=atoll.h -DLIBRARY=libatoll.so -DNM=nm -P exported_symbols.cmake
# Fails unless the library shows exactly the functions that the header declares.
file(READ ${HEADER} header)
string(REGEX MATCHALL "ATOLL_API [^(]*atoll[A-Za-z0-9]+\\(" declarations "${header}")
set(declared)
foreach(declaration IN LISTS declarations)
  string(REGEX REPLACE ".*[ *](atoll[A-Za-z0-9]+)\\($" "\\1" name "${declaration}")
  list(APPEND declared ${name})
endforeach()

execute_process(COMMAND ${NM} --dynamic --defined-only ${LIBRARY} OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n ]+\n" lines "${output}")
list(TRANSFORM lines STRIP)
set(exported ${lines})

list(LENGTH declared count)
if(count LESS 40)
  message(FATAL_ERROR "only ${count} functions were found in ${HEADER}: the pattern no longer fits it")
endif()
set(missing ${declared})
list(REMOVE_ITEM missing ${exported})
set(surplus ${exported})
list(REMOVE_ITEM surplus ${declared})
if(missing OR surplus)
  message(FATAL_ERROR "declared but not exported: ${missing}\nexported but not declared: ${surplus}")
endif()

# Flags that every target of the project shares. They must be the same everywhere, since all folders reuse one
# precompiled header.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # ccache can only look through a precompiled header when told that its time stamp does not matter.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      "${CMAKE_COMMAND};-E;env;CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime;${CCACHE_PROGRAM}")
endif()

add_library(geogrid_flags INTERFACE)
# -fPIC (not -fPIE for programs) and -pthread everywhere: the precompiled header serves only files with the same flags.
target_compile_options(geogrid_flags INTERFACE -fPIC -pthread)
target_compile_options(geogrid_flags INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -fpch-preprocess)
if(GEOGRID_WERROR)
  target_compile_options(geogrid_flags INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 warns falsely inside its own <string> and <variant> and Asio's awaitable when it inlines at -O2.
  target_compile_options(geogrid_flags INTERFACE
    -Wno-restrict -Wno-maybe-uninitialized -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread
    -Wno-dangling-pointer -Wno-mismatched-new-delete)
endif()
target_include_directories(geogrid_flags INTERFACE "${CMAKE_SOURCE_DIR}/src" "${CMAKE_BINARY_DIR}/generated")
target_compile_definitions(geogrid_flags INTERFACE _FILE_OFFSET_BITS=64 GEOGRID_VERSION="${PROJECT_VERSION}")

if(GEOGRID_SANITIZE)
  target_compile_options(geogrid_flags INTERFACE -fsanitize=${GEOGRID_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(geogrid_flags INTERFACE -fsanitize=${GEOGRID_SANITIZE})
  if(GEOGRID_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Asio's fences are beside mutexes that the sanitizer does understand.
    target_compile_options(geogrid_flags INTERFACE -Wno-tsan)
  endif()
  if(GEOGRID_SANITIZE MATCHES "undefined")
    target_compile_options(geogrid_flags INTERFACE -fno-sanitize-recover=undefined)
  endif()
else()
  target_compile_options(geogrid_flags INTERFACE -fstack-protector-strong)
  target_compile_definitions(geogrid_flags INTERFACE $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
  target_link_options(geogrid_flags INTERFACE -Wl,-z,relro,-z,now)
endif()

# One static library a folder of src/, all of which share one precompiled header.
add_library(geogrid_pch STATIC "${CMAKE_SOURCE_DIR}/cmake/pch.cpp")
target_link_libraries(geogrid_pch PUBLIC geogrid_asio)
target_precompile_headers(geogrid_pch PRIVATE
  <array> <chrono> <cstdint> <functional> <map> <memory> <optional> <span> <string> <string_view>
  <unordered_map> <variant> <vector>
  <fmt/format.h>
  <boost/asio/any_io_executor.hpp> <boost/asio/awaitable.hpp> <boost/asio/co_spawn.hpp> <boost/asio/detached.hpp>
  <boost/asio/io_context.hpp> <boost/asio/post.hpp> <boost/asio/dispatch.hpp> <boost/asio/steady_timer.hpp>
  <boost/asio/thread_pool.hpp> <boost/asio/use_awaitable.hpp> <boost/asio/this_coro.hpp>
  <boost/asio/posix/stream_descriptor.hpp> <boost/asio/signal_set.hpp> <boost/system/result.hpp>)

# geogrid_library(NAME [DEPS lib...]): the library geogrid_NAME of every .cpp file in this folder.
# DEPS are the folders that this one may include; a wrong arrow does not link, and scripts/check-layers reads the includes.
function(geogrid_library name)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  if(NOT sources)  # headers only
    add_library(geogrid_${name} INTERFACE)
    target_link_libraries(geogrid_${name} INTERFACE geogrid_asio ${ARG_DEPS})
    return()
  endif()
  add_library(geogrid_${name} STATIC ${sources})
  target_link_libraries(geogrid_${name} PUBLIC geogrid_asio ${ARG_DEPS})
  target_precompile_headers(geogrid_${name} REUSE_FROM geogrid_pch)
endfunction()

# geogrid_test(NAME [DEPS lib...] [LABELS label...] [ENV NAME=VALUE...] [TIMEOUT seconds]): a GoogleTest program of every
# .cpp file in this folder; ctest runs it as one test, so that its fixtures start their servers once.
function(geogrid_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "DEPS;LABELS;ENV;SOURCES" ${ARGN})
  if(NOT ARG_SOURCES)
    file(GLOB ARG_SOURCES CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 1200)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE geogrid_asio ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}/test")
  target_precompile_headers(${name} REUSE_FROM geogrid_pch)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT} ENVIRONMENT "${ARG_ENV}")
endfunction()

# Each library the project stands on, as docs/dependencies.md lists them.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
pkg_check_modules(FUSE3 REQUIRED IMPORTED_TARGET fuse3>=3.14)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(MARIADB REQUIRED IMPORTED_TARGET libmariadb)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)
# Debian 13's RE2 comes with Abseil, which asks for definitions: the shared precompiled header must then have them too.
foreach(flag ${RE2_CFLAGS_OTHER})
  if(flag MATCHES "^-D(.+)")
    target_compile_definitions(geogrid_flags INTERFACE ${CMAKE_MATCH_1})
  endif()
endforeach()
if(NOT TARGET yaml-cpp::yaml-cpp)
  add_library(yaml-cpp::yaml-cpp ALIAS yaml-cpp)
endif()

# Asio is compiled once, here, and not again in each file that includes it.
add_library(geogrid_asio STATIC "${CMAKE_SOURCE_DIR}/cmake/asio.cpp")
target_link_libraries(geogrid_asio PUBLIC geogrid_flags Boost::headers Threads::Threads)
target_compile_definitions(geogrid_asio PUBLIC
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_DATE_TIME BOOST_ALL_NO_LIB
  SPDLOG_COMPILED_LIB SPDLOG_SHARED_LIB SPDLOG_FMT_EXTERNAL)
target_link_libraries(geogrid_asio PUBLIC fmt::fmt spdlog::spdlog)

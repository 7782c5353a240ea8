#pragma once
// The version of this build: CMake defines it from project(VERSION).
namespace geogrid {
inline constexpr const char* kVersion = GEOGRID_VERSION;
}

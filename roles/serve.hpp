#pragma once
// Runs roles: their loops until a signal ends them, or one action until it is done.

#include "admin.hpp"

namespace geogrid {

task<result<int>> run_roles(const Process& process, RunRoles run, Output output);

}  // namespace geogrid

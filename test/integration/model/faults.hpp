#pragma once
// What a real archive can suffer in a model test. A further fault is a class in faults.cpp and a line in
// make_faults().

#include <memory>
#include <string>
#include <vector>

#include "world.hpp"

namespace geogrid::test {

std::vector<std::unique_ptr<Fault>> make_faults();
std::vector<std::string> names_of_faults();

}  // namespace geogrid::test

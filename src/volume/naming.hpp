#pragma once
// What several changes of names and attributes have in common. Blocking.

#include <string>

#include "base/attributes.hpp"
#include "os/env.hpp"

namespace geogrid {

/// A name in an open folder.
struct NameIn {
  int folder = -1;
  std::string name;
};

/// The two change places, at once. Where the filesystem cannot, by way of `spare`, which is free, in three
/// steps: `a` has the name `spare`, then what was `b` is `a`, then what was `a` is `b`.
result<void> exchange_names(Env& env, const NameIn& a, const NameIn& b, const NameIn& spare);

/// Mode (never set-id bits), owner as far as the process may, and modification time; what is right already is
/// left alone. Returns the status as it was before.
result<struct stat> give_attributes(Env& env, int fd, const Attributes& attributes);

/// The same of whatever lies at a name; what the process may not or the filesystem cannot is left as it is.
result<void> give_attributes_at(Env& env, const NameIn& place, const Attributes& attributes);

bool is_missing(const Error& error);
/// Nothing lies at a path: it is missing, or something that is no folder is on the way.
bool is_no_such_path(const Error& error);

}  // namespace geogrid

#include "volume/naming.hpp"

namespace geogrid {

bool is_missing(const Error& error) {
  return error.is(std::errc::no_such_file_or_directory);
}

bool is_no_such_path(const Error& error) {
  return is_missing(error) || error.is(std::errc::not_a_directory) ||
         error.is(std::errc::too_many_symbolic_link_levels);
}

result<void> exchange_names(Env& env, const NameIn& a, const NameIn& b, const NameIn& spare) {
  auto done = env.rename(a.folder, a.name, b.folder, b.name, IfTaken::exchange);
  const bool unknown = !done && (done.error().is(std::errc::invalid_argument) ||
                                 done.error().is(std::errc::function_not_supported));
  if (!unknown) return done;
  // NFS, older FUSE filesystems.
  GG_CHECK(env.rename(a.folder, a.name, spare.folder, spare.name, IfTaken::fail));
  auto moved = env.rename(b.folder, b.name, a.folder, a.name, IfTaken::fail);
  if (!moved) {
    GG_CHECK(env.rename(spare.folder, spare.name, a.folder, a.name, IfTaken::fail));
    return moved;
  }
  return env.rename(spare.folder, spare.name, b.folder, b.name, IfTaken::fail);
}

result<struct stat> give_attributes(Env& env, int fd, const Attributes& attributes) {
  GG_TRY(const struct stat before, env.status(fd));
  if (before.st_uid != attributes.uid || before.st_gid != attributes.gid) {
    auto owned = env.set_owner(fd, attributes.uid, attributes.gid);
    // An ordinary user cannot give files away: metadata knows better whose it is.
    if (!owned && !owned.error().is(std::errc::operation_not_permitted)) return owned.error();
  }
  const mode_t mode = attributes.mode & 01777U;
  if ((before.st_mode & 07777U) != mode) GG_CHECK(env.set_mode(fd, mode));
  GG_CHECK(env.set_mtime(fd, attributes.mtime));
  return before;
}

result<void> give_attributes_at(Env& env, const NameIn& place, const Attributes& attributes) {
  const auto as_far_as_it_goes = [](result<void> done) -> result<void> {
    if (done || done.error().is(std::errc::operation_not_permitted) ||
        done.error().is(std::errc::permission_denied) ||
        done.error().is(std::errc::operation_not_supported) || done.error().is(std::errc::invalid_argument))
      return {};
    return done;
  };
  GG_TRY(const struct stat now, env.status_at(place.folder, place.name));
  if (now.st_uid != attributes.uid || now.st_gid != attributes.gid)
    GG_CHECK(as_far_as_it_goes(env.set_owner_at(place.folder, place.name, attributes.uid, attributes.gid)));
  const mode_t mode = attributes.mode & 01777U;
  if (!S_ISLNK(now.st_mode) && (now.st_mode & 07777U) != mode)
    GG_CHECK(as_far_as_it_goes(env.set_mode_at(place.folder, place.name, mode)));
  return as_far_as_it_goes(env.set_mtime_at(place.folder, place.name, attributes.mtime));
}

}  // namespace geogrid

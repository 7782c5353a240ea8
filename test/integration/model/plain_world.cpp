#include "plain_world.hpp"

#include <cerrno>

#include "base/digest.hpp"

namespace geogrid::test {

PlainWorld::PlainWorld(Bug bug) : bug_(std::move(bug)) {
  std::filesystem::create_directory(mount(0));
  std::filesystem::create_directory(plain());
}

// What an archive does otherwise than a plain directory is not asked here.
Outcome PlainWorld::perform(Hand& hand, const Operation& op) {
  Outcome done;
  switch (op.kind) {
    case OpKind::link:
      done.error = EPERM;
      return done;
    case OpKind::setxattr:
      done.error = EOPNOTSUPP;
      return done;
    case OpKind::getxattr:
      if (op.b == "user.geogrid.class")
        done.bytes = class_for(std::filesystem::canonical(hand.full(op.a)).string());
      if (op.b == "user.geogrid.digest") done.bytes = digest_of(hand.read_whole(op.a).bytes).str();
      if (done.bytes.empty()) done.error = ENODATA;
      done.value = static_cast<std::int64_t>(done.bytes.size());
      return done;
    default:
      return hand.perform(bug_ ? bug_(op) : op);
  }
}

}  // namespace geogrid::test

#include "intents/salvage.hpp"

namespace geogrid {
namespace {

task<result<void>> salvage_path(NodeWork work, Intent intent) {
  const auto there = co_await work.node.volume->stat(intent.path);
  if (!there && there.error().is(std::errc::no_such_file_or_directory)) co_return result<void>();
  if (!there) co_return there.error();
  if (there->type != FileType::file) co_return result<void>();
  // After the look at the disk: what is recorded is placed first.
  GG_CO_TRY(const bool belongs, co_await belongs_there(work, intent.path));
  if (belongs) co_return result<void>();
  const auto moved = co_await work.node.volume->put_aside(intent.path, AsideReason::lost, intent.when);
  if (!moved && !moved.error().is(std::errc::no_such_file_or_directory)) co_return moved.error();
  co_return result<void>();
}

}  // namespace

task<result<bool>> belongs_there(NodeWork work, Path path) {
  GG_CO_CHECK(work.open());
  const auto known = co_await work.store.resolve(path);
  if (!known && (known.error().is(errc::not_found) || known.error().is(errc::not_a_folder))) co_return false;
  if (!known) co_return known.error();
  if (!known->is_file()) co_return known->is_folder() || known->type == FileType::symlink;
  const NodeSet holders = known->replicas | known->older;
  co_return known->state == ContentState::published&& holders.contains(work.node.index);
}

task<result<void>> salvage_unrecorded(NodeWork work, Intent intent) {
  GG_CO_CHECK(co_await salvage_path(work, intent));
  GG_CO_TRY(const std::vector<DraftFound> drafts, co_await work.node.volume->drafts());
  for (const DraftFound& draft : drafts) {
    if (draft.name.file != intent.inode || draft.in_use) continue;
    GG_CO_CHECK(work.open());
    GG_CO_TRY(const bool alive, co_await work.store.is_alive(LeaseOwner{draft.name.owner}));
    if (alive) continue;
    const auto moved = co_await work.node.volume->salvage(draft.name, intent.path, intent.when);
    if (!moved && !moved.error().is(std::errc::no_such_file_or_directory)) co_return moved.error();
  }
  co_return result<void>();
}

}  // namespace geogrid

#include "replication/missing_links.hpp"

#include <algorithm>

#include "replication/folder_listing.hpp"
#include "replication/recorded_folders.hpp"
#include "replication/still_true.hpp"

namespace geogrid {
namespace {

task<result<bool>> still_there(MetadataStore& store, Inode link, Path path) {
  const auto now = co_await store.resolve(path);
  if (!now && !now.error().is(errc::not_found) && !now.error().is(errc::not_a_folder)) co_return now.error();
  co_return now && now->id == link.id;
}

// It was removed while it was made: a later walk must not take it for a new one.
task<result<void>> take_back(std::shared_ptr<WalkState> state, Inode link, Path path) {
  const auto there = co_await state->volume->stat(path);
  if (!there || there->type != FileType::symlink || there->link_target != link.link_target)
    co_return result<void>();
  DiskChange remove;
  remove.kind = DiskChange::Kind::remove;
  remove.path = path;
  remove.when = state->options.clock->wall();
  std::vector<DiskChange> changes{std::move(remove)};
  const auto removed = co_await state->volume->carry_out(std::move(changes));
  if (!removed.front() && ends_traversal(removed.front().error())) co_return removed.front().error();
  co_return result<void>();
}

task<result<void>> make_link(std::shared_ptr<WalkState> state, Inode link, Path path) {
  GG_CO_TRY(const bool wanted, co_await still_there(state->store, link, path));
  if (!wanted) co_return result<void>();
  const auto made = co_await state->volume->make_symlink(path, link.link_target, link.attributes);
  if (!made && ends_traversal(made.error())) co_return made.error();
  if (!made) co_return result<void>();  // the next walk sees what is in the way
  GG_CO_TRY(const bool stays, co_await still_there(state->store, link, path));
  if (!stays) co_return co_await take_back(state, std::move(link), std::move(path));
  ++state->report.made_symlinks;
  co_return result<void>();
}

}  // namespace

task<result<void>> make_missing_links(std::shared_ptr<WalkState> state, Path folder,
                                      std::vector<Inode> links) {
  if (links.empty()) co_return result<void>();
  if (state->options.dry_run) {
    state->report.made_symlinks += links.size();
    co_return result<void>();
  }
  GG_CO_TRY(const auto owed, co_await all_owed(state->store, state->node));
  if (!owed) co_return result<void>();
  std::unordered_set<std::string> known;
  const auto above = co_await make_recorded_folders(state->store, state->volume, folder, known);
  if (!above && ends_traversal(above.error())) co_return above.error();
  if (!above) co_return result<void>();  // moved, or something is in the way
  for (const Inode& link : links) {
    if (state->stop->stopped()) co_return fail(errc::cancelled, "stopped");
    const Path path = folder.child(link.name);
    if (std::ranges::any_of(*owed, [&](const Intent& one) { return touches(one, path); })) continue;
    GG_CO_CHECK(co_await make_link(state, link, path));
  }
  co_return result<void>();
}

}  // namespace geogrid

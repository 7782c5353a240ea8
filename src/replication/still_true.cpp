#include "replication/still_true.hpp"

#include <algorithm>
#include <iterator>

namespace geogrid {
namespace {

constexpr std::size_t kPage = 1000;
constexpr std::size_t kMost = 10'000;

}  // namespace

task<result<std::optional<std::vector<Intent>>>> all_owed(NamespaceStore& store, NodeIndex node) {
  std::vector<Intent> owed;
  for (;;) {
    const IntentId after = owed.empty() ? IntentId{} : owed.back().id;
    GG_CO_TRY(std::vector<Intent> page, co_await store.owed_by(node, after, kPage));
    const bool last = page.size() < kPage;
    std::ranges::move(page, std::back_inserter(owed));
    if (last) co_return std::optional(std::move(owed));
    if (owed.size() >= kMost) co_return std::optional<std::vector<Intent>>();
  }
}

bool touches(const Intent& intent, const Path& path) {
  const bool two = intent.kind == IntentKind::rename || intent.kind == IntentKind::exchange;
  return path.is_within(intent.path) || (two && path.is_within(intent.new_path));
}

task<result<bool>> owes_on(NamespaceStore& store, NodeIndex node, Path path) {
  GG_CO_TRY(const auto owed, co_await all_owed(store, node));
  co_return !owed || std::ranges::any_of(*owed, [&](const Intent& one) { return touches(one, path); });
}

task<result<bool>> still_counted(MetadataStore& store, NodeIndex node, Inode seen, Path path) {
  const auto now = co_await store.get(seen.id);
  if (!now && !now.error().is(errc::not_found)) co_return now.error();
  if (!now || now->version != seen.version || !now->replicas.contains(node)) co_return false;
  const auto leads = co_await store.path_of(seen.id);
  if (!leads && !leads.error().is(errc::not_found)) co_return leads.error();
  if (!leads || *leads != path) co_return false;
  GG_CO_TRY(const bool owes, co_await owes_on(store, node, path));
  co_return !owes;
}

}  // namespace geogrid

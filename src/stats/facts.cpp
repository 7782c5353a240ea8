#include "stats/facts.hpp"

namespace geogrid {

task<result<Facts>> gather_facts(MetadataStore& store) {
  Facts facts;
  GG_CO_TRY(facts.cluster, co_await store.cluster());
  GG_CO_TRY(facts.totals, co_await store.totals());
  GG_CO_TRY(facts.queue, co_await store.queue_summary());
  GG_CO_TRY(facts.nodes, co_await store.nodes(NodeKind::storage));
  GG_CO_TRY(facts.findings, co_await store.findings(kMaxFindings));
  for (const NodeRecord& node : facts.nodes) {
    GG_CO_TRY(const auto owed, co_await store.owed_by(node.index, IntentId{}, kMaxOwed));
    if (!owed.empty()) facts.owed.push_back({node.index, owed.size(), owed.size() == kMaxOwed});
  }
  co_return facts;
}

task<result<FileFacts>> gather_file_facts(MetadataStore& store, Path path) {
  FileFacts facts;
  facts.path = path;
  auto inode = co_await store.resolve(path);
  if (!inode && inode.error().is(errc::not_found))
    co_return fail(errc::not_found, "metadata knows no '{}'; a walk of the node that holds it registers it",
                   printable(path.str()));
  GG_CO_TRY(facts.inode, std::move(inode));
  GG_CO_TRY(facts.nodes, co_await store.nodes(NodeKind::storage));
  if (facts.inode.is_file()) {
    GG_CO_TRY(facts.proved, co_await store.proved_times(facts.inode.id));
  }
  co_return facts;
}

task<result<QueueFacts>> gather_queue_facts(MetadataStore& store, std::size_t limit) {
  QueueFacts facts;
  GG_CO_TRY(facts.summary, co_await store.queue_summary());
  GG_CO_TRY(facts.entries, co_await store.queue_page(0, limit));
  GG_CO_TRY(facts.nodes, co_await store.nodes(NodeKind::storage));
  co_return facts;
}

}  // namespace geogrid

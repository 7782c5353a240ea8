// No statement of the rules may read a whole table that grows with the archive: every one that SQLite is
// given is explained.

#include <gtest/gtest.h>

#include <set>

#include "meta/schema.hpp"
#include "meta/sql_store.hpp"
#include "meta/sqlite_driver.hpp"
#include "support/scratch.hpp"

namespace geogrid::test {
namespace {

// A driver that notes the texts which pass through it.
class Listening final : public SqlDriver {
 public:
  Listening(std::unique_ptr<SqlDriver> inner, std::shared_ptr<std::set<std::string>> texts)
      : inner_(std::move(inner)), texts_(std::move(texts)) {}

  SqlDialect dialect() const override { return inner_->dialect(); }
  task<result<void>> transact(TransactOptions options, SqlBody body) override {
    return inner_->transact(options, listen(std::move(body)));
  }
  task<result<void>> read(SqlBody body) override { return inner_->read(listen(std::move(body))); }
  task<result<void>> sync() override { return inner_->sync(); }
  task<result<std::uint64_t>> change_hint() override { return inner_->change_hint(); }
  task<result<void>> execute_script(std::string sql) override {
    return inner_->execute_script(std::move(sql));
  }
  void close() override { inner_->close(); }

 private:
  class Connection final : public SqlConnection {
   public:
    Connection(SqlConnection& inner, std::set<std::string>& texts) : inner_(inner), texts_(texts) {}
    task<result<SqlOutcome>> run(std::string_view sql, std::span<const SqlValue> values,
                                 const OnRow& on_row) override {
      texts_.emplace(sql);
      return inner_.run(sql, values, on_row);
    }

   private:
    SqlConnection& inner_;
    std::set<std::string>& texts_;
  };

  static task<result<void>> run_listening(SqlConnection& inner, std::shared_ptr<std::set<std::string>> texts,
                                          SqlBody body) {
    Connection connection(inner, *texts);
    co_return co_await body(connection);
  }
  SqlBody listen(SqlBody body) {
    return [texts = texts_, body = std::move(body)](SqlConnection& inner) {
      return run_listening(inner, texts, body);
    };
  }

  std::unique_ptr<SqlDriver> inner_;
  std::shared_ptr<std::set<std::string>> texts_;
};

class QueryPlan : public testing::Test {
 protected:
  void SetUp() override {
    SqliteDriverOptions options;
    options.file = (scratch_.path() / "metadata.db").string();
    options.create = true;
    auto driver = std::make_unique<Listening>(make_sqlite_driver(options).value(), texts_);
    ASSERT_TRUE(run(create_schema(*driver, schema_steps(SqlDialect::sqlite), {"test", "uuid", 0})));
    texts_->clear();
    auto context = std::make_shared<StoreContext>();
    context->origin = Origin(1);
    context->workers = Origin(2);
    context->classes = std::make_shared<StorageClasses>(
        StorageClasses::make(
            {{.name = "temporary", .match = "^/tmp/", .replicas = 1}, {.name = "others", .match = {}}})
            .value());
    store_ = std::make_unique<SqlStore>(std::move(driver), context, ClusterInfo());
    reader_ = make_sqlite_driver(options).value();
  }
  void TearDown() override {
    store_->close();
    reader_->close();
  }
  template <typename T>
  T run(task<T> work) {
    return run_to_end(loop_, std::move(work));
  }
  void use_everything();
  std::vector<std::string> plan(const std::string& sql);

  Scratch scratch_{"plans"};
  asio::io_context loop_;
  std::shared_ptr<std::set<std::string>> texts_ = std::make_shared<std::set<std::string>>();
  std::unique_ptr<SqlStore> store_;
  std::unique_ptr<SqlDriver> reader_;
};

void QueryPlan::use_everything() {
  const auto node = [&](const char* name) {
    NewStorageNode n;
    n.name = name;
    n.volume_uuid = name;
    n.empty_volume = true;
    return run(store_->add_node(n))->index;
  };
  const NodeIndex cream = node("cream");
  const NodeIndex jam = node("jam");
  NewNode folder;
  folder.parent = kRootInode;
  folder.name = "folder";
  const InodeId f = run(store_->make_node(folder))->id;
  std::vector<FoundEntry> entries(70);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    entries[i].name = fmt::format("{}", i);
    entries[i].digest = digest_of("");
  }
  const auto found = run(store_->register_found(cream, f, *run(store_->latest_change()), entries)).value();
  std::vector<WorkItem> work = run(store_->take_work(jam, 1, 10, std::chrono::seconds(60))).value();
  ASSERT_EQ(work.size(), 10U);
  CopyClaim claim{work[0].inode.id, Version(1), work[0].path, 0, digest_of("")};
  Withdrawal withdrawal{work[0].inode.id, Version(1), work[0].path, FindingKind::damaged, ""};
  const std::vector<InodeId> ids(1, work[1].inode.id);
  ASSERT_TRUE(run(store_->claim_copies(jam, std::vector<CopyClaim>(1, claim), false)));
  ASSERT_TRUE(run(store_->withdraw_copies(jam, std::vector<Withdrawal>(1, withdrawal))));
  ASSERT_TRUE(run(store_->claim_copies(jam, std::vector<CopyClaim>(1, claim), false)));
  ASSERT_TRUE(run(store_->return_work(jam, ids, true, std::chrono::seconds(5))));
  ASSERT_TRUE(run(store_->take_work(jam, 2, 100, std::chrono::seconds(60))));
  ASSERT_TRUE(run(store_->proved_folder(cream, f, {5, 0})));
  ASSERT_TRUE(run(store_->proved_files(cream, ids, {6, 0})));
  ASSERT_TRUE(run(store_->proved_times(ids[0])));
  ASSERT_TRUE(run(store_->settle(FindingKind::damaged, cream, Path())));
  NewFile file;
  file.parent = f;
  file.name = "new";
  file.owner = LeaseOwner(1);
  const Inode made = run(store_->create_file(file))->inode;
  const NodeSet on_cream = NodeSet::of(cream);
  file.name = "expires";
  file.lease = std::chrono::seconds(-1);
  ASSERT_TRUE(run(store_->create_file(file)));
  ASSERT_TRUE(run(store_->begin_publication(made.id, LeaseOwner(2), on_cream, std::chrono::seconds(-1))));
  Publication content;
  content.id = made.id;
  content.owner = LeaseOwner(1);
  content.path = *Path::parse("/folder/new");
  content.replicas = on_cream;
  ASSERT_TRUE(run(store_->publish(content, false))->recorded);
  ASSERT_EQ(run(store_->unhashed(cream, InodeId(), 10))->size(), 1U);
  CopyClaim hashed{made.id, Version(1), content.path, 0, digest_of("")};
  ASSERT_TRUE(run(store_->claim_copies(cream, std::vector<CopyClaim>(1, hashed), false)));
  ASSERT_TRUE(run(store_->begin_publication(made.id, LeaseOwner(1), on_cream, std::chrono::seconds(60))));
  ASSERT_TRUE(run(store_->cancel_publication(made.id, LeaseOwner(1), on_cream, Version(1))));
  ASSERT_TRUE(run(store_->renew_leases(LeaseOwner(1), std::chrono::seconds(5))));
  ASSERT_TRUE(*run(store_->is_alive(LeaseOwner(1))));
  ASSERT_TRUE(run(store_->end_owner(LeaseOwner(1))));
  ASSERT_TRUE(run(store_->expire_leases(10)));
  ASSERT_TRUE(run(store_->abandon(made.id, LeaseOwner(1))));
  ASSERT_TRUE(run(store_->set_attributes(made.id, {})));
  ASSERT_TRUE(
      run(store_->rename(f, "new", kRootInode, "newer", RenameMode::replace, {}, LeaseOwner(1), false)));
  ASSERT_TRUE(run(store_->rename(kRootInode, "folder", kRootInode, "tmp", RenameMode::replace, {},
                                 LeaseOwner(1), false)));
  ASSERT_TRUE(run(store_->unlink(kRootInode, "newer", {}, LeaseOwner(1))));
  folder.name = "empty";
  ASSERT_TRUE(run(store_->make_node(folder)));
  ASSERT_TRUE(run(store_->remove_folder(kRootInode, "empty", {}, LeaseOwner())));
  while (run(store_->run_jobs()).value()) {
  }
  NewNode link;
  link.parent = f;
  link.name = "link";
  link.type = FileType::symlink;
  link.link_target = "1";
  ASSERT_TRUE(run(store_->make_node(link)));
  ASSERT_TRUE(run(store_->take_owed(jam, LeaseOwner(3), 10, std::chrono::seconds(5))));
  const auto owed = run(store_->owed_by(cream, IntentId(), 10)).value();
  ASSERT_TRUE(run(store_->claim_copies(cream, std::vector<CopyClaim>(1, claim), false)));
  ASSERT_TRUE(run(store_->finish_intents(cream, std::vector<IntentId>(1, owed.at(0).id))));
  ASSERT_TRUE(run(store_->get(f)));
  ASSERT_TRUE(run(store_->lookup(f, "1")));
  ASSERT_TRUE(run(store_->list(f, InodeId(), 10)));
  ASSERT_TRUE(run(store_->path_of(ids[0])));
  ASSERT_TRUE(run(store_->changes_after(ChangeId(1), 10)));
  ASSERT_TRUE(run(store_->heartbeat(cream, 1, 1)));
  ASSERT_TRUE(run(store_->nodes(NodeKind::storage)));
  ASSERT_TRUE(run(store_->set_checkpoint(cream, "walk", "1")));
  ASSERT_TRUE(run(store_->checkpoint(cream, "walk")));
  ASSERT_TRUE(run(store_->classify(InodeId(), 10, false)));
  ASSERT_TRUE(run(store_->totals()));
  ASSERT_TRUE(run(store_->queue_summary()));
  ASSERT_TRUE(run(store_->prune_changes(std::chrono::seconds(-10))));
}

std::vector<std::string> QueryPlan::plan(const std::string& sql) {
  std::vector<std::string> steps;
  const std::string text = "EXPLAIN QUERY PLAN " + sql;
  const std::vector<SqlValue> nulls(static_cast<std::size_t>(std::count(sql.begin(), sql.end(), '?')));
  const OnRow keep = [&](const SqlRow& row) { steps.emplace_back(row.bytes(3)); };
  using Explain =
      task<result<void>> (*)(SqlConnection&, const std::string&, const std::vector<SqlValue>&, const OnRow&);
  const Explain explain = [](SqlConnection& connection, const std::string& explained,
                             const std::vector<SqlValue>& values, const OnRow& on_row) -> task<result<void>> {
    GG_CO_CHECK(co_await connection.run(explained, std::span<const SqlValue>(values), on_row));
    co_return result<void>();
  };
  SqlBody body = [&](SqlConnection& connection) { return explain(connection, text, nulls, keep); };
  const auto done = run(reader_->read(body));
  EXPECT_TRUE(done) << done.error().message;
  return steps;
}

// Tables whose rows do not grow with the archive may be scanned, and the first page of one that does.
bool may_scan(const std::string& step, const std::string& sql) {
  for (const char* table : {"SCAN node", "SCAN n", "SCAN up", "SCAN meta"})
    if (step == table || step.starts_with(std::string(table) + " ")) return true;
  if (step.find(" CONSTANT ROW") != std::string::npos) return true;
  return sql.find("LIMIT") != std::string::npos && sql.find("WHERE") == std::string::npos &&
         sql.find("GROUP BY") == std::string::npos;
}

TEST_F(QueryPlan, NoStatementReadsAWholeTable) {
  use_everything();
  ASSERT_GT(texts_->size(), 80U);
  const std::set<std::string> texts = *texts_;
  for (const std::string& sql : texts) {
    bool sorts_all = false;
    for (const std::string& step : plan(sql)) {
      EXPECT_TRUE(!step.starts_with("SCAN") || may_scan(step, sql)) << sql.substr(0, 200) << "\n  " << step;
      sorts_all = sorts_all || step.find("TEMP B-TREE") != std::string::npos;
    }
    EXPECT_FALSE(sorts_all && sql.find("LIMIT") != std::string::npos)
        << "a page costs a sort of everything: " << sql;
  }
}

TEST_F(QueryPlan, APageOfAFolderIsOneRangeRead) {
  const auto steps = plan("SELECT id FROM inode WHERE parent = ? AND id > ? ORDER BY id LIMIT ?");
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_NE(steps[0].find("SEARCH inode USING COVERING INDEX inode_parent (parent=? AND id>?)"),
            std::string::npos)
      << steps[0];
}

}  // namespace
}  // namespace geogrid::test

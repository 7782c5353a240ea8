// Random operations by two processes, against a plain model in memory; then everything is counted again, and
// the change log is replayed.

#include <cstdlib>
#include <random>

#include "store_fixture.hpp"

namespace geogrid::test {
namespace {

struct ModelNode {
  InodeId parent;
  std::string name;
  FileType type = FileType::folder;
  std::uint64_t version = 0;
  NodeSet replicas;
  NodeSet older;
  std::string content;
};

// Longer runs on demand: GEOGRID_MODEL_SEED and GEOGRID_MODEL_STEPS.
std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

class ModelTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    for (const char* name : {"cream", "jam", "milk", "honey"}) nodes_.push_back(add_node(name));
    other_ = open_another();
    model_[kRootInode] = {kRootInode, "", FileType::folder, 0, {}, {}, {}};
  }
  void TearDown() override {
    if (other_) other_->close();
    other_.reset();
    StoreTest::TearDown();
  }

  std::uint64_t roll(std::uint64_t sides) { return random_() % sides; }
  MetadataStore& any_store() { return roll(2) == 0 ? store() : *other_; }
  NodeIndex any_node() { return nodes_[roll(nodes_.size())]; }
  InodeId any_inode(bool folders_only) {
    for (;;) {
      auto it = model_.begin();
      std::advance(it, static_cast<std::ptrdiff_t>(roll(model_.size())));
      if (!folders_only || it->second.type == FileType::folder) return it->first;
    }
  }
  std::string any_name() {
    return fmt::format("{}{}", static_cast<char>('a' + roll(5)), roll(4) == 0 ? "_original.jpg" : "");
  }
  std::optional<InodeId> child(InodeId parent, const std::string& name) const {
    for (const auto& [id, node] : model_)
      if (id != kRootInode && node.parent == parent && node.name == name) return id;
    return std::nullopt;
  }
  bool empty(InodeId folder) const {
    for (const auto& [id, node] : model_)
      if (id != kRootInode && node.parent == folder) return false;
    return true;
  }
  bool is_below(InodeId id, InodeId folder) const {
    for (;; id = model_.at(id).parent) {
      if (id == folder) return true;
      if (id == kRootInode) return false;
    }
  }
  Path path(InodeId id) const {
    return id == kRootInode ? Path() : path(model_.at(id).parent).child(model_.at(id).name);
  }

  void make_folder();
  void write_file();
  void find_file();
  void claim_copy();
  void withdraw_copy();
  void unlink();
  void rename();
  void finish_intents();
  void work();
  void step();
  void check_tree();
  void replay_log();

  std::mt19937_64 random_{from_environment("GEOGRID_MODEL_SEED", 20261122)};
  std::vector<NodeIndex> nodes_;
  std::unique_ptr<MetadataStore> other_;
  std::map<InodeId, ModelNode> model_;
};
GG_STORE_SUITE(ModelTest);

void ModelTest::make_folder() {
  NewNode node;
  node.parent = any_inode(true);
  node.name = any_name();
  const auto made = run(any_store().make_node(node));
  ASSERT_EQ(made.has_value(), !child(node.parent, node.name));
  if (made) model_[made->id] = {node.parent, node.name, FileType::folder, 0, {}, {}, {}};
}

void ModelTest::write_file() {
  NewFile file;
  file.parent = any_inode(true);
  file.name = any_name();
  file.owner = LeaseOwner(9);
  MetadataStore& writer = any_store();
  const CreatedFile created = must(writer.create_file(file));
  const auto there = child(file.parent, file.name);
  ASSERT_EQ(created.existed, there.has_value());
  if (there && model_.at(*there).type != FileType::file) return;
  if (!there && roll(5) == 0) return must(writer.abandon(created.inode.id, file.owner));
  const InodeId id = created.inode.id;
  ModelNode& node = model_[id];
  if (!there) node = {file.parent, file.name, FileType::file, 0, {}, {}, {}};
  Publication content;
  content.replicas = NodeSet::of(any_node()).with(any_node());
  PublicationPlace place =
      must(any_store().begin_publication(id, file.owner, content.replicas, std::chrono::seconds(60)));
  EXPECT_EQ(place.path, path(id));
  if (roll(4) == 0 && there) {
    must(any_store().cancel_publication(id, file.owner, content.replicas, Version(node.version)));
    return;
  }
  for (const NodeIndex owing : place.owing) finish_all(owing);
  node.content = fmt::format("{}", roll(1000));
  content.id = id;
  content.owner = file.owner;
  content.base = Version(node.version);
  content.path = path(id);
  content.size = node.content.size();
  content.digest = digest_of(node.content);
  if (!place.owing.empty() && roll(2) == 0)
    place = must(any_store().begin_publication(id, file.owner, content.replicas, std::chrono::seconds(60)));
  const Published done = must(writer.publish(content, false));
  ASSERT_TRUE(done.recorded);
  EXPECT_EQ(done.displaced, node.replicas | node.older);
  EXPECT_FALSE(done.base_was_stale);
  node.older = done.displaced - content.replicas;
  node.replicas = content.replicas;
  ++node.version;
}

void ModelTest::find_file() {
  const InodeId folder = any_inode(true);
  const std::string name = any_name();
  const NodeIndex node = any_node();
  std::vector<FoundEntry> entries;
  entries.push_back(file_entry(name, "found"));
  const ChangeId seen = must(any_store().latest_change());
  const auto done = run(any_store().register_found(node, folder, seen, entries));
  if (!done) {
    EXPECT_EQ(done.error().code, make_error_code(errc::stale)) << done.error().message;
    return;
  }
  const Registration r = done->at(0);
  EXPECT_EQ(r.outcome == RegisterOutcome::known, child(folder, name).has_value());
  if (r.outcome == RegisterOutcome::registered)
    model_[r.id] = {folder, name, FileType::file, 1, NodeSet::of(node), {}, "found"};
}

void ModelTest::claim_copy() {
  const InodeId id = any_inode(false);
  ModelNode& node = model_.at(id);
  if (node.type != FileType::file) return;
  const NodeIndex holder = any_node();
  CopyClaim claim;
  claim.id = id;
  claim.version = Version(node.version - (roll(6) == 0 ? 1 : 0));
  claim.path = roll(6) == 0 ? path(id).child("x") : path(id);
  claim.size = node.content.size();
  claim.digest = digest_of(roll(6) == 0 ? "bad" : node.content);
  const bool current = claim.version.value == node.version && claim.path == path(id);
  const ClaimOutcome outcome =
      must(any_store().claim_copies(holder, std::vector<CopyClaim>(1, claim), false)).at(0);
  if (outcome == ClaimOutcome::counted) {
    EXPECT_TRUE(current && claim.digest == digest_of(node.content));
    const bool counted_before = node.replicas.contains(holder);
    node.replicas = node.replicas.with(holder);
    node.older = node.older.without(holder);
    // It has its copies: who holds an older version is to put that into trash.
    if (!counted_before && node.replicas.size() >= must(store().get(id)).replica_target)
      node.older = NodeSet();
  }
  EXPECT_TRUE(current || outcome == ClaimOutcome::stale);
}

void ModelTest::withdraw_copy() {
  const InodeId id = any_inode(false);
  ModelNode& node = model_.at(id);
  if (node.type != FileType::file) return;
  Withdrawal w;
  w.id = id;
  w.version = Version(node.version);
  w.path = path(id);
  const NodeIndex holder = any_node();
  if (must(any_store().withdraw_copies(holder, std::vector<Withdrawal>(1, w))).at(0))
    node.replicas = node.replicas.without(holder);
}

void ModelTest::unlink() {
  const InodeId parent = any_inode(true);
  const std::string name = any_name();
  const auto there = child(parent, name);
  if (roll(2) == 0) {
    const auto done = run(any_store().unlink(parent, name, time(1), LeaseOwner(roll(2) * 6)));
    ASSERT_EQ(done.has_value(), there && model_.at(*there).type != FileType::folder);
    if (done) {
      EXPECT_EQ(done->intent.has_value(), !(model_.at(*there).replicas | model_.at(*there).older).empty());
      model_.erase(*there);
    }
  } else {
    const auto done = run(any_store().remove_folder(parent, name, time(1), LeaseOwner(roll(2) * 6)));
    ASSERT_EQ(done.has_value(), there && model_.at(*there).type == FileType::folder && empty(*there));
    if (done) model_.erase(*there);
  }
}

void ModelTest::rename() {
  const InodeId from = any_inode(true);
  const InodeId to = any_inode(true);
  const std::string name = any_name();
  const std::string new_name = any_name();
  const auto mode = static_cast<RenameMode>(roll(3));
  const auto source = child(from, name);
  const auto target = child(to, new_name);
  const auto folder = [&](InodeId id) { return model_.at(id).type == FileType::folder; };
  bool possible = source.has_value();
  if (possible && mode == RenameMode::no_replace) possible = !target;
  if (possible && mode == RenameMode::exchange) possible = target.has_value();
  if (possible && from != to && folder(*source)) possible = !is_below(to, *source);
  if (possible && from != to && mode == RenameMode::exchange && folder(*target))
    possible = !is_below(from, *target);
  if (possible && mode == RenameMode::replace && target && *target != *source)
    possible = folder(*source) == folder(*target) && (!folder(*target) || empty(*target));
  const auto done =
      run(any_store().rename(from, name, to, new_name, mode, time(1), LeaseOwner(roll(2) * 7), false));
  ASSERT_EQ(done.has_value(), possible) << (done ? std::string("it went") : done.error().message);
  if (!done || source == target) return;
  if (mode == RenameMode::exchange) {
    std::swap(model_.at(*source).parent, model_.at(*target).parent);
    std::swap(model_.at(*source).name, model_.at(*target).name);
    return;
  }
  if (target) model_.erase(*target);
  model_.at(*source).parent = to;
  model_.at(*source).name = new_name;
}

void ModelTest::finish_intents() {
  const NodeIndex node = any_node();
  const LeaseOwner by(5 + roll(3));
  std::vector<IntentId> ids;
  for (const Intent& intent :
       must(any_store().take_owed(node, by, 1 + roll(20), std::chrono::seconds(roll(2) * 60))))
    ids.push_back(intent.id);
  if (roll(4) == 0) return;
  const auto owed = must(any_store().finish_intents(node, ids));
  EXPECT_EQ(owed, std::vector<bool>(ids.size(), true));
}

void ModelTest::work() {
  const NodeIndex node = any_node();
  MetadataStore& worker = any_store();
  std::vector<InodeId> ids;
  for (const WorkItem& item :
       must(worker.take_work(node, worker.origin().value, 5, std::chrono::seconds(600)))) {
    const ModelNode& file = model_.at(item.inode.id);
    EXPECT_EQ(item.path, path(item.inode.id));
    EXPECT_EQ(item.inode.replicas, file.replicas);
    EXPECT_FALSE(file.replicas.contains(node));
    ids.push_back(item.inode.id);
  }
  must(worker.return_work(node, ids, roll(2) == 0, std::chrono::seconds(roll(2))));
}

void ModelTest::step() {
  switch (roll(10)) {
    case 0:
      return make_folder();
    case 1:
    case 2:
      return write_file();
    case 3:
      return find_file();
    case 4:
      return claim_copy();
    case 5:
      return withdraw_copy();
    case 6:
      return unlink();
    case 7:
      return rename();
    case 8:
      return finish_intents();
    default:
      return work();
  }
}

void ModelTest::check_tree() {
  std::size_t seen = 1;
  std::vector<InodeId> folders(1, kRootInode);
  while (!folders.empty()) {
    const InodeId folder = folders.back();
    folders.pop_back();
    for (const Inode& inode : must(store().list(folder, InodeId(), 1000))) {
      ++seen;
      ASSERT_TRUE(model_.contains(inode.id)) << printable(inode.name);
      const ModelNode& node = model_.at(inode.id);
      EXPECT_EQ(inode.parent, node.parent);
      EXPECT_EQ(inode.name, node.name);
      EXPECT_EQ(inode.type, node.type);
      EXPECT_EQ(inode.version, Version(node.version));
      EXPECT_EQ(inode.replicas, node.replicas);
      EXPECT_EQ(inode.older, node.older);
      EXPECT_TRUE(!inode.is_file() || inode.digest == digest_of(node.content));
      if (inode.is_folder()) folders.push_back(inode.id);
    }
  }
  EXPECT_EQ(seen, model_.size());
}

void ModelTest::replay_log() {
  std::map<InodeId, std::pair<InodeId, std::string>> tree;
  for (const Change& change : all_changes()) {
    if (change.kind == ChangeKind::created) {
      EXPECT_TRUE(tree.emplace(change.inode, std::pair(change.parent, change.name)).second);
    } else if (change.kind == ChangeKind::removed) {
      EXPECT_EQ(tree[change.inode], std::pair(change.parent, change.name));
      tree.erase(change.inode);
    } else if (change.kind == ChangeKind::moved) {
      EXPECT_EQ(tree[change.inode], std::pair(change.parent, change.name));
      tree[change.inode] = std::pair(change.new_parent, change.new_name);
    }
  }
  std::map<InodeId, std::pair<InodeId, std::string>> expected;
  for (const auto& [id, node] : model_)
    if (id != kRootInode) expected.emplace(id, std::pair(node.parent, node.name));
  EXPECT_EQ(tree, expected);
}

TEST_P(ModelTest, RandomOperationsAgreeWithAPlainModel) {
  const std::uint64_t steps = from_environment("GEOGRID_MODEL_STEPS", 1200);
  for (std::uint64_t i = 0; i < steps; ++i) {
    SCOPED_TRACE(i);
    step();
    if (HasFatalFailure() || HasNonfatalFailure()) return;
  }
  check_tree();
  replay_log();
  run_jobs();
  check_consistency();
}

}  // namespace
}  // namespace geogrid::test

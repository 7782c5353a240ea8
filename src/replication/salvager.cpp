#include "replication/salvager.hpp"

#include <map>

#include "replication/folder_compare.hpp"
#include "replication/folder_listing.hpp"

namespace geogrid {
namespace {

class Salvage {
 public:
  Salvage(MetadataStore& store, NodeVolume node, SalvageOptions options, Log log)
      : store_(store), node_(std::move(node)), options_(options), log_(std::move(log)) {}

  task<result<SalvageReport>> run();

 private:
  task<result<bool>> is_alive(std::uint64_t owner);
  task<result<bool>> owes_salvage(InodeId file);
  task<result<void>> settle(DraftFound draft);
  task<result<void>> settle_published(DraftFound draft, Inode inode, Path path);
  task<result<void>> to_lost_and_found(DraftName draft, Path path);
  task<result<void>> claim(Inode inode, Path path, WholeFile file);
  Volume& volume() { return *node_.volume; }

  MetadataStore& store_;
  const NodeVolume node_;
  const SalvageOptions options_;
  const Log log_;
  std::map<std::uint64_t, bool> alive_;
  SalvageReport report_;
};

// Whether these are the bytes of the recorded version. While nobody has digested it, its size and time must
// do.
bool is_current(const result<WholeFile>& file, const Inode& inode) {
  if (!file || file->entry.type != FileType::file || file->entry.size != inode.size) return false;
  if (!inode.digest.pending()) return file->digest == inode.digest;
  return same_mtime(file->entry.attributes.mtime, inode.attributes.mtime);
}

bool is_gone(const Error& error) {
  return error.is(std::errc::no_such_file_or_directory) || error.is(std::errc::not_a_directory);
}

task<result<SalvageReport>> Salvage::run() {
  GG_CO_TRY(const std::vector<DraftFound> drafts, co_await volume().drafts());
  for (const DraftFound& draft : drafts) {
    if (draft.in_use || draft.age < options_.min_age) continue;
    GG_CO_TRY(const bool alive, co_await is_alive(draft.name.owner));
    if (alive) continue;
    const auto settled = co_await settle(draft);
    if (settled || is_gone(settled.error())) continue;
    if (ends_traversal(settled.error())) co_return settled.error();
    log_.warning("node {}: {}: {}", volume().node(), draft.name.str(), settled.error().message);
  }
  co_return report_;
}

task<result<bool>> Salvage::is_alive(std::uint64_t owner) {
  if (const auto known = alive_.find(owner); known != alive_.end()) co_return known->second;
  GG_CO_TRY(const bool alive, co_await store_.is_alive(LeaseOwner{owner}));
  alive_.emplace(owner, alive);
  co_return alive;
}

task<result<bool>> Salvage::owes_salvage(InodeId file) {
  constexpr std::size_t kPage = 512;
  IntentId after;
  for (;;) {
    GG_CO_TRY(const std::vector<Intent> page, co_await store_.owed_by(node_.index, after, kPage));
    for (const Intent& intent : page)
      if (intent.kind == IntentKind::salvage && intent.inode == file) co_return true;
    if (page.size() < kPage) co_return false;
    after = page.back().id;
  }
}

task<result<void>> Salvage::settle(DraftFound draft) {
  const Path nameless = Path().child(fmt::format("#{}", draft.name.file.value));
  const auto inode = co_await store_.get(draft.name.file);
  if (!inode && !inode.error().is(errc::not_found)) co_return inode.error();
  if (!inode) {
    // What a row that expired leaves to be done here knows its path.
    GG_CO_TRY(const bool owed, co_await owes_salvage(draft.name.file));
    if (owed) co_return result<void>();
  }
  if (!inode || !inode->is_file()) co_return co_await to_lost_and_found(draft.name, nameless);
  if (inode->state == ContentState::pending) co_return result<void>();
  const auto path = co_await store_.path_of(draft.name.file);
  if (!path && !path.error().is(errc::not_found)) co_return path.error();
  if (!path) co_return co_await to_lost_and_found(draft.name, nameless);
  if (inode->replicas.contains(node_.index)) co_return co_await to_lost_and_found(draft.name, *path);
  co_return co_await settle_published(std::move(draft), *inode, *path);
}

// The writer may have died between the draft's taking the path and the record of it: what was there, and may
// be the current version, then has the draft's name.
task<result<void>> Salvage::settle_published(DraftFound draft, Inode inode, Path path) {
  const DigestAlgorithm algorithm = inode.digest.pending() ? DigestAlgorithm::md5 : inode.digest.algorithm;
  std::vector<Path> paths{path};
  auto at_path = co_await volume().digest(std::move(paths), algorithm, false);
  result<WholeFile> current = std::move(at_path.front());
  if (!current && ends_traversal(current.error())) co_return current.error();
  if (!is_current(current, inode)) {
    const bool occupied = current.has_value();
    current = co_await volume().digest_draft(draft.name, algorithm);
    if (!current && ends_traversal(current.error())) co_return current.error();
    if (!occupied || !is_current(current, inode)) co_return co_await to_lost_and_found(draft.name, path);
    // Where another writer is at work by now, the store does not call it a conflict: next time.
    std::vector<Withdrawal> asked{
        {inode.id, inode.version, path, FindingKind::conflict, "bytes of a writer that died"}};
    GG_CO_TRY(const std::vector<bool> nobodys,
              co_await store_.withdraw_copies(node_.index, std::move(asked)));
    if (!nobodys.front()) co_return result<void>();
    GG_CO_CHECK(co_await volume().exchange_draft(draft.name, path));
    log_.info("node {}: {}: a writer died before its bytes were recorded; the recorded ones are back",
              volume().node(), printable(path.str()));
  }
  GG_CO_CHECK(co_await to_lost_and_found(draft.name, path));
  co_return co_await claim(std::move(inode), std::move(path), std::move(*current));
}

task<result<void>> Salvage::to_lost_and_found(DraftName draft, Path path) {
  GG_CO_TRY(const std::string where, co_await volume().salvage(draft, path, options_.clock->wall()));
  ++report_.salvaged;
  log_.warning("node {}: a writer of {} died; what it left is in {}", volume().node(), printable(path.str()),
               printable(where));
  co_return result<void>();
}

task<result<void>> Salvage::claim(Inode inode, Path path, WholeFile file) {
  std::vector<CopyClaim> claims{{inode.id, inode.version, std::move(path), file.entry.size, file.digest}};
  GG_CO_TRY(const std::vector<ClaimOutcome> outcomes,
            co_await store_.claim_copies(node_.index, std::move(claims), false));
  if (outcomes.front() == ClaimOutcome::counted) ++report_.claimed;
  co_return result<void>();
}

}  // namespace

task<result<SalvageReport>> salvage_drafts(MetadataStore& store, NodeVolume node, SalvageOptions options,
                                           Log log) {
  auto salvage = std::make_unique<Salvage>(store, std::move(node), options, std::move(log));
  co_return co_await salvage->run();
}

}  // namespace geogrid

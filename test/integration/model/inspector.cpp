#include "inspector.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "hand.hpp"
#include "support/mariadb_server.hpp"

namespace geogrid::test {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kPage = 500;

StoreAddress address_of(const std::string& url) {
  StoreAddress address;
  const std::string embedded = "sqlite:";
  if (url.compare(0, embedded.size(), embedded) == 0) {
    address.file = url.substr(embedded.size());
    return address;
  }
  address.embedded = false;
  address.hosts.push_back({"127.0.0.1", MariaDbServer::shared().port()});
  address.user = MariaDbServer::kUser;
  address.password = MariaDbServer::kPassword;
  address.database = url.substr(url.rfind('/') + 1);
  return address;
}

std::shared_ptr<const StorageClasses> one_class() {
  StorageClass all;
  all.name = "others";
  return std::make_shared<const StorageClasses>(*StorageClasses::make({all}));
}

std::string bytes_at(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return std::move(bytes).str();
}

std::string shown(const std::string& path) {
  Operation op;
  op.a = path;
  return op.str().substr(std::string("put m=0 ").size());
}

}  // namespace

const char* const kClasses =
    "[ { name: sync, match: '/s[^/]*$', replicas: 2, backups: 0, sync_copies: 2, durable: true }, "
    "{ name: three, match: '/t[^/]*$', replicas: 3, backups: 0 }, { name: others, replicas: 2, backups: 0 } "
    "]";

template <typename T>
T Inspector::must(task<result<T>> work) {
  result<T> done = run_to_end(loop_, std::move(work));
  if (!done) throw std::runtime_error("the test's own look at metadata: " + done.error().message);
  return std::move(*done);
}

Inspector::Inspector(const Cluster& cluster) : cluster_(cluster) {
  StoreOptions options;
  options.address = address_of(cluster.metadata_url());
  options.cluster = "testing";
  options.classes = one_class();
  store_ = must(open_store(std::move(options)));
  const auto records = must(store_->nodes(NodeKind::storage));
  for (std::size_t node = 0; node < cluster.setup().nodes; ++node)
    for (const NodeRecord& record : records)
      if (record.name == Cluster::name(node)) nodes_.push_back(record.index);
}

Inspector::~Inspector() {
  store_->close();
}

std::optional<std::string> Inspector::busy() {
  for (std::size_t node = 0; node < nodes_.size(); ++node) {
    const auto owed = must(store_->owed_by(index(node), IntentId(0), kPage));
    if (!owed.empty())
      return fmt::format("node n{} still owes {} changes, the first (kind {}) on {} {}", node, owed.size(),
                         static_cast<int>(owed[0].kind), shown(owed[0].path.str()),
                         shown(owed[0].new_path.str()));
  }
  const QueueSummary queue = must(store_->queue_summary());
  if (queue.files != 0) {
    const auto first = must(store_->queue_page(0, 1));
    return fmt::format("{} files are under their target{}", queue.files,
                       first.empty() ? "" : ", the first is " + shown(first[0].path.str()));
  }
  return std::nullopt;
}

std::map<std::string, Inode> Inspector::tree() {
  std::map<std::string, Inode> found;
  std::vector<std::pair<std::string, InodeId>> folders{{"", InodeId(1)}};
  while (!folders.empty()) {
    const auto [path, id] = folders.back();
    folders.pop_back();
    InodeId after(0);
    for (;;) {
      const auto page = must(store_->list(id, after, kPage));
      for (const Inode& inode : page) {
        std::string name = (path.empty() ? "" : path + "/") + inode.name;
        if (inode.is_folder()) folders.emplace_back(name, inode.id);
        after = inode.id;
        found.emplace(std::move(name), inode);
      }
      if (page.size() < kPage) break;
    }
  }
  return found;
}

std::optional<std::string> Inspector::metadata(const Model& model) {
  std::map<std::string, Inode> known = tree();
  for (const ModelEntry& entry : model.tree()) {
    const auto found = known.find(entry.path);
    if (found == known.end()) return shown(entry.path) + " is not in metadata";
    const Inode inode = found->second;
    known.erase(found);
    if (inode.is_folder() != entry.seen.is_folder() || inode.is_file() != entry.seen.is_file())
      return shown(entry.path) + " has another type in metadata";
    if (!inode.is_file()) continue;
    if (inode.storage_class != class_for(entry.path))
      return fmt::format("{} has the class {}", shown(entry.path), inode.storage_class);
    if (!entry.published) continue;
    if (inode.state == ContentState::pending) return shown(entry.path) + " was closed and is still pending";
    const Digest wanted = digest_of(*entry.published);
    if (inode.size != entry.published->size() || inode.digest != wanted)
      return fmt::format("{}: {} bytes with {} are recorded, and {} with {} were closed", shown(entry.path),
                         inode.size, inode.digest.str(), entry.published->size(), wanted.str());
    if (inode.replicas.size() < inode.replica_target)
      return fmt::format("{} has {} copies of {}", shown(entry.path), inode.replicas.size(),
                         inode.replica_target);
  }
  if (!known.empty()) return shown(known.begin()->first) + " is in metadata, and should not be";
  return std::nullopt;
}

std::optional<std::string> Inspector::disks(bool drafts) {
  const std::map<std::string, Inode> known = tree();
  for (std::size_t node = 0; node < nodes_.size(); ++node) {
    for (const auto& [path, inode] : known)
      if (inode.is_file() && inode.replicas.contains(index(node)))
        if (auto wrong = copy(node, path, inode)) return wrong;
    if (auto stranger = strangers(node, known)) return stranger;
    if (auto left = leftovers(node, drafts)) return left;
  }
  return std::nullopt;
}

std::optional<std::string> Inspector::copy(std::size_t node, const std::string& path,
                                           const Inode& inode) const {
  const Hand disk(cluster_.root(node));
  const auto seen = disk.look(path);
  const std::string what = fmt::format("the copy of {} on n{} ", shown(path), node);
  if (!seen || !seen->is_file()) return what + "counts, and is not there";
  const std::string bytes = bytes_at(disk.full(path));
  if (bytes.size() != inode.size) return what + fmt::format("has {} bytes of {}", bytes.size(), inode.size);
  if (!inode.digest.pending() && digest_of(bytes, inode.digest.algorithm) != inode.digest)
    return what + "has other bytes";
  const auto& mtime = inode.attributes.mtime;
  if (seen->mtime != mtime.seconds * 1'000'000'000 + mtime.nanoseconds)
    return what + fmt::format("has another time: {}, recorded {}.{:09}", seen->str(), mtime.seconds,
                              mtime.nanoseconds);
  if ((seen->mode & 06000U) != 0) return what + "has set-id bits";
  return std::nullopt;
}

std::optional<std::string> Inspector::strangers(std::size_t node,
                                                const std::map<std::string, Inode>& known) const {
  const Hand disk(cluster_.root(node));
  std::vector<std::string> folders{""};
  while (!folders.empty()) {
    const std::string folder = folders.back();
    folders.pop_back();
    for (const std::string& typed : disk.list(folder).names) {
      const std::string path = (folder.empty() ? "" : folder + "/") + typed.substr(1);
      if (path == ".geogrid") continue;
      const std::string what = fmt::format("{} on n{} ", shown(path), node);
      const auto found = known.find(path);
      if (found == known.end()) return what + "is not known to metadata";
      const Inode& inode = found->second;
      if (typed[0] == 'd') {
        if (!inode.is_folder()) return what + "is a folder, and none in metadata";
        folders.push_back(path);
      } else if (typed[0] == 'l') {
        if (inode.type != FileType::symlink ||
            fs::read_symlink(disk.full(path)).string() != inode.link_target)
          return what + "is another symlink than in metadata";
      } else if (!inode.is_file()) {
        return what + "is a file, and none in metadata";
      } else if (!inode.replicas.contains(index(node)) && !inode.older.contains(index(node))) {
        return what + "is a copy that metadata does not know";
      }
    }
  }
  return std::nullopt;
}

std::optional<std::string> Inspector::leftovers(std::size_t node, bool drafts) const {
  const fs::path ours = fs::path(cluster_.root(node)) / ".geogrid";
  std::error_code missing;
  for (const char* name : {"tmp", "conflicts", "lost+found"}) {
    if (drafts && name != std::string("conflicts")) continue;
    for (const auto& entry : fs::recursive_directory_iterator(ours / name, missing))
      if (!entry.is_directory(missing))
        return fmt::format("{} was left on n{}", shown(entry.path().lexically_relative(ours).string()), node);
  }
  return std::nullopt;
}

std::optional<std::string> Inspector::trash(const std::vector<Discarded>& discarded) const {
  for (const Discarded& wanted : discarded) {
    bool found = false;
    std::string seen;
    for (std::size_t node = 0; node < nodes_.size() && !found; ++node) {
      std::error_code missing;
      for (const auto& date :
           fs::directory_iterator(fs::path(cluster_.root(node)) / ".geogrid" / "trash", missing)) {
        const fs::path path = date.path() / wanted.path;
        if (!fs::is_regular_file(path, missing)) continue;
        found = found || bytes_at(path) == wanted.bytes;
        seen += fmt::format(" n{}:{}", node, date.path().filename().string());
      }
    }
    if (!found)
      return fmt::format("{} with {} bytes was removed or replaced, and is in no trash{}", shown(wanted.path),
                         wanted.bytes.size(), seen.empty() ? "" : "; others of the name are in" + seen);
  }
  return std::nullopt;
}

std::optional<std::string> Inspector::findings() {
  const auto all = must(store_->findings(10));
  if (all.empty()) return std::nullopt;
  return fmt::format("the program found: {} on {}: {}", name_of(all[0].kind), shown(all[0].path.str()),
                     all[0].detail);
}

}  // namespace geogrid::test

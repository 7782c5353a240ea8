#include "archive.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/digest.hpp"
#include "meta/change_feed.hpp"
#include "support/mariadb_server.hpp"
#include "support/unmounter.hpp"

namespace geogrid::test {
namespace {

Path path_of(const std::string& text) {
  auto path = Path::parse(text);
  if (!path) throw std::runtime_error("no path: " + text);
  return std::move(*path);
}

std::shared_ptr<const StorageClasses> one_class() {
  StorageClass all;
  all.name = "others";
  return std::make_shared<const StorageClasses>(*StorageClasses::make({all}));
}

StoreAddress new_mariadb_database() {
  MariaDbServer& server = MariaDbServer::shared();
  StoreAddress address;
  address.embedded = false;
  address.hosts.push_back({"127.0.0.1", server.port()});
  address.user = MariaDbServer::kUser;
  address.password = MariaDbServer::kPassword;
  address.database = server.create_database();
  return address;
}

}  // namespace

Archive::Archive(Setup setup) {
  unmounter().watch(scratch_.path().string());
  for (const char* name : {"mnt", "mnt2"}) std::filesystem::create_directory(scratch_.path() / name);
  address_ = setup.store == StoreKind::sqlite ? embedded_store(folder()) : new_mariadb_database();
  store_ = must(initialise_store(store_options(address_))).store;
  const ClusterInfo cluster = must(store_->cluster());
  for (std::size_t n = 0; n < setup.nodes; ++n) {
    const std::string name = fmt::format("n{}", n);
    roots_.push_back(scratch_.file(name));
    std::filesystem::create_directory(roots_.back());
    markers_.push_back({cluster.uuid, cluster.name, name, system_random().uuid()});
    if (const auto made = initialise_volume(roots_.back(), markers_.back()); !made)
      throw std::runtime_error(made.error().message);
    NewStorageNode node;
    node.name = name;
    node.volume_uuid = markers_.back().uuid;
    node.empty_volume = !setup.joining;
    nodes_.push_back(must(store_->add_node(node)).index);
  }
}

Archive::~Archive() {
  unmount_below(scratch_.path().string());
  store_->close();
}

StoreAddress embedded_store(const std::string& folder) {
  StoreAddress address;
  address.file = folder + "/metadata.db";
  return address;
}

StoreOptions store_options(StoreAddress address) {
  StoreOptions options;
  options.address = std::move(address);
  options.cluster = "test";
  options.classes = one_class();
  return options;
}

task<result<std::vector<NodeVolume>>> open_volumes(std::string folder, MetadataStore& store) {
  GG_CO_TRY(const ClusterInfo cluster, co_await store.cluster());
  GG_CO_TRY(const std::vector<NodeRecord> nodes, co_await store.nodes(NodeKind::storage));
  std::vector<NodeVolume> volumes;
  for (const NodeRecord& node : nodes) {
    LocalVolumeOptions options;
    options.root = folder + "/" + node.name;
    options.node = node.name;
    const VolumeMarker marker{cluster.uuid, cluster.name, node.name, node.volume_uuid};
    volumes.push_back({node.index, open_local_volume(options, marker)});
  }
  co_return volumes;
}

FoundEntry Archive::found(const std::string& name, const std::string& content) const {
  FoundEntry entry;
  entry.name = name;
  entry.attributes.mode = 0644;
  entry.attributes.atime = entry.attributes.mtime = entry.attributes.ctime = system_clock().wall();
  entry.size = content.size();
  entry.digest = digest_of(content);
  return entry;
}

InodeId Archive::register_one(InodeId folder, FoundEntry entry, std::size_t on) {
  const ChangeId seen = must(store_->latest_change());
  std::vector<FoundEntry> entries;
  entries.push_back(std::move(entry));
  return must(store_->register_found(node(on), folder, seen, std::move(entries))).at(0).id;
}

InodeId Archive::make_folder(const std::string& text, mode_t mode) {
  const Path path = path_of(text);
  if (path.is_root()) return kRootInode;
  const InodeId parent = make_folder(path.parent().str());
  const std::string name(path.filename());
  if (const auto known = must(store_->lookup(parent, name))) return known->id;
  for (const std::string& root : roots_) std::filesystem::create_directories(root + path.str());
  FoundEntry entry = found(name, "");
  entry.type = FileType::folder;
  entry.digest = Digest();
  entry.attributes.mode = mode;
  return register_one(parent, std::move(entry), 0);
}

InodeId Archive::put(const std::string& text, const std::string& content, std::vector<std::size_t> on) {
  const Path path = path_of(text);
  const InodeId folder = make_folder(path.parent().str());
  for (const std::size_t n : on) write_file(on_disk(n, path.str()), content);
  const InodeId file = register_one(folder, found(std::string(path.filename()), content), on.at(0));
  const Inode inode = must(store_->get(file));
  for (std::size_t n = 1; n < on.size(); ++n) {
    std::vector<CopyClaim> claims{{file, inode.version, path, content.size(), digest_of(content)}};
    if (must(store_->claim_copies(node(on[n]), std::move(claims), false)).at(0) != ClaimOutcome::counted)
      throw std::runtime_error("the copy was not counted");
  }
  return file;
}

InodeId Archive::link(const std::string& text, const std::string& target) {
  const Path path = path_of(text);
  FoundEntry entry = found(std::string(path.filename()), "");
  entry.type = FileType::symlink;
  entry.digest = Digest();
  entry.link_target = target;
  entry.size = target.size();
  entry.attributes.mode = 0777;
  return register_one(make_folder(path.parent().str()), std::move(entry), 0);
}

void Archive::put_many(const std::string& text, std::size_t count, const std::string& content) {
  const InodeId folder = make_folder(text);
  for (std::size_t begin = 0; begin < count;) {
    std::vector<FoundEntry> entries;
    const ChangeId seen = must(store_->latest_change());
    for (; begin < count && entries.size() < CopyStore::kMaxBatch; ++begin) {
      entries.push_back(found(fmt::format("file-{:06}", begin), content));
      write_file(on_disk(0, text + "/" + entries.back().name), content);
    }
    must(store_->register_found(node(0), folder, seen, std::move(entries)));
  }
}

Inode Archive::at(const std::string& path) {
  return must(store_->resolve(path_of(path)));
}
InodeId Archive::id(const std::string& path) {
  return at(path).id;
}

void Archive::replace(const std::string& path, const std::string& content, std::vector<std::size_t> on) {
  const Inode before = at(path);
  const LeaseOwner owner(4711);
  NodeSet nodes;
  for (const std::size_t n : on) nodes = nodes.with(node(n));
  must(store_->begin_publication(before.id, owner, nodes, std::chrono::seconds(60)));
  for (const std::size_t n : on) {
    // As a client publishes: by a rename over the old file, whose readers keep it.
    write_file(on_disk(n, path + ".new"), content);
    std::filesystem::rename(on_disk(n, path + ".new"), on_disk(n, path));
  }
  Publication publication;
  publication.id = before.id;
  publication.owner = owner;
  publication.base = before.version;
  publication.path = path_of(path);
  publication.size = content.size();
  publication.digest = digest_of(content);
  publication.mtime = system_clock().wall();
  publication.ctime = publication.mtime;
  publication.replicas = nodes;
  if (!must(store_->publish(publication, false)).recorded)
    throw std::runtime_error(path + " was not recorded");
}

void Archive::remove(const std::string& text) {
  const Inode inode = at(text);
  const Timestamp now = system_clock().wall();
  const Removed removed = inode.is_folder()
                              ? must(store_->remove_folder(inode.parent, inode.name, now, LeaseOwner()))
                              : must(store_->unlink(inode.parent, inode.name, now, LeaseOwner()));
  for (const std::string& root : roots_) std::filesystem::remove(root + path_of(text).str());
  for (const NodeIndex owing : removed.owed)
    must(store_->finish_intents(owing, std::vector<IntentId>(1, *removed.intent)));
}

void Archive::rename(const std::string& from, const std::string& to) {
  const Inode inode = at(from);
  const Path target = path_of(to);
  const Renamed renamed =
      must(store_->rename(inode.parent, inode.name, id(target.parent().str()), std::string(target.filename()),
                          RenameMode::replace, system_clock().wall(), LeaseOwner(), false));
  for (const std::string& root : roots_)
    if (std::filesystem::exists(root + from)) std::filesystem::rename(root + from, root + to);
  for (const Intent& intent : renamed.intents)
    for (const NodeIndex owing : intent.owed)
      must(store_->finish_intents(owing, std::vector<IntentId>(1, intent.id)));
}

void Archive::change(const std::string& path, AttributeChange change) {
  change.ctime = system_clock().wall();
  must(store_->set_attributes(id(path), std::move(change)));
}

std::string name_of_store(const testing::TestParamInfo<StoreKind>& info) {
  return info.param == StoreKind::sqlite ? "sqlite" : "mariadb";
}

Client::Client(const std::string& folder, StoreAddress store, Setup setup)
    : folder_(folder), store_(std::move(store)), setup_(std::move(setup)) {
  MountsOptions options;
  for (const std::string& name : setup_.mountpoints) {
    mountpoints_.push_back(folder + "/" + name);
    MountOptions mount;
    mount.mountpoint = mountpoints_.back();
    mount.source = "geogrid:test";
    options.mounts.push_back(std::move(mount));
  }
  if (setup_.configure) setup_.configure(options);
  std::promise<std::string> started;
  auto problem = started.get_future();
  thread_ = std::thread([this, &started, options = std::move(options)]() mutable {
    const auto served = run_to_end(loop_, serve(std::move(options), started));
    if (!served) ADD_FAILURE() << served.error().message;
    ended_ = true;
  });
  if (const std::string text = problem.get(); !text.empty()) {
    thread_.join();
    throw std::runtime_error(text);
  }
}

Client::~Client() {
  stop();
}

void Client::stop() {
  if (!thread_.joinable()) return;
  asio::post(loop_, [stop = stop_] { stop->stop(); });
  thread_.join();
}

task<result<void>> Client::serve(MountsOptions options, std::promise<std::string>& started) {
  const auto loop = co_await asio::this_coro::executor;
  const Log log = Log::to_stderr(LogLevel::warning);
  auto store = co_await open_store(store_options(store_));
  if (!store) {
    started.set_value(store.error().message);
    co_return result<void>();
  }
  auto volumes = co_await open_volumes(folder_, **store);
  if (!volumes) {
    started.set_value(volumes.error().message);
    co_return result<void>();
  }
  if (setup_.replace_volumes) setup_.replace_volumes(*volumes);
  const auto feed = make_change_feed(**store, log, ChangeFeed::Options{});
  if (setup_.hears_changes) asio::co_spawn(loop, feed->run(), asio::detached);
  auto mounts = co_await Mounts::start(**store, *feed, std::move(*volumes), std::move(options), log);
  if (!mounts) {
    started.set_value(mounts.error().message);
    co_return result<void>();
  }
  mounts_ = mounts->get();
  started.set_value({});
  auto served = co_await (*mounts)->run(stop_);
  mounts->reset();
  (*store)->close();
  co_return served;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::system_error(errno, std::generic_category(), "reading " + path);
  std::ostringstream content;
  content << file.rdbuf();
  return std::move(content).str();
}

void write_file(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  if (!(file << content << std::flush))
    throw std::system_error(errno, std::generic_category(), "writing " + path);
}

std::vector<std::string> list_names(const std::string& folder) {
  DIR* const open = ::opendir(folder.c_str());
  if (!open) throw std::system_error(errno, std::generic_category(), "listing " + folder);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(open)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  ::closedir(open);
  return names;
}

int errno_of(long returned) {
  return returned == -1 ? errno : 0;
}

std::string content_for(const std::string& name, std::size_t size) {
  std::string content(size + sizeof(std::uint64_t), '\0');
  std::uint64_t state = std::hash<std::string>{}(name) | 1U;
  for (std::size_t at = 0; at < size; at += sizeof state) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    std::memcpy(content.data() + at, &state, sizeof state);
  }
  content.resize(size);
  return content;
}

}  // namespace geogrid::test

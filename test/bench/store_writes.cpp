// What the metadata store does in a second: creates, renames and removals as a mount issues them, by one
// coroutine, by several, and by two processes at once.

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <functional>

#include "meta/metadata_store.hpp"
#include "os/clock.hpp"

namespace geogrid {
namespace {

constexpr LeaseOwner kMe(77);

double seconds_since(Clock::SteadyTime begun) {
  return std::chrono::duration<double>(system_clock().steady() - begun).count();
}

StoreOptions options_for(const std::string& file) {
  StoreOptions options;
  options.address.file = file;
  options.cluster = "bench";
  options.classes =
      std::make_shared<StorageClasses>(StorageClasses::make({{.name = "others", .match = {}}}).value());
  return options;
}

template <typename T>
T must(result<T> done) {
  if (done) return std::move(*done);
  std::fprintf(stderr, "store_writes: %s\n", done.error().message.c_str());
  std::exit(1);
}

// One process's store, its loop, and the folder it works in.
struct Bench {
  asio::io_context loop{1};
  std::unique_ptr<MetadataStore> store;
  NodeSet replicas;
  Inode folder;
  double longest = 0;  ///< seconds that one operation took

  explicit Bench(const std::string& file, const std::string& folder_name) {
    store = must(run_to_end(loop, initialise_store(options_for(file)))).store;
    for (const char* name : {"one", "two"}) {
      NewStorageNode node;
      node.name = name;
      node.volume_uuid = name;
      node.empty_volume = true;
      const auto added = run_to_end(loop, store->add_node(node));
      if (added) replicas = NodeSet::of(added->index);
    }
    if (replicas.empty()) replicas = NodeSet(2);
    NewNode made;
    made.parent = kRootInode;
    made.name = folder_name;
    folder = must(run_to_end(loop, store->make_node(made)));
  }
};

using Operation = task<result<void>> (*)(Bench&, std::string name);

task<result<void>> create(Bench& bench, std::string name) {
  NewFile file;
  file.parent = bench.folder.id;
  file.name = name;
  file.owner = kMe;
  file.exclusive = true;
  file.attributes.mode = 0644;
  file.attributes.ctime = file.attributes.mtime = system_clock().wall();
  GG_CO_TRY(const CreatedFile made, co_await bench.store->create_file(file));
  Publication content;
  content.id = made.inode.id;
  content.owner = kMe;
  content.path = Path().child(bench.folder.name).child(name);
  content.size = 100000;
  content.digest = digest_of(name);
  content.mtime = content.ctime = system_clock().wall();
  content.replicas = bench.replicas;
  GG_CO_TRY(const Published done, co_await bench.store->publish(content, false));
  if (!done.recorded) co_return fail(errc::internal, "a file was not recorded");
  co_return result<void>();
}

task<result<void>> overwrite(Bench& bench, std::string name) {
  GG_CO_TRY(const auto there, co_await bench.store->lookup(bench.folder.id, name));
  GG_CO_TRY(const PublicationPlace place, co_await bench.store->begin_publication(
                                              there->id, kMe, bench.replicas, std::chrono::seconds(60)));
  Publication content;
  content.id = there->id;
  content.owner = kMe;
  content.base = there->version;
  content.path = place.path;
  content.size = 100000;
  content.digest = digest_of(name + "new");
  content.mtime = content.ctime = system_clock().wall();
  content.replicas = bench.replicas;
  GG_CO_TRY(const Published done, co_await bench.store->publish(content, false));
  if (!done.recorded) co_return fail(errc::internal, "a file was not recorded");
  co_return result<void>();
}

task<result<void>> rename(Bench& bench, std::string name) {
  GG_CO_CHECK(co_await bench.store->rename(bench.folder.id, name, bench.folder.id, name + ".new",
                                           RenameMode::replace, system_clock().wall(), kMe, false));
  co_return result<void>();
}

task<result<void>> unlink(Bench& bench, std::string name) {
  GG_CO_CHECK(co_await bench.store->unlink(bench.folder.id, name + ".new", system_clock().wall(), kMe));
  co_return result<void>();
}

task<void> worker(Bench& bench, Operation operation, std::string prefix, int count) {
  for (int i = 0; i < count; ++i) {
    const auto begun = system_clock().steady();
    const result<void> done = co_await operation(bench, fmt::format("{}{}", prefix, i));
    must(done ? result<int>(0) : result<int>(done.error()));
    bench.longest = std::max(bench.longest, seconds_since(begun));
  }
}

void measure(Bench& bench, const char* what, Operation operation, int coroutines, int count) {
  bench.longest = 0;
  const std::clock_t cpu_begun = std::clock();
  const auto begun = system_clock().steady();
  for (int i = 0; i < coroutines; ++i)
    asio::co_spawn(bench.loop, worker(bench, operation, fmt::format("{}.{}.", coroutines, i), count),
                   asio::detached);
  bench.loop.restart();
  bench.loop.run();
  const double took = seconds_since(begun);
  const double cpu = static_cast<double>(std::clock() - cpu_begun) / CLOCKS_PER_SEC;
  std::printf("%-22s %d at once  %8.0f /s   CPU %6.1f us each   longest %6.1f ms\n", what, coroutines,
              coroutines * count / took, 1e6 * cpu / (coroutines * count), 1000 * bench.longest);
  std::fflush(stdout);
}

task<result<void>> finish_all(MetadataStore& store, NodeIndex node) {
  for (;;) {
    GG_CO_TRY(const auto owed, co_await store.take_owed(node, kMe, 256, std::chrono::seconds(30)));
    if (owed.empty()) co_return result<void>();
    std::vector<IntentId> ids;
    for (const Intent& intent : owed) ids.push_back(intent.id);
    GG_CO_CHECK(co_await store.finish_intents(node, ids));
  }
}

void measure_finish(Bench& bench, int count) {
  const auto begun = system_clock().steady();
  const result<void> done = run_to_end(bench.loop, finish_all(*bench.store, bench.replicas.first()));
  must(done ? result<int>(0) : result<int>(done.error()));
  std::printf("%-22s by 256     %8.0f /s\n", "what is owed", count / seconds_since(begun));
}

void measure_all(Bench& bench, int count) {
  for (const int coroutines : {1, 4}) {
    const int each = count / coroutines;
    measure(bench, "create and publish", create, coroutines, each);
    measure(bench, "overwrite", overwrite, coroutines, each);
    measure(bench, "rename", rename, coroutines, each);
    measure(bench, "unlink", unlink, coroutines, each);
    measure_finish(bench, 2 * count);
  }
}

// Each process opens the store after the fork: SQLite's connections do not survive one.
void measure_processes(const std::string& file, int count) {
  std::printf("two processes\n");
  std::fflush(stdout);
  for (const char* name : {"first", "second"}) {
    if (fork() != 0) continue;
    {
      Bench bench(file, name);
      measure(bench, name, create, 1, count);
      bench.store->close();
    }
    std::_Exit(0);
  }
  while (wait(nullptr) > 0) {
  }
}

}  // namespace
}  // namespace geogrid

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr,
                 "usage: store_writes FOLDER [COUNT]\nMakes FOLDER/store_writes.db, and removes it.\n");
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  const int count = argc > 2 ? std::atoi(argv[2]) : 10000;
  const std::string file = (folder / "store_writes.db").string();
  {
    geogrid::Bench bench(file, "alone");
    geogrid::measure_all(bench, count);
    bench.store->close();
  }
  geogrid::measure_processes(file, count);
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(file + end);
  return 0;
}

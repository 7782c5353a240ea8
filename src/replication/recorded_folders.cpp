#include "replication/recorded_folders.hpp"

namespace geogrid {
namespace {

constexpr std::size_t kMaxKnown = 65'536;

}  // namespace

task<result<void>> make_recorded_folders(MetadataStore& store, std::shared_ptr<Volume> volume, Path path,
                                         std::unordered_set<std::string>& known) {
  std::vector<Path> missing;
  for (Path at = path; !at.is_root() && !known.contains(at.str()); at = at.parent()) missing.push_back(at);
  for (; !missing.empty(); missing.pop_back()) {
    const Path& folder = missing.back();
    GG_CO_TRY(const Inode recorded, co_await store.resolve(folder));
    if (!recorded.is_folder())
      co_return fail(errc::not_found, "metadata has no folder {}", printable(folder.str()));
    GG_CO_CHECK(co_await volume->make_folder(folder, recorded.attributes));
    if (known.size() >= kMaxKnown) known.clear();
    known.insert(folder.str());
  }
  co_return result<void>();
}

}  // namespace geogrid

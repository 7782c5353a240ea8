#include "replication/folder_listing.hpp"

#include <algorithm>
#include <iterator>

namespace geogrid {
namespace {

constexpr std::size_t kPage = 4096;

task<result<std::vector<Inode>>> list_known(NamespaceStore& store, InodeId folder) {
  std::vector<Inode> all;
  for (;;) {
    const InodeId after = all.empty() ? InodeId{} : all.back().id;
    auto page = co_await store.list(folder, after, kPage);
    if (!page && page.error().is(errc::not_found)) co_return all;
    if (!page) co_return std::move(page).error();
    const bool last = page->size() < kPage;
    if (all.empty())
      all = std::move(*page);
    else
      std::ranges::move(*page, std::back_inserter(all));
    if (last) co_return all;
  }
}

}  // namespace

bool ends_traversal(const Error& error) {
  if (error.code.category() == geogrid_category())
    return !error.is(errc::stale) && !error.is(errc::not_found) && !error.is(errc::corrupt) &&
           !error.is(errc::not_a_folder) && !error.is(errc::is_a_folder) && !error.is(errc::not_supported) &&
           !error.is(errc::invalid_argument) && !error.is(errc::already_exists);
  for (const std::errc dead :
       {std::errc::not_connected, std::errc::timed_out, std::errc::host_unreachable,
        std::errc::no_such_device, std::errc::too_many_files_open, std::errc::not_enough_memory})
    if (error.is(dead)) return true;
  return false;
}

task<result<FolderListing>> list_folder(NamespaceStore& store, Volume& volume, const FolderJob& job) {
  FolderListing listing;
  listing.on_disk = !job.absent;
  if (listing.on_disk) {
    auto disk = co_await volume.list(job.path);
    if (disk) {
      listing.disk = std::move(*disk);
    } else if (disk.error().is(std::errc::no_such_file_or_directory)) {
      listing.on_disk = false;
    } else if (ends_traversal(disk.error())) {
      co_return std::move(disk).error();
    } else {
      listing.unreadable = std::move(disk).error();
      co_return listing;
    }
  }
  if (job.id != InodeId{}) {
    GG_CO_TRY(listing.known, co_await list_known(store, job.id));
  }
  co_return listing;
}

}  // namespace geogrid

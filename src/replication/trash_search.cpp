#include "replication/trash_search.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace geogrid {
namespace {

constexpr std::size_t kDayLength = 10;  // "2026-11-22"

unsigned long suffix_of(const std::string& date) {
  unsigned long number = 0;
  if (date.size() > kDayLength + 1)
    std::from_chars(date.data() + kDayLength + 1, date.data() + date.size(), number);
  return number;
}

bool is_missing(const Error& error) {
  return error.is(std::errc::no_such_file_or_directory) || error.is(errc::not_found);
}

bool is_no_folder(const Error& error) {
  return error.is(std::errc::not_a_directory) || error.is(errc::not_a_folder);
}

class Search {
 public:
  Search(TrashSearch search, std::shared_ptr<StopSignal> stop)
      : search_(std::move(search)), stop_(std::move(stop)) {}

  task<result<TrashFound>> run(std::vector<NodeVolume> volumes);

 private:
  using Key = std::pair<std::string, Path>;  // day, path

  bool asked_for(const TrashDate& date) const {
    return !search_.date || *search_.date == date.name || *search_.date == date.day;
  }
  task<result<void>> look_at_node(NodeVolume node);
  task<result<void>> look_at_date(NodeVolume node, TrashDate date);
  task<result<void>> look_at_folder(NodeVolume node, TrashDate date, Path folder, std::vector<Path>& folders);
  task<result<void>> look_at_file(NodeVolume node, TrashDate date);
  void found(const NodeVolume& node, const TrashDate& date, Path path, DiskEntry entry);
  TrashFound answer();

  const TrashSearch search_;
  const std::shared_ptr<StopSignal> stop_;
  std::map<Key, std::vector<TrashPlace>> files_;
  std::vector<TrashFound::Failed> failed_;
};

task<result<TrashFound>> Search::run(std::vector<NodeVolume> volumes) {
  for (const NodeVolume& node : volumes) {
    const auto done = co_await look_at_node(node);
    if (!done && done.error().is(errc::cancelled)) co_return done.error();
    if (!done) failed_.push_back({node.index, done.error()});
  }
  co_return answer();
}

task<result<void>> Search::look_at_node(NodeVolume node) {
  GG_CO_TRY(std::vector<TrashDate> dates, co_await node.volume->trash_dates());
  std::ranges::sort(dates,
                    [](const TrashDate& a, const TrashDate& b) { return older_trash(b.name, a.name); });
  for (const TrashDate& date : dates)
    if (asked_for(date)) GG_CO_CHECK(co_await look_at_date(node, date));
  co_return result<void>();
}

task<result<void>> Search::look_at_date(NodeVolume node, TrashDate date) {
  std::vector<Path> folders{search_.below};
  while (!folders.empty()) {
    if (stop_->stopped()) co_return fail(errc::cancelled, "stopped");
    const Path folder = std::move(folders.back());
    folders.pop_back();
    const auto done = co_await look_at_folder(node, date, folder, folders);
    if (done || is_missing(done.error())) continue;  // nothing there, or purged meanwhile
    if (!is_no_folder(done.error())) co_return done.error();
    if (folder == search_.below) GG_CO_CHECK(co_await look_at_file(node, date));
  }
  co_return result<void>();
}

task<result<void>> Search::look_at_folder(NodeVolume node, TrashDate date, Path folder,
                                          std::vector<Path>& folders) {
  GG_CO_TRY(std::vector<DiskEntry> entries, co_await node.volume->list_trash(date.name, folder));
  for (DiskEntry& entry : entries) {
    Path path = folder.child(entry.name);
    if (entry.type == FileType::folder)
      folders.push_back(std::move(path));
    else
      found(node, date, std::move(path), std::move(entry));
  }
  co_return result<void>();
}

// What was asked for is no folder here.
task<result<void>> Search::look_at_file(NodeVolume node, TrashDate date) {
  auto entries = co_await node.volume->list_trash(date.name, search_.below.parent());
  if (!entries && is_missing(entries.error())) co_return result<void>();
  if (!entries) co_return std::move(entries).error();
  for (DiskEntry& entry : *entries)
    if (entry.name == search_.below.filename()) found(node, date, search_.below, std::move(entry));
  co_return result<void>();
}

void Search::found(const NodeVolume& node, const TrashDate& date, Path path, DiskEntry entry) {
  if (entry.type != FileType::file && entry.type != FileType::symlink) return;
  files_[{date.day, std::move(path)}].push_back({node.index, date.name, std::move(entry)});
}

TrashFound Search::answer() {
  TrashFound answer;
  answer.failed = std::move(failed_);
  for (auto& [key, places] : files_) answer.files.push_back({key.second, key.first, std::move(places)});
  if (search_.newest_day_only && !answer.files.empty()) {
    const std::string newest = answer.files.back().day;
    std::erase_if(answer.files, [&](const TrashFile& file) { return file.day != newest; });
  }
  std::ranges::stable_sort(answer.files,
                           [](const TrashFile& a, const TrashFile& b) { return a.day > b.day; });
  return answer;
}

}  // namespace

bool older_trash(const std::string& a, const std::string& b) {
  const std::string day_a = a.substr(0, kDayLength), day_b = b.substr(0, kDayLength);
  return day_a != day_b ? day_a < day_b : suffix_of(a) < suffix_of(b);
}

task<result<TrashFound>> search_trash(std::vector<NodeVolume> volumes, TrashSearch search,
                                      std::shared_ptr<StopSignal> stop) {
  auto one = std::make_unique<Search>(std::move(search), std::move(stop));
  co_return co_await one->run(std::move(volumes));
}

}  // namespace geogrid

#include "volume/digesting.hpp"

#include <fcntl.h>
#include <sys/uio.h>

#include <deque>

namespace geogrid {
namespace {

constexpr std::size_t kReadBytes = 1024 * 1024;
constexpr std::size_t kReadAheadFiles = 4;  // opened, and on their way from the disk, while one is digested
constexpr off_t kReadAheadBytes = 4 * 1024 * 1024;  // of each

// A file about to be digested.
struct Opened {
  UniqueFd file;
  struct stat status {};
  bool was_cached = false;
};

// Whether its beginning is in the page cache: asked without reading anything in.
bool is_cached(int fd) {
  std::byte first{};
  iovec one{.iov_base = &first, .iov_len = 1};
  return preadv2(fd, &one, 1, 0, RWF_NOWAIT) == 1;
}

result<Opened> open_ahead(LocalDisk& disk, int root, const Path& path) {
  Opened opened;
  GG_TRY(opened.file, open_file(disk.env(), root, path, opened.status));
  opened.was_cached = is_cached(opened.file.get());
  if (!opened.was_cached) {
    posix_fadvise(opened.file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    posix_fadvise(opened.file.get(), 0, std::min<off_t>(opened.status.st_size, kReadAheadBytes),
                  POSIX_FADV_WILLNEED);
  }
  return opened;
}

bool same_time(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

result<void> check_unchanged(Env& env, const Opened& opened, std::uint64_t bytes_read) {
  GG_TRY(const struct stat after, env.status(opened.file.get()));
  const bool same = after.st_size == opened.status.st_size &&
                    same_time(after.st_mtim, opened.status.st_mtim) &&
                    bytes_read == static_cast<std::uint64_t>(after.st_size);
  if (!same) return fail(errc::stale, "changed while it was read");
  return {};
}

result<WholeFile> digest_opened(Env& env, const Path& path, const Opened& opened, DigestAlgorithm algorithm,
                                bool keep_cached, std::span<std::byte> buffer) {
  Hasher hasher(algorithm);
  std::uint64_t offset = 0;
  for (;;) {
    GG_TRY(const std::size_t got, env.read(opened.file.get(), offset, buffer));
    hasher.update(std::span<const std::byte>(buffer.first(got)));
    // What others had in the cache before stays there.
    if (!keep_cached && !opened.was_cached && got > 0)
      posix_fadvise(opened.file.get(), static_cast<off_t>(offset), static_cast<off_t>(got),
                    POSIX_FADV_DONTNEED);
    offset += got;
    if (got < buffer.size()) break;
  }
  GG_CHECK(check_unchanged(env, opened, offset));
  return WholeFile{.entry = disk_entry(std::string(path.filename()), opened.status),
                   .digest = hasher.finish(),
                   .bytes = {}};
}

}  // namespace

std::vector<result<WholeFile>> digest_files(LocalDisk& disk, const std::vector<Path>& paths,
                                            DigestAlgorithm algorithm, bool keep_cached) {
  std::vector<result<WholeFile>> answers;
  answers.reserve(paths.size());
  const auto root = disk.attach();
  if (!root) {
    answers.assign(paths.size(), root.error());
    return answers;
  }
  std::vector<std::byte> buffer(kReadBytes);
  std::deque<result<Opened>> ahead;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    while (ahead.size() < kReadAheadFiles && i + ahead.size() < paths.size())
      ahead.push_back(open_ahead(disk, root->get(), paths[i + ahead.size()]));
    result<Opened> opened = std::move(ahead.front());
    ahead.pop_front();
    auto answer = opened ? digest_opened(disk.env(), paths[i], *opened, algorithm, keep_cached, buffer)
                         : result<WholeFile>(opened.error());
    if (!answer) answer = disk.explain(root->get(), paths[i].str(), answer.error());
    answers.push_back(std::move(answer));
  }
  return answers;
}

result<Digest> digest_of_file(Env& env, int fd, DigestAlgorithm algorithm) {
  Hasher hasher(algorithm);
  std::vector<std::byte> buffer(kReadBytes);
  for (std::uint64_t offset = 0;;) {
    GG_TRY(const std::size_t got, env.read(fd, offset, buffer));
    hasher.update(std::span<const std::byte>(buffer).first(got));
    offset += got;
    if (got < buffer.size()) return hasher.finish();
  }
}

result<WholeFile> read_whole_file(LocalDisk& disk, const Path& path, std::size_t limit,
                                  DigestAlgorithm algorithm) {
  GG_TRY(const UniqueFd root, disk.attach());
  const auto read = [&]() -> result<WholeFile> {
    Opened opened;
    GG_TRY(opened.file, open_file(disk.env(), root.get(), path, opened.status));
    const auto size = static_cast<std::uint64_t>(opened.status.st_size);
    if (size > limit) return system_error(EFBIG, "read");
    auto bytes = std::make_shared<std::vector<std::byte>>(size + 1);  // one more: to see that it grows
    GG_TRY(const std::size_t got, disk.env().read(opened.file.get(), 0, *bytes));
    GG_CHECK(check_unchanged(disk.env(), opened, got));
    bytes->resize(got);
    Hasher hasher(algorithm);
    hasher.update(std::span<const std::byte>(*bytes));
    return WholeFile{.entry = disk_entry(std::string(path.filename()), opened.status),
                     .digest = hasher.finish(),
                     .bytes = std::move(bytes)};
  };
  auto answer = read();
  if (!answer) return disk.explain(root.get(), path.str(), answer.error());
  return answer;
}

}  // namespace geogrid

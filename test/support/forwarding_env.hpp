#pragma once
// Real files, for tests that change one thing about them.

#include "os/env.hpp"

namespace geogrid::test {

class ForwardingEnv : public Env {
 public:
  result<UniqueFd> open_root(const std::string& path) override { return real_->open_root(path); }
  result<UniqueFd> open(int folder, std::string_view path, int flags, mode_t mode) override {
    return real_->open(folder, path, flags, mode);
  }
  result<struct stat> status(int fd) override { return real_->status(fd); }
  result<struct stat> status_at(int folder, const std::string& name) override {
    return real_->status_at(folder, name);
  }
  result<std::vector<FolderEntry>> list(int folder) override { return real_->list(folder); }
  result<std::vector<FolderName>> list_names(int folder, std::size_t limit) override {
    return real_->list_names(folder, limit);
  }
  result<std::string> path_of(int fd) override { return real_->path_of(fd); }
  result<std::string> read_link(int folder, const std::string& name) override {
    return real_->read_link(folder, name);
  }
  result<struct statvfs> space(int fd) override { return real_->space(fd); }
  result<std::size_t> read(int fd, std::uint64_t offset, std::span<std::byte> buffer) override {
    return real_->read(fd, offset, buffer);
  }
  result<void> write(int fd, std::uint64_t offset, std::span<const std::byte> data) override {
    return real_->write(fd, offset, data);
  }
  result<void> reserve(int fd, std::uint64_t size) override { return real_->reserve(fd, size); }
  result<void> truncate(int fd, std::uint64_t size) override { return real_->truncate(fd, size); }
  result<void> allocate(int fd, int mode, std::uint64_t offset, std::uint64_t length) override {
    return real_->allocate(fd, mode, offset, length);
  }
  result<std::uint64_t> seek(int fd, std::uint64_t offset, int whence) override {
    return real_->seek(fd, offset, whence);
  }
  result<void> clone(int from, int to) override { return real_->clone(from, to); }
  result<std::uint64_t> copy(int from, int to, std::uint64_t offset, std::uint64_t length) override {
    return real_->copy(from, to, offset, length);
  }
  result<void> sync(int fd) override { return real_->sync(fd); }
  result<void> sync_bytes(int fd) override { return real_->sync_bytes(fd); }
  result<void> set_mode(int fd, mode_t mode) override { return real_->set_mode(fd, mode); }
  result<void> set_mode_at(int folder, const std::string& name, mode_t mode) override {
    return real_->set_mode_at(folder, name, mode);
  }
  result<void> set_owner(int fd, uid_t uid, gid_t gid) override { return real_->set_owner(fd, uid, gid); }
  result<void> set_owner_at(int folder, const std::string& name, uid_t uid, gid_t gid) override {
    return real_->set_owner_at(folder, name, uid, gid);
  }
  result<void> set_mtime(int fd, Timestamp mtime) override { return real_->set_mtime(fd, mtime); }
  result<void> set_mtime_at(int folder, const std::string& name, Timestamp mtime) override {
    return real_->set_mtime_at(folder, name, mtime);
  }
  result<void> make_folder(int folder, const std::string& name, mode_t mode) override {
    return real_->make_folder(folder, name, mode);
  }
  result<void> make_symlink(int folder, const std::string& name, const std::string& target) override {
    return real_->make_symlink(folder, name, target);
  }
  result<void> rename(int from_folder, const std::string& from, int to_folder, const std::string& to,
                      IfTaken if_taken) override {
    return real_->rename(from_folder, from, to_folder, to, if_taken);
  }
  result<void> remove_file(int folder, const std::string& name) override {
    return real_->remove_file(folder, name);
  }
  result<void> remove_folder(int folder, const std::string& name) override {
    return real_->remove_folder(folder, name);
  }
  result<bool> try_lock(int fd) override { return real_->try_lock(fd); }
  result<bool> hold(int fd) override { return real_->hold(fd); }
  result<bool> is_held(int fd) override { return real_->is_held(fd); }

 protected:
  const std::shared_ptr<Env> real_ = make_posix_env();
};

}  // namespace geogrid::test

#include "model.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/digest.hpp"

namespace geogrid::test {
namespace {

bool writes(const Operation& open) {
  return (open.flags & O_ACCMODE) != O_RDONLY;
}

std::string leaf(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return std::move(bytes).str();
}

}  // namespace

std::string class_for(const std::string& path) {
  const std::string name = leaf(path);
  return name[0] == 's' ? "sync" : name[0] == 't' ? "three" : "others";
}

const Model::FileState* Model::state_at(const std::string& path, bool follow) const {
  const auto seen = hand_.look(path, follow);
  if (!seen || !seen->is_file()) return nullptr;
  const auto found = files_.find(seen->inode);
  return found == files_.end() ? nullptr : &found->second;
}

bool Model::foreign_writer(const std::string& path, int mount, bool follow) const {
  const FileState* const state = close_to_open_ ? state_at(path, follow) : nullptr;
  return state && state->writers[static_cast<std::size_t>(1 - mount)] > 0;
}

int Model::mount_of(const Operation& op) const {
  const auto slot = slots_.find(op.slot);
  return op.on_slot() && op.kind != OpKind::open && slot != slots_.end() ? slot->second.mount : op.mount;
}

bool Model::admits(const Operation& op) const {
  switch (op.kind) {
    case OpKind::put:
    case OpKind::append:
    case OpKind::patch:
    case OpKind::truncate:
      return !foreign_writer(op.a, op.mount, true);
    case OpKind::utimens:
      return !foreign_writer(op.a, op.mount, false);
    case OpKind::get: {
      const FileState* const state = state_at(op.a, true);
      return !foreign_writer(op.a, op.mount, true) || (state->published && !state->vague);
    }
    case OpKind::link: {  // only where nothing but its being a hard link is wrong
      const auto from = hand_.look(op.a);
      const auto above = hand_.look(std::filesystem::path(op.b).parent_path().string(), true);
      return from && from->is_file() && !hand_.look(op.b) && above && above->is_folder();
    }
    case OpKind::getxattr:
    case OpKind::setxattr: {
      const auto seen = hand_.look(op.a);
      if (op.b == "user.geogrid.digest") {
        const FileState* const state = state_at(op.a, false);
        return state && state->published && !state->vague && state->writers == std::array<int, 2>{};
      }
      return seen && seen->is_file();
    }
    case OpKind::open:
      return admits_open(op);
    default:
      return !op.on_slot() || admits_on_slot(op);
  }
}

bool Model::admits_open(const Operation& op) const {
  if (slots_.count(op.slot)) return false;
  const auto seen = hand_.look(op.a, true);
  if (seen && !seen->is_file()) return seen->is_folder() && writes(op);
  return !foreign_writer(op.a, op.mount, true);
}

bool Model::admits_on_slot(const Operation& op) const {
  const auto slot = slots_.find(op.slot);
  if (slot == slots_.end()) return false;
  if (op.kind != OpKind::copy_range) return true;
  const auto to = slots_.find(static_cast<int>(op.flags));
  return to != slots_.end() && to->second.mount == slot->second.mount && !slot->second.disturbed;
}

Expected Model::apply(const Operation& op) {
  switch (op.kind) {
    case OpKind::put:
    case OpKind::append:
    case OpKind::patch:
    case OpKind::create:
    case OpKind::truncate:
      return apply_content(op);
    case OpKind::open:
      return apply_open(op);
    case OpKind::getxattr:
    case OpKind::setxattr:
      return expect_xattr(op);
    case OpKind::link: {
      Expected refused;
      refused.outcome.error = EPERM;
      return refused;
    }
    default:
      return op.on_slot() ? apply_on_slot(op) : apply_names(op);
  }
}

Expected Model::expect_xattr(const Operation& op) const {
  Expected expected;
  if (op.kind == OpKind::setxattr)
    expected.outcome.error = EOPNOTSUPP;
  else if (op.b == "user.geogrid.class")
    expected.outcome.bytes = class_for(true_path(op.a));
  else if (op.b == "user.geogrid.digest")
    expected.outcome.bytes = digest_of(*state_at(op.a, false)->published).str();
  else
    expected.outcome.error = ENODATA;
  expected.outcome.value = static_cast<std::int64_t>(expected.outcome.bytes.size());
  return expected;
}

Expected Model::apply_content(const Operation& op) {
  const auto before = hand_.look(op.a, true);
  Expected expected;
  expected.outcome = hand_.perform(op);
  const auto after = hand_.look(op.a, true);
  if (!after || !after->is_file()) return expected;
  FileState& state = files_[after->inode];
  if (!before) state = FileState();
  if (expected.outcome.error != 0) return expected;
  expected.visible = true;
  const bool open = state.writers[static_cast<std::size_t>(op.mount)] > 0;
  // Who shares a draft with others publishes what is theirs as well, or leaves it to them.
  if (open)
    state.dirty = state.vague = true;
  else
    publish(after->inode, op.mount);
  return expected;
}

Expected Model::apply_open(const Operation& op) {
  const auto before = hand_.look(op.a, true);
  Expected expected;
  expected.outcome = hand_.perform(op);
  if (expected.outcome.error != 0) return expected;
  const auto after = hand_.look(op.a, true);
  FileState& state = files_[after->inode];
  if (!before) state = FileState();
  slots_[op.slot] = {op.mount, after->inode, writes(op), false};
  if (!writes(op)) return expected;
  ++state.writers[static_cast<std::size_t>(op.mount)];
  if (!before || (op.flags & O_TRUNC)) state.dirty = true;
  expected.visible = !before;
  return expected;
}

Expected Model::apply_on_slot(const Operation& op) {
  Slot& slot = slots_.at(op.slot);
  const auto mount = static_cast<std::size_t>(slot.mount);
  FileState& state = files_[slot.file];
  Expected expected;
  expected.any_data = slot.disturbed;
  expected.any_amount = slot.disturbed || (close_to_open_ && state.writers[1 - mount] > 0);
  expected.outcome = hand_.perform(op);
  const bool worked = expected.outcome.error == 0;
  switch (op.kind) {
    case OpKind::write:
    case OpKind::resize:
    case OpKind::allocate:
    case OpKind::map_write:
      state.dirty |= worked;
      break;
    case OpKind::copy_range:
      files_[slots_.at(static_cast<int>(op.flags)).file].dirty |= worked;
      break;
    case OpKind::fsync:
      // What is power-safe has its path, so that a crash leaves it there.
      if (state.dirty && slot.writes && worked) publish(slot.file, slot.mount);
      if (state.dirty) state.vague = true;
      expected.visible = true;
      break;
    case OpKind::dup_close:
    case OpKind::close: {
      const Slot closed = slot;
      const bool last = op.kind == OpKind::close;
      if (last) slots_.erase(op.slot);
      if (!closed.writes) break;
      if (last) --state.writers[mount];
      const bool alone = state.writers[mount] == (last ? 0 : 1);
      if (!alone) state.vague |= state.dirty;
      if (alone && state.dirty) publish(closed.file, closed.mount);
      expected.visible = true;
      break;
    }
    default:
      break;
  }
  return expected;
}

Expected Model::apply_names(const Operation& op) {
  Expected expected;
  if (op.kind == OpKind::get && foreign_writer(op.a, op.mount, true)) {
    expected.outcome.bytes = *state_at(op.a, true)->published;
    expected.outcome.value = static_cast<std::int64_t>(expected.outcome.bytes.size());
    return expected;
  }
  expected.any_amount = foreign_writer(op.a, op.mount, false);
  const std::size_t before = discarded_.size();
  const auto target = op.kind == OpKind::rename && op.flags == 0 ? hand_.look(op.b) : std::nullopt;
  if (op.kind == OpKind::unlink) discard(op.a);
  if (target && target != hand_.look(op.a)) discard(op.b);
  expected.outcome = hand_.perform(op);
  if (expected.outcome.error != 0) discarded_.resize(before);
  expected.visible = expected.outcome.error == 0 && !op.only_looks();
  return expected;
}

void Model::publish(std::uint64_t file, int mount) {
  FileState& state = files_[file];
  const auto path = where(file);
  const bool shared = state.writers[0] + state.writers[1] > 0;
  std::string now = content(file);
  // What one descriptor publishes twice need not have lain anywhere for long.
  if (path && state.published && !state.vague && !shared && *state.published != now)
    discarded_.push_back({*path, *state.published});
  state.published = std::move(now);
  state.dirty = false;
  state.vague = false;
  for (auto& [number, slot] : slots_)
    if (slot.file == file && slot.mount != mount) slot.disturbed = close_to_open_;
}

void Model::discard(const std::string& path) {
  const FileState* const state = state_at(path, false);
  if (state && state->published && !state->vague) discarded_.push_back({true_path(path), *state->published});
}

std::optional<std::string> Model::where(std::uint64_t file) const {
  for (const ModelEntry& entry : tree())
    if (entry.seen.inode == file) return entry.path;
  return std::nullopt;
}

std::string Model::content(std::uint64_t file) const {
  for (const auto& [number, slot] : slots_)
    if (slot.file == file) return read_file("/proc/self/fd/" + std::to_string(hand_.descriptor(number)));
  const auto path = where(file);
  return path ? read_file(hand_.full(*path)) : std::string();
}

std::vector<ModelEntry> Model::tree() const {
  std::vector<ModelEntry> entries;
  std::vector<std::string> folders{""};
  while (!folders.empty()) {
    const std::string folder = folders.back();
    folders.pop_back();
    for (const std::string& name : hand_.list(folder).names) {
      ModelEntry entry;
      entry.path = (folder.empty() ? "" : folder + "/") + name.substr(1);
      entry.seen = hand_.look(entry.path).value();
      if (entry.seen.is_folder()) folders.push_back(entry.path);
      if (name[0] == 'l') {
        Operation read;
        read.kind = OpKind::readlink;
        read.a = entry.path;
        entry.link = Hand(hand_.root()).perform(read).bytes;
      }
      if (const auto found = files_.find(entry.seen.inode); entry.seen.is_file() && found != files_.end()) {
        const FileState& state = found->second;
        if (close_to_open_) entry.writer = state.writers[0] > 0 ? 0 : state.writers[1] > 0 ? 1 : -1;
        if (!state.vague) entry.published = state.published;
      }
      entries.push_back(std::move(entry));
    }
  }
  return entries;
}

std::vector<int> Model::slots() const {
  std::vector<int> open;
  for (const auto& [number, slot] : slots_) open.push_back(number);
  return open;
}

bool Model::any_writer() const {
  for (const auto& [number, slot] : slots_)
    if (slot.writes) return true;
  return false;
}

std::string Model::true_path(const std::string& path) const {
  const std::filesystem::path whole(hand_.full(path));
  std::error_code missing;
  const auto folder = std::filesystem::canonical(whole.parent_path(), missing);
  if (missing) return path;
  return (folder / whole.filename()).lexically_relative(std::filesystem::canonical(hand_.root())).string();
}

std::vector<int> Model::uncertain_slots(int mount) const {
  std::vector<int> uncertain;
  for (const auto& [number, slot] : slots_) {
    const FileState& state = files_.at(slot.file);
    if (slot.mount == mount && slot.writes && (!state.published || state.vague)) uncertain.push_back(number);
  }
  return uncertain;
}

Model::Lost Model::lose_mount(int mount) {
  Lost lost;
  for (const auto& [number, slot] : slots_)
    if (slot.mount == mount) lost.slots.push_back(number);
  for (const int number : lost.slots) {
    const Slot slot = slots_.at(number);
    FileState& state = files_[slot.file];
    if (const auto path = where(slot.file); slot.writes && state.dirty && path) {
      std::ofstream(hand_.full(*path), std::ios::binary) << *state.published;
      lost.rolled_back.push_back(*path);
    }
    if (slot.writes) {
      state.dirty = false;
      --state.writers[static_cast<std::size_t>(mount)];
    }
    hand_.drop(number);
    slots_.erase(number);
  }
  return lost;
}

}  // namespace geogrid::test

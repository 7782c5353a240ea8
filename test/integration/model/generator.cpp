#include "generator.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <unistd.h>

#include <algorithm>

namespace geogrid::test {
namespace {

constexpr int kSlots = 6;
constexpr int kTries = 100;
constexpr std::size_t kDepth = 3;

struct Weight {
  OpKind kind;
  int weight;
};
constexpr Weight kWeights[] = {
    {OpKind::put, 12},       {OpKind::append, 4},      {OpKind::patch, 5},    {OpKind::create, 5},
    {OpKind::truncate, 3},   {OpKind::get, 5},         {OpKind::rename, 16},  {OpKind::unlink, 7},
    {OpKind::mkdir, 8},      {OpKind::rmdir, 3},       {OpKind::symlink, 3},  {OpKind::link, 1},
    {OpKind::mkfifo, 1},     {OpKind::readlink, 1},    {OpKind::chmod, 3},    {OpKind::chown, 2},
    {OpKind::utimens, 4},    {OpKind::stat, 4},        {OpKind::list, 3},     {OpKind::getxattr, 2},
    {OpKind::setxattr, 1},   {OpKind::sync_folder, 1}, {OpKind::open, 9},     {OpKind::write, 9},
    {OpKind::read, 5},       {OpKind::resize, 3},      {OpKind::allocate, 2}, {OpKind::map_write, 2},
    {OpKind::copy_range, 2}, {OpKind::fsync, 2},       {OpKind::fstat, 3},    {OpKind::dup_close, 2},
    {OpKind::close, 9},
};

std::size_t depth_of(const std::string& path) {
  return static_cast<std::size_t>(std::count(path.begin(), path.end(), '/')) + (path.empty() ? 0 : 1);
}

}  // namespace

const std::vector<std::string> kNames = {"a",        "b", "c", "d", "s.x", "three", std::string(255, 'n'),
                                         "o\n\xff %"};

Operation Generator::next(const Model& model) {
  Operation op;
  if (++since_rest_ > options_.rest_every) {
    // Half the rests find files open.
    const bool closes = !model.slots().empty() && chance(50);
    op.kind = closes ? OpKind::close_all : OpKind::rest;
    if (!closes) since_rest_ = 0;
    return op;
  }
  if (!options_.faults.empty() && below(static_cast<std::uint64_t>(options_.fault_every)) == 0) {
    op.kind = OpKind::fault;
    op.a = options_.faults[below(options_.faults.size())];
    return op;
  }
  for (int i = 0; i < kTries; ++i) {
    op = propose(model);
    if (model.admits(op)) return op;
  }
  op.kind = OpKind::list;
  op.a.clear();
  return op;
}

Operation Generator::propose(const Model& model) {
  int all = 0;
  for (const Weight& w : kWeights) all += w.weight;
  auto at = static_cast<int>(below(static_cast<std::uint64_t>(all)));
  Operation op;
  for (const Weight& w : kWeights) {
    op.kind = w.kind;
    if ((at -= w.weight) < 0) break;
  }
  if (chance(25)) mount_ = 1 - mount_;  // a few through the same one, before the other has to follow
  op.mount = mount_;
  op.eager = chance(50);
  op.seed = 1 + below(1'000'000'000);
  op.size = length();
  op.offset = chance(40) ? 0 : length();
  if (op.on_slot())
    on_slot(op, model);
  else
    on_path(op, model);
  op.leave_out_unused();
  return op;
}

std::uint64_t Generator::length() {
  switch (below(6)) {
    case 0:
      return below(4);
    case 1:
      return 4096 * below(4);
    case 2:
      return below(300'000);
    default:
      return below(9000);
  }
}

std::string Generator::old_path(const Model& model, char type) {
  std::vector<std::string> paths;
  for (const ModelEntry& entry : model.tree())
    if (type == 0 || (type == 'd'   ? entry.seen.is_folder()
                      : type == 'l' ? entry.link.has_value()
                                    : entry.seen.is_file()))
      paths.push_back(entry.path);
  return paths.empty() ? kNames[below(kNames.size())] : paths[below(paths.size())];
}

std::string Generator::new_path(const Model& model) {
  const std::string folder = chance(30) ? std::string() : old_path(model, chance(93) ? 'd' : 0);
  if (depth_of(folder) >= kDepth || !model.hand().look(folder)) return kNames[below(kNames.size())];
  return (folder.empty() ? "" : folder + "/") + kNames[below(kNames.size())];
}

void Generator::on_path(Operation& op, const Model& model) {
  static constexpr std::uint32_t kModes[] = {0644, 0600, 0755, 0, 0777, 0444};
  static constexpr std::uint32_t kFolderModes[] = {0755, 0700, 0777, 02775, 01777};
  static const std::vector<std::string> kTexts = {"a", "b/c", "nowhere", "d", "s.x"};
  op.mode = kModes[below(std::size(kModes))];
  switch (op.kind) {
    case OpKind::put:
    case OpKind::create:
    case OpKind::mkfifo:
    case OpKind::symlink:
      op.a = chance(50) ? new_path(model) : any_path(model);
      if (op.kind == OpKind::symlink) op.b = kTexts[below(kTexts.size())];
      break;
    case OpKind::mkdir:
      op.a = new_path(model);
      op.mode = kFolderModes[below(std::size(kFolderModes))];
      break;
    case OpKind::rename:
      op.a = chance(90) ? old_path(model, chance(40) ? 'd' : 0) : any_path(model);
      op.b = any_path(model);
      op.flags = chance(70) ? 0 : chance(50) ? RENAME_NOREPLACE : RENAME_EXCHANGE;
      break;
    case OpKind::rmdir:
    case OpKind::list:
    case OpKind::sync_folder:
      op.a = chance(80) ? old_path(model, 'd') : any_path(model);
      break;
    case OpKind::readlink:
      op.a = chance(70) ? old_path(model, 'l') : any_path(model);
      break;
    case OpKind::link:
      op.a = old_path(model, '-');
      op.b = new_path(model);
      break;
    case OpKind::getxattr: {
      static const std::vector<std::string> kAttributes = {"user.geogrid.class", "user.geogrid.digest",
                                                           "security.capability"};
      op.a = old_path(model, '-');
      op.b = kAttributes[below(kAttributes.size())];
      break;
    }
    case OpKind::setxattr:
      op.a = old_path(model, '-');
      op.b = "user.note";
      break;
    case OpKind::chmod:
      op.a = any_path(model);
      if (const auto seen = model.hand().look(op.a, true); seen && seen->is_folder())
        op.mode = kFolderModes[below(std::size(kFolderModes))];
      break;
    case OpKind::chown:
      op.a = any_path(model);
      op.offset = ::geteuid() != 0 || chance(30) ? Operation::kKeep : below(3) * 1000;
      op.size = ::geteuid() != 0 || chance(30) ? Operation::kKeep : below(3) * 1000;
      break;
    case OpKind::utimens:
      op.a = any_path(model);
      op.flags = chance(15) ? 1 : chance(5) ? 2 : 0;
      op.time = static_cast<std::int64_t>(below(1'500'000'000)) - 100'000;  // before 1970 too
      break;
    case OpKind::truncate:
      op.a = file_path(model);
      op.size = chance(5) ? 4'000'000 : op.size;
      break;
    default:
      op.a = file_path(model);
  }
}

void Generator::on_slot(Operation& op, const Model& model) {
  static constexpr unsigned kOpen[] = {O_RDONLY,
                                       O_RDONLY,
                                       O_RDWR,
                                       O_RDWR | O_CREAT,
                                       O_WRONLY | O_CREAT | O_TRUNC,
                                       O_WRONLY | O_CREAT | O_EXCL,
                                       O_RDWR | O_APPEND | O_CREAT};
  static constexpr unsigned kAllocate[] = {0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                           FALLOC_FL_ZERO_RANGE};
  const std::vector<int> slots = model.slots();
  if (op.kind == OpKind::open) {
    op.slot = static_cast<int>(below(kSlots));
    op.a = file_path(model);
    op.flags = kOpen[below(std::size(kOpen))];
    op.mode = chance(80) ? 0644 : 0600;
    return;
  }
  if (slots.empty()) return;
  op.slot = slots[below(slots.size())];
  if (op.kind == OpKind::copy_range) op.flags = static_cast<unsigned>(slots[below(slots.size())]);
  if (op.kind == OpKind::allocate) op.flags = kAllocate[below(std::size(kAllocate))];
  if (op.kind == OpKind::fsync) op.flags = static_cast<unsigned>(below(2));
  op.mount = model.mount_of(op);
}

}  // namespace geogrid::test

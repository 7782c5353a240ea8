#include "operation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <sstream>
#include <stdexcept>

namespace geogrid::test {
namespace {

constexpr std::array kNames = {
    "put",     "append",    "patch",    "create",    "truncate",   "get",         "rename", "unlink",
    "mkdir",   "rmdir",     "symlink",  "link",      "mkfifo",     "readlink",    "chmod",  "chown",
    "utimens", "stat",      "list",     "getxattr",  "setxattr",   "sync_folder", "open",   "write",
    "read",    "resize",    "allocate", "map_write", "copy_range", "fsync",       "fstat",  "dup_close",
    "close",   "close_all", "rest",     "fault",
};
static_assert(kNames.size() == static_cast<std::size_t>(OpKind::fault) + 1);

std::string escaped(const std::string& text) {
  constexpr std::size_t kLongRun = 16;
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    const std::size_t run = std::min(text.find_first_not_of(c, i), text.size()) - i;
    if (run >= kLongRun) {
      out += fmt::format("%{{{}*{:02x}}}", run, byte);
      i += run - 1;
    } else if (byte > 0x20 && byte < 0x7f && c != '%' && c != '=')
      out += c;
    else
      out += fmt::format("%{:02x}", byte);
  }
  return out;
}

std::string unescaped(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    std::size_t times = 1;
    if (text.at(i + 1) == '{') {
      const std::size_t star = text.find('*', i);
      times = std::stoul(text.substr(i + 2, star - i - 2));
      i = star;
    }
    out.append(times, static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16)));
    i += times == 1 ? 2 : 3;
  }
  return out;
}

void set_field(Operation& op, const std::string& key, const std::string& value) {
  if (key == "a")
    op.a = unescaped(value);
  else if (key == "b")
    op.b = unescaped(value);
  else if (key == "m")
    op.mount = std::stoi(value);
  else if (key == "slot")
    op.slot = std::stoi(value);
  else if (key == "flags")
    op.flags = static_cast<unsigned>(std::stoul(value));
  else if (key == "offset")
    op.offset = std::stoull(value);
  else if (key == "size")
    op.size = std::stoull(value);
  else if (key == "seed")
    op.seed = std::stoull(value);
  else if (key == "mode")
    op.mode = static_cast<std::uint32_t>(std::stoul(value, nullptr, 8));
  else if (key == "time")
    op.time = std::stoll(value);
  else if (key == "eager")
    op.eager = value == "1";
  else
    throw std::invalid_argument("no such field: " + key);
}

Operation parse_one(const std::string& line) {
  std::istringstream words(line);
  std::string word;
  words >> word;
  Operation op;
  std::size_t kind = 0;
  while (kind < kNames.size() && word != kNames[kind]) ++kind;
  if (kind == kNames.size()) throw std::invalid_argument("no such operation");
  op.kind = static_cast<OpKind>(kind);
  while (words >> word) {
    const auto sign = word.find('=');
    if (sign == std::string::npos) throw std::invalid_argument("no '=' in " + word);
    set_field(op, word.substr(0, sign), word.substr(sign + 1));
  }
  return op;
}

}  // namespace

void Operation::leave_out_unused() {
  const auto among = [this](std::initializer_list<OpKind> kinds) {
    return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
  };
  using enum OpKind;
  const bool writes = among({put, append, patch, create, write, map_write});
  if (!writes && kind != utimens) seed = 0;
  if (!writes && !among({truncate, chown, read, resize, allocate, copy_range})) size = 0;
  if (!among({patch, chown, write, read, allocate, map_write, copy_range})) offset = 0;
  if (!among({put, create, mkdir, mkfifo, chmod, open})) mode = 0;
  if (!only_looks() && !among({create, mkdir, symlink})) eager = false;
}

bool Operation::only_looks() const {
  switch (kind) {
    case OpKind::get:
    case OpKind::readlink:
    case OpKind::stat:
    case OpKind::list:
    case OpKind::getxattr:
    case OpKind::setxattr:  // always refused
    case OpKind::link:      // likewise
    case OpKind::read:
    case OpKind::fstat:
    case OpKind::fsync:
    case OpKind::sync_folder:
      return true;
    default:
      return false;
  }
}

std::string Operation::str() const {
  std::string line = fmt::format("{} m={}", kNames[static_cast<std::size_t>(kind)], mount);
  if (!a.empty()) line += " a=" + escaped(a);
  if (!b.empty()) line += " b=" + escaped(b);
  if (slot != 0) line += fmt::format(" slot={}", slot);
  if (flags != 0) line += fmt::format(" flags={}", flags);
  if (offset != 0) line += fmt::format(" offset={}", offset);
  if (size != 0) line += fmt::format(" size={}", size);
  if (seed != 0) line += fmt::format(" seed={}", seed);
  if (mode != 0) line += fmt::format(" mode={:o}", mode);
  if (time != 0) line += fmt::format(" time={}", time);
  if (eager) line += " eager=1";
  return line;
}

Operations parse_operations(std::string_view text) {
  Operations operations;
  std::istringstream lines{std::string(text)};
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    try {
      operations.push_back(parse_one(line));
    } catch (const std::exception& problem) {
      throw std::invalid_argument(fmt::format("line {}: {}: {}", number, line, problem.what()));
    }
  }
  return operations;
}

std::string text_of(const Operations& operations) {
  std::string text;
  for (const Operation& op : operations) text += op.str() + "\n";
  return text;
}

std::string bytes_of(std::uint64_t seed, std::size_t size) {
  std::string bytes(size + sizeof seed, '\0');
  std::uint64_t state = seed * 0x9e3779b97f4a7c15ULL + 1;
  for (std::size_t at = 0; at < size; at += sizeof state) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    std::memcpy(bytes.data() + at, &state, sizeof state);
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace geogrid::test

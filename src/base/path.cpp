#include "base/path.hpp"

#include <algorithm>
#include <cerrno>

namespace geogrid {
namespace {

/// Length of the valid UTF-8 sequence of a printable character at the start of `s`; 0 if there is none (RFC
/// 3629).
std::size_t utf8_length(std::string_view s) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const auto continuation = [&](std::size_t i) { return i < s.size() && (at(i) & 0xC0U) == 0x80U; };
  const unsigned char c = at(0);
  if (c >= 0xC2 && c <= 0xDF && continuation(1)) return (c == 0xC2 && at(1) < 0xA0) ? 0 : 2;  // C1 controls
  if (c >= 0xE0 && c <= 0xEF && continuation(1) && continuation(2)) {
    if (c == 0xE0 && at(1) < 0xA0) return 0;  // overlong
    if (c == 0xED && at(1) > 0x9F) return 0;  // surrogate
    return 3;
  }
  if (c >= 0xF0 && c <= 0xF4 && continuation(1) && continuation(2) && continuation(3)) {
    if (c == 0xF0 && at(1) < 0x90) return 0;
    if (c == 0xF4 && at(1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

result<void> check_name(std::string_view name) {
  if (name.empty()) return fail(errc::invalid_argument, "a name is empty");
  if (name == "." || name == "..")
    return fail(errc::invalid_argument, "'{}' is not a name: paths are taken as they are, never resolved",
                name);
  if (name.size() > kMaxNameBytes)
    return system_error(ENAMETOOLONG, fmt::format("the name '{}…' has {} bytes, and {} is the limit",
                                                  printable(name.substr(0, 40)), name.size(), kMaxNameBytes));
  if (name.find('\0') != std::string_view::npos)
    return fail(errc::invalid_argument, "the name '{}' holds a NUL byte", printable(name));
  if (name.find('/') != std::string_view::npos)
    return fail(errc::invalid_argument, "the name '{}' holds a slash", printable(name));
  return {};
}

result<Path> Path::parse(std::string_view text) {
  Path path;
  while (!text.empty()) {
    const std::size_t slash = text.find('/');
    const std::string_view name = text.substr(0, slash);
    if (!name.empty()) {
      if (auto ok = check_name(name); !ok)
        return ok.error().within(fmt::format("path '{}'", printable(text)));
      path.text_.append("/").append(name);
    }
    if (slash == std::string_view::npos) break;
    text.remove_prefix(slash + 1);
  }
  return path;
}

std::vector<std::string_view> Path::components() const {
  std::vector<std::string_view> names;
  std::string_view rest = relative();
  while (!rest.empty()) {
    const std::size_t slash = rest.find('/');
    names.push_back(rest.substr(0, slash));
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  return names;
}

std::string_view Path::filename() const {
  return std::string_view(text_).substr(text_.rfind('/') + 1);
}

Path Path::parent() const {
  Path p;
  p.text_ = text_.substr(0, text_.rfind('/'));
  return p;
}

Path Path::child(std::string_view name) const {
  Path p;
  p.text_.reserve(text_.size() + 1 + name.size());
  p.text_.append(text_).append("/").append(name);
  return p;
}

bool Path::is_within(const Path& other) const {
  return text_.starts_with(other.text_) &&
         (text_.size() == other.text_.size() || text_[other.text_.size()] == '/');
}

bool Path::is_reserved() const {
  const std::string_view rest = relative();
  return rest.substr(0, rest.find('/')) == kReservedName;
}

bool before_in_walk(const Path& a, const Path& b) {
  const auto as = a.components();
  const auto bs = b.components();
  return std::lexicographical_compare(as.begin(), as.end(), bs.begin(), bs.end());
}

std::string printable(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (std::size_t i = 0; i < bytes.size();) {
    const char c = bytes[i];
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c >= 0x20 && c < 0x7F) {
      out += c;
    } else if (const std::size_t n = utf8_length(bytes.substr(i)); n > 0) {
      out.append(bytes.substr(i, n));
      i += n;
      continue;
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    ++i;
  }
  return out;
}

result<std::string> unprintable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    const char kind = i + 1 < text.size() ? text[i + 1] : '\0';
    if (kind == '\\' || kind == 'n' || kind == 't') {
      out += kind == 'n' ? '\n' : kind == 't' ? '\t' : '\\';
      ++i;
    } else if (kind == 'x' && i + 3 < text.size() && hex_value(text[i + 2]) >= 0 &&
               hex_value(text[i + 3]) >= 0) {
      out += static_cast<char>(hex_value(text[i + 2]) * 16 + hex_value(text[i + 3]));
      i += 3;
    } else {
      return fail(errc::invalid_argument, "'{}' has a malformed escape at byte {}", text, i);
    }
  }
  return out;
}

}  // namespace geogrid

#include "base/error.hpp"

#include <cerrno>
#include <stdexcept>

namespace geogrid {
namespace {

struct Text {
  errc code;
  const char* text;
  int error_number;
};

constexpr Text kTexts[] = {
    {errc::invalid_argument, "invalid argument", EINVAL},
    {errc::not_found, "not found", ENOENT},
    {errc::already_exists, "already exists", EEXIST},
    {errc::not_a_folder, "not a folder", ENOTDIR},
    {errc::is_a_folder, "is a folder", EISDIR},
    {errc::not_empty, "folder not empty", ENOTEMPTY},
    {errc::stale, "no longer current", ESTALE},
    {errc::conflict, "conflicting content", EEXIST},
    {errc::corrupt, "damaged content", EIO},
    {errc::volume_absent, "volume absent", EIO},
    {errc::foreign, "belongs to another cluster or node", EIO},
    {errc::unavailable, "unavailable", EIO},
    {errc::not_initialised, "not initialised", EIO},
    {errc::schema_too_new, "written by a newer version", EIO},
    {errc::low_space, "too little free space", ENOSPC},
    {errc::refused, "refused for safety", EPERM},
    {errc::busy, "busy", EBUSY},
    {errc::timed_out, "timed out", ETIMEDOUT},
    {errc::cancelled, "cancelled", EINTR},
    {errc::not_supported, "not supported", EOPNOTSUPP},
    {errc::internal, "internal error", EIO},
};

const Text* find_text(int value) noexcept {
  for (const Text& t : kTexts)
    if (static_cast<int>(t.code) == value) return &t;
  return nullptr;
}

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "geogrid"; }
  std::string message(int value) const override {
    const Text* t = find_text(value);
    return t ? t->text : "unknown error";
  }
};

}  // namespace

const std::error_category& geogrid_category() noexcept {
  static const Category category;
  return category;
}

std::error_code make_error_code(errc code) noexcept {
  return {static_cast<int>(code), geogrid_category()};
}

Error Error::within(std::string_view context) const& {
  return Error(code, fmt::format("{}: {}", context, message));
}

Error system_error(int error_number, std::string_view action) {
  const std::error_code code(error_number, std::generic_category());
  return Error(code, fmt::format("{}: {}", action, code.message()));
}

void throw_exception_from_error(const Error& error, const boost::source_location& where) {
  throw std::runtime_error(
      fmt::format("{} (unchecked result at {}:{})", error.message, where.file_name(), where.line()));
}

int to_errno(const Error& error) noexcept {
  if (error.code.category() == std::generic_category() || error.code.category() == std::system_category())
    return error.code.value();
  const Text* t = error.code.category() == geogrid_category() ? find_text(error.code.value()) : nullptr;
  return t ? t->error_number : EIO;
}

int exit_code(const Error& error) noexcept {
  if (error.is(errc::invalid_argument)) return 2;
  if (error.is(errc::refused) || error.is(errc::low_space) || error.is(errc::foreign)) return 3;
  return 1;
}

}  // namespace geogrid

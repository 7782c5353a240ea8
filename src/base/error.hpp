#pragma once
// Errors as values. A function that can fail returns result<T>; exceptions are left for bugs and for a start
// that cannot succeed. Each edge converts once: errno in FUSE, status in HTTP, exit code in main
// (exit_code()).

#include <fmt/format.h>

#include <boost/system/result.hpp>
#include <string>
#include <system_error>
#include <utility>

namespace geogrid {

/// What went wrong, as far as a caller has to tell cases apart.
enum class errc {
  invalid_argument = 1,  ///< the caller or the user gave something that can never work
  not_found,             ///< no such file, folder, node or row
  already_exists,        ///< the name is taken
  not_a_folder,          ///< a folder was needed
  is_a_folder,           ///< a file was needed
  not_empty,             ///< the folder still holds something
  stale,                 ///< the claim is about a version, path or lease that is no longer current
  conflict,              ///< other content is where ours should be
  corrupt,               ///< bytes do not have the digest they should have
  volume_absent,         ///< the volume's marker is not there: nothing may be concluded from what is missing
  foreign,               ///< a store or volume that belongs to another cluster or node
  unavailable,           ///< a server or node cannot be reached now; trying again later may help
  not_initialised,       ///< the metadata store is empty
  schema_too_new,        ///< the metadata store was written by a newer geogridd
  low_space,             ///< refused because the volume would fall below its min_free
  refused,               ///< refused for safety: a brake, a limit
  busy,                  ///< another process does this already, or holds the lock or the lease
  timed_out,             ///< the deadline passed
  cancelled,             ///< stopped by shutdown
  not_supported,         ///< this build or this node cannot do it
  internal,              ///< a broken invariant: a bug in geogridd
};

const std::error_category& geogrid_category() noexcept;
std::error_code make_error_code(errc code) noexcept;

/// An error: a code for programs (an errc or a system errno) and a text for people that says what was being
/// done, to what, and, where it can, what to do about it.
struct [[nodiscard]] Error {
  std::error_code code;
  std::string message;

  Error() = default;  ///< no error; what result::error() of a success returns
  Error(errc c, std::string text) : code(make_error_code(c)), message(std::move(text)) {}
  Error(std::error_code c, std::string text) : code(c), message(std::move(text)) {}

  bool is(errc c) const noexcept { return code == make_error_code(c); }
  bool is(std::errc c) const noexcept { return code == c; }

  /// The same error with what the caller was doing put in front: "context: message".
  Error within(std::string_view context) const&;
};

/// An error from errno: "action: strerror text".
Error system_error(int error_number, std::string_view action);
/// An error that fmt composes: fail(errc::not_found, "no node {}", name).
template <typename... Args>
Error fail(errc code, fmt::format_string<Args...> text, Args&&... args) {
  return Error(code, fmt::format(text, std::forward<Args>(args)...));
}

[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& where);

template <typename T>
using result = boost::system::result<T, Error>;

/// The errno a system call would have set for this error; EIO where none fits.
int to_errno(const Error& error) noexcept;
/// Exit codes of the program: 1 failed, 2 usage or configuration, 3 refused for safety.
int exit_code(const Error& error) noexcept;

}  // namespace geogrid

template <>
struct std::is_error_code_enum<geogrid::errc> : std::true_type {};

#define GG_CONCAT_INNER(a, b) a##b
#define GG_CONCAT(a, b) GG_CONCAT_INNER(a, b)

/// GG_TRY(auto x, f()): x = the value of f(), or return its error from this function.
#define GG_TRY(decl, ...)                                                                          \
  auto GG_CONCAT(gg_result_, __LINE__) = (__VA_ARGS__);                                            \
  if (!GG_CONCAT(gg_result_, __LINE__)) return std::move(GG_CONCAT(gg_result_, __LINE__)).error(); \
  decl = std::move(*GG_CONCAT(gg_result_, __LINE__))
/// GG_CHECK(f()): return the error of f(), a result<void>, if it has one.
#define GG_CHECK(...)                                                                       \
  do {                                                                                      \
    if (auto gg_checked = (__VA_ARGS__); !gg_checked) return std::move(gg_checked).error(); \
  } while (false)
/// The same two for coroutines: GG_CO_TRY(auto x, co_await f()).
#define GG_CO_TRY(decl, ...)                                                                          \
  auto GG_CONCAT(gg_result_, __LINE__) = (__VA_ARGS__);                                               \
  if (!GG_CONCAT(gg_result_, __LINE__)) co_return std::move(GG_CONCAT(gg_result_, __LINE__)).error(); \
  decl = std::move(*GG_CONCAT(gg_result_, __LINE__))
#define GG_CO_CHECK(...)                                                                       \
  do {                                                                                         \
    if (auto gg_checked = (__VA_ARGS__); !gg_checked) co_return std::move(gg_checked).error(); \
  } while (false)

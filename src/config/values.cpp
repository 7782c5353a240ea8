#include "config/values.hpp"

#include <charconv>
#include <filesystem>

#include "base/path.hpp"
#include "base/units.hpp"
#include "policy/pattern.hpp"

namespace geogrid {
namespace {

/// A value that `parse`, a function from text to result<T>, understands.
template <typename T, typename Parse>
Value<T> parsed(Parse parse) {
  return {[parse](ReadContext& context, const YamlNode& node, T& out) {
    const auto given = context.text(node);
    if (!given) return;
    if (auto value = parse(std::string_view(*given)); value)
      out = std::move(*value);
    else
      context.fault(node, value.error().message);
  }};
}

template <typename Number>
result<Number> parse_number(std::string_view text, std::string_view what) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    return fail(errc::invalid_argument, "'{}' is not {}", printable(text), what);
  return number;
}

result<std::string> parse_local_path(std::string_view text) {
  if (!text.starts_with('/'))
    return fail(errc::invalid_argument, "'{}' is a relative path; write it from the root, beginning with /",
                printable(text));
  std::string path = std::filesystem::path(text).lexically_normal().string();
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

}  // namespace

bool is_valid_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

Value<std::string> text() {
  return parsed<std::string>(
      [](std::string_view given) -> result<std::string> { return std::string(given); });
}

Value<std::string> name() {
  return parsed<std::string>([](std::string_view given) -> result<std::string> {
    if (!is_valid_name(given))
      return fail(errc::invalid_argument,
                  "'{}' is no name: up to 64 letters, digits, '.', '_' and '-' make one", printable(given));
    return std::string(given);
  });
}

Value<std::string> local_path() {
  return parsed<std::string>(parse_local_path);
}

Value<std::string> archive_path() {
  return parsed<std::string>([](std::string_view given) -> result<std::string> {
    if (!given.starts_with('/'))
      return fail(errc::invalid_argument,
                  "'{}' is a relative path; write it from the archive's root, beginning with /",
                  printable(given));
    GG_TRY(const Path path, Path::parse(given));
    return path.str();
  });
}

Value<std::string> pattern() {
  return {[](ReadContext& context, const YamlNode& node, std::string& out) {
    const auto given = context.raw_text(node);
    if (!given) return;
    if (auto compiled = Pattern::make(*given); compiled)
      out = *given;
    else
      context.fault(node, compiled.error().message);
  }};
}

Value<bool> boolean() {
  return choice<bool>({{"true", true}, {"false", false}});
}

Value<int> integer(int least, int most) {
  return parsed<int>([least, most](std::string_view given) -> result<int> {
    GG_TRY(const int number, parse_number<int>(given, "a whole number"));
    if (number < least || number > most)
      return fail(errc::invalid_argument, "{} is not between {} and {}", number, least, most);
    return number;
  });
}

Value<double> number(double least, bool or_equal, double most) {
  return parsed<double>([=](std::string_view given) -> result<double> {
    GG_TRY(const double number, parse_number<double>(given, "a number"));
    const bool enough = or_equal ? number >= least : number > least;
    if (enough && number <= most) return number;  // false for NaN
    return fail(errc::invalid_argument, "{} is not {} {} and at most {}", given,
                or_equal ? "at least" : "more than", least, most);
  });
}

Value<std::uint64_t> size() {
  return parsed<std::uint64_t>(parse_size);
}

Value<std::uint64_t> rate() {
  return parsed<std::uint64_t>([](std::string_view given) -> result<std::uint64_t> {
    GG_TRY(const std::uint64_t bytes, parse_rate(given));
    if (bytes == 0) return fail(errc::invalid_argument, "a rate of nothing would stop the work for ever");
    return bytes;
  });
}

Value<std::chrono::milliseconds> duration() {
  return parsed<std::chrono::milliseconds>([](std::string_view given) -> result<std::chrono::milliseconds> {
    GG_TRY(const auto time, parse_duration(given));
    if (time.count() == 0) return fail(errc::invalid_argument, "'{}': it must be more than 0", given);
    if (time > kLongestDuration) return fail(errc::invalid_argument, "'{}' is more than 100 years", given);
    return time;
  });
}

Value<Endpoint> endpoint() {
  return parsed<Endpoint>([](std::string_view given) { return parse_endpoint(given); });
}

Value<HttpUrl> http_url() {
  return parsed<HttpUrl>(parse_http_url);
}

Value<MetadataLocation> metadata_url() {
  return parsed<MetadataLocation>(parse_metadata_url);
}

Value<LogLevel> log_level() {
  return parsed<LogLevel>(parse_log_level);
}

Value<std::string> name_pattern() {
  return parsed<std::string>([](std::string_view given) -> result<std::string> {
    if (given.find('/') != std::string_view::npos)
      return fail(errc::invalid_argument, "'{}' holds a slash, but the pattern is for single names",
                  printable(given));
    return std::string(given);
  });
}

Value<std::string> mail_address() {
  return parsed<std::string>([](std::string_view given) -> result<std::string> {
    const std::size_t at = given.find('@');
    if (at == 0 || at >= given.size() - 1 || given.find(' ') != std::string_view::npos ||
        given.starts_with('-'))
      return fail(errc::invalid_argument, "'{}' is no mail address", printable(given));
    return std::string(given);
  });
}

Value<std::uint64_t> gibibytes() {
  return {[](ReadContext& context, const YamlNode& node, std::uint64_t& out) {
    constexpr double kGiB = 1073741824.0;
    double gig = static_cast<double>(out) / kGiB;
    number(0, true, 1e6).read(context, node, gig);
    out = static_cast<std::uint64_t>(gig * kGiB);
  }};
}

Value<Secret> secret_file() {
  return {[](ReadContext& context, const YamlNode& node, Secret& out) {
    local_path().read(context, node, out.file);
  }};
}

Value<Secret> secret_variable() {
  return {[](ReadContext& context, const YamlNode& node, Secret& out) {
    const auto raw = context.raw_text(node);
    if (!raw) return;
    if (!raw->starts_with("${") || raw->find('}') != raw->size() - 1 ||
        raw->find(":-") != std::string::npos) {
      context.fault(
          node,
          "a secret must not be written here: take it from the environment as ${NAME}, or put it in a "
          "file of mode 0600 and give its path under the key that ends in _file");
      return;
    }
    if (auto value = context.text(node)) out.value = std::move(*value);
  }};
}

}  // namespace geogrid

#include "policy/pattern.hpp"

#include <re2/re2.h>
#include <re2/stringpiece.h>

#include "base/path.hpp"

namespace geogrid {

result<Pattern> Pattern::make(std::string_view text) {
  RE2::Options options(RE2::Latin1);
  options.set_log_errors(false);
  options.set_dot_nl(true);
  auto compiled = std::make_shared<const RE2>(re2::StringPiece(text.data(), text.size()), options);
  if (!compiled->ok())
    return fail(errc::invalid_argument, "invalid pattern '{}': {}", printable(text),
                printable(compiled->error()));
  return Pattern(std::move(compiled));
}

bool Pattern::matches(std::string_view bytes) const {
  return RE2::PartialMatch(re2::StringPiece(bytes.data(), bytes.size()), *compiled_);
}

const std::string& Pattern::text() const {
  return compiled_->pattern();
}

}  // namespace geogrid

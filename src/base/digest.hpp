#pragma once
// Content digests: the value that is recorded, and the running calculation (OpenSSL's EVP).

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace geogrid {

/// Stored in metadata by number: never renumber.
enum class DigestAlgorithm : std::uint8_t { none = 0, md5 = 1, sha256 = 2 };

std::string_view name_of(DigestAlgorithm algorithm);

/// A digest and how it was made. Empty means *pending* (not calculated yet), never "no content".
struct Digest {
  DigestAlgorithm algorithm = DigestAlgorithm::none;
  std::string bytes;

  bool pending() const { return algorithm == DigestAlgorithm::none; }
  std::string hex() const;  ///< lower case; empty if pending
  std::string str() const;  ///< "md5:0123…"; "pending"
  /// Errors: errc::invalid_argument for odd length, other characters, or a length that is not the
  /// algorithm's.
  static result<Digest> from_hex(DigestAlgorithm algorithm, std::string_view hex);

  friend bool operator==(const Digest&, const Digest&) = default;
};

/// A digest being calculated. One thread at a time; can be used again after finish().
class Hasher {
 public:
  explicit Hasher(DigestAlgorithm algorithm = DigestAlgorithm::md5);
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  void update(std::span<const std::byte> data);
  void update(std::string_view data) { update(std::as_bytes(std::span(data))); }
  /// The digest of everything since the construction or the last finish().
  Digest finish();
  /// The same, and goes on.
  Digest present() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Digest digest_of(std::string_view data, DigestAlgorithm algorithm = DigestAlgorithm::md5);
std::string to_hex(std::string_view bytes);

}  // namespace geogrid

#include "base/digest.hpp"

#include <openssl/evp.h>

#include <array>
#include <stdexcept>

namespace geogrid {
namespace {

const EVP_MD* method_of(DigestAlgorithm algorithm) {
  switch (algorithm) {
    case DigestAlgorithm::md5:
      return EVP_md5();
    case DigestAlgorithm::sha256:
      return EVP_sha256();
    case DigestAlgorithm::none:
      break;
  }
  throw std::logic_error("a digest needs an algorithm");
}

std::size_t length_of(DigestAlgorithm algorithm) {
  return algorithm == DigestAlgorithm::none ? 0
                                            : static_cast<std::size_t>(EVP_MD_get_size(method_of(algorithm)));
}

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string_view name_of(DigestAlgorithm algorithm) {
  switch (algorithm) {
    case DigestAlgorithm::md5:
      return "md5";
    case DigestAlgorithm::sha256:
      return "sha256";
    case DigestAlgorithm::none:
      break;
  }
  return "none";
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto u = static_cast<unsigned char>(c);
    out += digits[u >> 4U];
    out += digits[u & 15U];
  }
  return out;
}

std::string Digest::hex() const {
  return to_hex(bytes);
}

std::string Digest::str() const {
  return pending() ? "pending" : std::string(name_of(algorithm)) + ":" + hex();
}

result<Digest> Digest::from_hex(DigestAlgorithm algorithm, std::string_view hex) {
  if (hex.size() != 2 * length_of(algorithm))
    return fail(errc::invalid_argument, "a {} digest has {} hex digits, not {}", name_of(algorithm),
                2 * length_of(algorithm), hex.size());
  Digest digest{algorithm, {}};
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = nibble(hex[i]);
    const int low = nibble(hex[i + 1]);
    if (high < 0 || low < 0) return fail(errc::invalid_argument, "'{}' is no hex digest", hex);
    digest.bytes += static_cast<char>(high * 16 + low);
  }
  return digest;
}

struct Hasher::State {
  DigestAlgorithm algorithm;
  EVP_MD_CTX* context = EVP_MD_CTX_new();

  explicit State(DigestAlgorithm a) : algorithm(a) { start(); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }

  void start() const {
    if (context == nullptr || EVP_DigestInit_ex(context, method_of(algorithm), nullptr) != 1)
      throw std::runtime_error(fmt::format("OpenSSL offers no {} digest", name_of(algorithm)));
  }
};

Hasher::Hasher(DigestAlgorithm algorithm) : state_(std::make_unique<State>(algorithm)) {}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(std::span<const std::byte> data) {
  if (!data.empty()) EVP_DigestUpdate(state_->context, data.data(), data.size());
}

Digest Hasher::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  EVP_DigestFinal_ex(state_->context, out.data(), &size);
  state_->start();
  return Digest{state_->algorithm, std::string(reinterpret_cast<const char*>(out.data()), size)};
}

Digest Hasher::present() const {
  const State copy(state_->algorithm);
  if (EVP_MD_CTX_copy_ex(copy.context, state_->context) != 1)
    throw std::runtime_error("OpenSSL cannot copy a digest under way");
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  EVP_DigestFinal_ex(copy.context, out.data(), &size);
  return Digest{state_->algorithm, std::string(reinterpret_cast<const char*>(out.data()), size)};
}

Digest digest_of(std::string_view data, DigestAlgorithm algorithm) {
  Hasher hasher(algorithm);
  hasher.update(data);
  return hasher.finish();
}

}  // namespace geogrid

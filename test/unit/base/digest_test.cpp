#include "base/digest.hpp"

#include <gtest/gtest.h>

namespace geogrid {
namespace {

TEST(Digest, KnownValues) {
  // RFC 1321, A.5; FIPS 180-2, B.1.
  EXPECT_EQ(digest_of("").hex(), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(digest_of("message digest").hex(), "f96b697d7cb7938d525a2f31aaf161d0");
  EXPECT_EQ(digest_of("abc", DigestAlgorithm::sha256).hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest_of("").str(), "md5:d41d8cd98f00b204e9800998ecf8427e");
}

TEST(Hasher, ContinuesAndStartsAfresh) {
  Hasher hasher;
  hasher.update("message ");
  hasher.update("");
  hasher.update("digest");
  EXPECT_EQ(hasher.finish(), digest_of("message digest"));
  EXPECT_EQ(hasher.finish(), digest_of(""));
  hasher.update("again");
  Hasher moved = std::move(hasher);
  EXPECT_EQ(moved.finish(), digest_of("again"));
}

TEST(Digest, PendingIsNotTheDigestOfNothing) {
  EXPECT_TRUE(Digest().pending());
  EXPECT_EQ(Digest().str(), "pending");
  EXPECT_EQ(Digest().hex(), "");
  EXPECT_FALSE(digest_of("").pending());
  EXPECT_NE(Digest(), digest_of(""));
}

TEST(Digest, FromHex) {
  const Digest d = digest_of("x", DigestAlgorithm::sha256);
  EXPECT_EQ(Digest::from_hex(DigestAlgorithm::sha256, d.hex()).value(), d);
  EXPECT_EQ(Digest::from_hex(DigestAlgorithm::md5, "D41D8CD98F00B204E9800998ECF8427E").value(),
            digest_of(""));
  for (const char* wrong : {"", "d4", "d41d8cd98f00b204e9800998ecf8427", "d41d8cd98f00b204e9800998ecf8427g",
                            "d41d8cd98f00b204e9800998ecf8427e00", " d41d8cd98f00b204e9800998ecf8427",
                            "0xd41d8cd98f00b204e9800998ecf842"})
    EXPECT_TRUE(Digest::from_hex(DigestAlgorithm::md5, wrong).error().is(errc::invalid_argument)) << wrong;
}

TEST(ToHex, EveryByte) {
  EXPECT_EQ(to_hex(std::string("\0\x0f\xf0\xff", 4)), "000ff0ff");
}

}  // namespace
}  // namespace geogrid

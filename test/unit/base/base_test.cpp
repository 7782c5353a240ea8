// The small types: errors, node sets, times, descriptors, logs.

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <random>
#include <set>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/log.hpp"
#include "base/timestamp.hpp"
#include "base/unique_fd.hpp"

namespace geogrid {
namespace {

TEST(Error, CarriesCodeAndText) {
  const Error e = fail(errc::not_found, "no node {}", "jam");
  EXPECT_TRUE(e.is(errc::not_found));
  EXPECT_FALSE(e.is(errc::stale));
  EXPECT_EQ(e.message, "no node jam");
  EXPECT_EQ(e.within("locating").message, "locating: no node jam");
  EXPECT_TRUE(e.within("locating").is(errc::not_found));
  const Error s = system_error(ENOSPC, "writing /x");
  EXPECT_TRUE(s.is(std::errc::no_space_on_device));
  EXPECT_EQ(s.message, "writing /x: No space left on device");
}

TEST(Error, BecomesErrnoAndExitCode) {
  EXPECT_EQ(to_errno(fail(errc::not_found, "x")), ENOENT);
  EXPECT_EQ(to_errno(fail(errc::not_empty, "x")), ENOTEMPTY);
  EXPECT_EQ(to_errno(system_error(EXDEV, "x")), EXDEV);
  EXPECT_EQ(exit_code(fail(errc::invalid_argument, "x")), 2);
  EXPECT_EQ(exit_code(fail(errc::low_space, "x")), 3);
  EXPECT_EQ(exit_code(fail(errc::refused, "x")), 3);
  EXPECT_EQ(exit_code(fail(errc::foreign, "x")), 3);
  EXPECT_EQ(exit_code(fail(errc::unavailable, "x")), 1);
  EXPECT_EQ(exit_code(system_error(EIO, "x")), 1);
  for (int c = static_cast<int>(errc::invalid_argument); c <= static_cast<int>(errc::internal); ++c) {
    const Error e(static_cast<errc>(c), "");
    EXPECT_GT(to_errno(e), 0);
    EXPECT_NE(e.code.message(), "unknown error") << c;
  }
}

result<int> half(int n) {
  if (n % 2) return fail(errc::invalid_argument, "{} is odd", n);
  return n / 2;
}
result<int> quarter(int n) {
  GG_TRY(const int h, half(n));
  GG_CHECK(half(h));
  return half(h);
}

TEST(Result, MacrosPassErrorsOn) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(7).error().message, "7 is odd");
  EXPECT_EQ(quarter(6).error().message, "3 is odd");
  EXPECT_THROW(quarter(7).value(), std::runtime_error);
}

TEST(NodeSet, IsASet) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 2000; ++round) {
    std::set<int> a, b;
    NodeSet x, y;
    for (int i = 0; i < 20; ++i) {
      const auto n = static_cast<std::uint8_t>(random() % 64), m = static_cast<std::uint8_t>(random() % 64);
      a.insert(n), b.insert(m);
      x = x.with(NodeIndex(n)), y = y.with(NodeIndex(m));
    }
    const auto members = [](NodeSet s) {
      std::vector<int> v;
      for (NodeIndex n : s) v.push_back(n.value);
      return v;
    };
    ASSERT_EQ(members(x), std::vector<int>(a.begin(), a.end()));
    ASSERT_EQ(x.size(), std::ssize(a));
    ASSERT_EQ(x.first().value, *a.begin());
    for (int i = 0; i < 64; ++i) {
      const NodeIndex n(static_cast<std::uint8_t>(i));
      ASSERT_EQ((x | y).contains(n), a.contains(i) || b.contains(i));
      ASSERT_EQ((x & y).contains(n), a.contains(i) && b.contains(i));
      ASSERT_EQ((x - y).contains(n), a.contains(i) && !b.contains(i));
      ASSERT_FALSE(x.without(n).contains(n));
    }
  }
  EXPECT_TRUE(NodeSet().empty());
  EXPECT_EQ(NodeSet::of(NodeIndex(63)).first(), NodeIndex(63));
}

TEST(Timestamp, IsShownInUtc) {
  EXPECT_EQ((Timestamp{1375696800, 5}).str(), "2013-08-05T10:00:00Z");
  EXPECT_EQ((Timestamp{-1, 999'999'999}).str(), "1969-12-31T23:59:59Z");
  EXPECT_LT((Timestamp{-1, 999'999'999}), (Timestamp{0, 0}));
  EXPECT_LT((Timestamp{1, 1}), (Timestamp{1, 2}));
  const Timestamp t{-5, 7};
  EXPECT_EQ(Timestamp::from(t.to_timespec()), t);
  EXPECT_FALSE((Timestamp{INT64_MAX, 0}).str().empty());
}

TEST(UniqueFd, ClosesOnce) {
  const int raw = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(raw, 0);
  {
    UniqueFd a(raw);
    UniqueFd b = std::move(a);
    EXPECT_FALSE(a);  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(b.get(), raw);
    EXPECT_EQ(::fcntl(raw, F_GETFD), FD_CLOEXEC);
  }
  EXPECT_EQ(::fcntl(raw, F_GETFD), -1);
  UniqueFd released(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int kept = released.release();
  released.reset();
  EXPECT_EQ(::close(kept), 0);
}

TEST(Log, LevelsByName) {
  EXPECT_EQ(parse_log_level("debug").value(), LogLevel::debug);
  EXPECT_EQ(parse_log_level("info").value(), LogLevel::info);
  EXPECT_EQ(parse_log_level("warning").value(), LogLevel::warning);
  EXPECT_EQ(parse_log_level("error").value(), LogLevel::error);
  EXPECT_TRUE(parse_log_level("loud").error().is(errc::invalid_argument));
  EXPECT_FALSE(Log().enabled(LogLevel::error));
}

TEST(Log, LinesGoToStderrFromTheirLevelUp) {
  testing::internal::CaptureStderr();
  const Log log = Log::to_stderr(LogLevel::warning).named("walker");
  log.info("quiet {}", 1);
  log.warning("loud {}", 2);
  const std::string lines = testing::internal::GetCapturedStderr();
  EXPECT_EQ(lines.find("quiet"), std::string::npos);
  EXPECT_NE(lines.find("loud 2"), std::string::npos) << lines;
  EXPECT_NE(lines.find("walker"), std::string::npos) << lines;
}

}  // namespace
}  // namespace geogrid

#include "replication/folder_judgement.hpp"

#include <gtest/gtest.h>

#include "random_folder.hpp"

namespace geogrid::test {
namespace {

constexpr NodeIndex kNode = RandomFolder::kNode;

// What must follow from any digest of any file, in thousands of folders.
TEST(FolderJudgement, OnlyTheRightBytesEverCount) {
  std::uint64_t claims = 0, withdrawals = 0, entries = 0, findings = 0, proved = 0, repairs = 0;
  for (unsigned seed = 0; seed < 4000; ++seed) {
    SCOPED_TRACE(seed);
    RandomFolder folder(seed);
    CompareOptions options;
    options.node = kNode;
    options.deep = seed % 2 == 0;
    const auto comparison = compare_folder(folder.disk, folder.known, IgnoreRules(), options);
    for (const Comparison& item : comparison.items) {
      if (!needs_digest(item.verdict)) continue;
      WholeFile file;
      file.entry = *item.disk;
      file.digest = digest_of(std::to_string(folder.random()() % 2));
      FolderJudgement judgement(kNode, *Path::parse("/f"));
      judgement.add({item, file});
      const std::size_t acts = judgement.entries.size() + judgement.claims.size() +
                               judgement.withdrawals.size() + judgement.findings.size() +
                               judgement.proved.size();
      ASSERT_LE(acts, 1U);
      const Inode* known = item.known;
      const bool counted = known != nullptr && known->replicas.contains(kNode);
      const bool right = known != nullptr && file.entry.size == known->size &&
                         (known->digest.pending() || known->digest == file.digest);
      ASSERT_EQ(judgement.entries.size(), known == nullptr ? 1U : 0U);
      ASSERT_EQ(judgement.withdrawals.size(), counted && !right ? 1U : 0U);
      if (!judgement.claims.empty()) {
        ASSERT_TRUE(right);
        ASSERT_EQ(judgement.claims.front().version, known->version);
        ASSERT_EQ(judgement.claims.front().digest, file.digest);
      }
      if (!judgement.findings.empty()) {
        ASSERT_TRUE(!counted && !right && !known->older.contains(kNode));
      }
      if (!judgement.repairs.empty()) {
        ASSERT_TRUE(right);
      }
      if (!judgement.proved.empty()) {
        ASSERT_TRUE(counted && right);
      }
      claims += judgement.claims.size();
      withdrawals += judgement.withdrawals.size();
      entries += judgement.entries.size();
      findings += judgement.findings.size();
      proved += judgement.proved.size();
      repairs += judgement.repairs.size();
    }
  }
  for (const std::uint64_t count : {claims, withdrawals, entries, findings, proved, repairs})
    EXPECT_GT(count, 100U);
}

TEST(FolderJudgement, SameSizeAndTimeButOtherBytesIsDamageAndNotAChange) {
  DiskEntry disk;
  disk.name = "a";
  disk.size = 3;
  disk.attributes.mtime = {5, 1};
  Inode known;
  known.name = "a";
  known.size = 3;
  known.attributes.mtime = {5, 1};
  known.digest = digest_of("abc");
  known.replicas = NodeSet::of(kNode);
  WholeFile file{disk, digest_of("abd"), nullptr};
  FolderJudgement damaged(kNode, Path());
  damaged.add({{Verdict::prove, &disk, &known}, file});
  ASSERT_EQ(damaged.withdrawals.size(), 1U);
  EXPECT_EQ(damaged.withdrawals[0].reason, FindingKind::damaged);
  EXPECT_TRUE(damaged.not_proved);
  file.entry.attributes.mtime = {6, 0};
  FolderJudgement changed(kNode, Path());
  changed.add({{Verdict::recheck, &disk, &known}, file});
  ASSERT_EQ(changed.withdrawals.size(), 1U);
  EXPECT_EQ(changed.withdrawals[0].reason, FindingKind::changed_outside);
}

TEST(FolderJudgement, ErrorsConcludeNothing) {
  DiskEntry disk;
  disk.name = "a";
  Inode known;
  known.name = "a";
  known.replicas = NodeSet::of(kNode);
  FolderJudgement judgement(kNode, Path());
  judgement.add({{Verdict::recheck, &disk, &known}, system_error(EIO, "read")});
  judgement.add({{Verdict::recheck, &disk, &known}, system_error(ENOENT, "open")});
  judgement.add({{Verdict::new_file, &disk, nullptr}, fail(errc::stale, "grew")});
  EXPECT_TRUE(judgement.withdrawals.empty());
  EXPECT_TRUE(judgement.entries.empty());
  ASSERT_EQ(judgement.findings.size(), 1U);
  EXPECT_EQ(judgement.findings[0].kind, FindingKind::unreadable);
  EXPECT_EQ(judgement.in_motion, std::vector<std::string>{"a"});
}

}  // namespace
}  // namespace geogrid::test

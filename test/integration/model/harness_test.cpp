// The model test's own test: an ordinary directory passes, and one with a bug in it does not.

#include <fcntl.h>
#include <gtest/gtest.h>

#include "generator.hpp"
#include "plain_world.hpp"
#include "runner.hpp"

namespace geogrid::test {
namespace {

struct Found {
  Operations operations;
  std::optional<std::string> problem;
};

Found try_out(World& world, std::uint64_t seed, std::size_t count) {
  Runner runner(world);
  Generator generator(seed, GeneratorOptions{});
  Found found;
  while (found.operations.size() < count && !found.problem) {
    found.operations.push_back(generator.next(runner.model()));
    found.problem = runner.step(found.operations.back());
  }
  return found;
}

TEST(ModelHarness, AnOrdinaryDirectoryPasses) {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    PlainWorld world;
    const Found found = try_out(world, seed, 800);
    EXPECT_FALSE(found.problem) << "seed " << seed << ": " << *found.problem << "\n"
                                << found.operations.back().str();
  }
}

TEST(ModelHarness, OperationsComeThroughText) {
  PlainWorld world;
  const Operations operations = try_out(world, 4, 500).operations;
  EXPECT_EQ(parse_operations("# a comment\n\n" + text_of(operations)), operations);
  EXPECT_THROW(parse_operations("stat m=0\nfly m=1\n"), std::invalid_argument);
}

TEST(ModelHarness, TheSameSeedGivesTheSameOperations) {
  PlainWorld one, two;
  EXPECT_EQ(text_of(try_out(one, 5, 300).operations), text_of(try_out(two, 5, 300).operations));
}

struct Planted {
  const char* name;
  PlainWorld::Bug bug;
};
class ModelHarnessFinds : public testing::TestWithParam<Planted> {};

TEST_P(ModelHarnessFinds, Planted) {
  const MakeWorld make = [] { return std::make_unique<PlainWorld>(GetParam().bug); };
  Found found;
  for (std::uint64_t seed = 1; seed <= 5 && !found.problem; ++seed) {
    const auto world = make();
    found = try_out(*world, seed, 2000);
  }
  ASSERT_TRUE(found.problem);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  const Operations shortest = shrink(make, found.operations, deadline);
  EXPECT_LE(shortest.size(), 8U) << text_of(shortest);
  const auto again = run(make, parse_operations(text_of(shortest)));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->at + 1, shortest.size());
}

INSTANTIATE_TEST_SUITE_P(Bugs, ModelHarnessFinds,
                         testing::Values(Planted{"NoReplaceReplaces",
                                                 [](Operation op) {
                                                   if (op.kind == OpKind::rename && op.flags == 1)
                                                     op.flags = 0;
                                                   return op;
                                                 }},
                                         Planted{"ExchangeReplaces",
                                                 [](Operation op) {
                                                   if (op.kind == OpKind::rename) op.flags = 0;
                                                   return op;
                                                 }},
                                         Planted{"AppendsToTheBeginning",
                                                 [](Operation op) {
                                                   if (op.kind == OpKind::append)
                                                     op.kind = OpKind::patch, op.offset = 0;
                                                   return op;
                                                 }},
                                         Planted{"LosesTheLastByteOfBigWrites",
                                                 [](Operation op) {
                                                   if (op.kind == OpKind::write && op.size > 50'000)
                                                     --op.size;
                                                   return op;
                                                 }},
                                         Planted{"TakesExclusiveNames",
                                                 [](Operation op) {
                                                   if (op.kind == OpKind::create) op.kind = OpKind::put;
                                                   return op;
                                                 }},
                                         Planted{"ForgetsModes",
                                                 [](Operation op) {
                                                   if (op.kind == OpKind::chmod && op.mode == 0444)
                                                     op.kind = OpKind::stat;
                                                   return op;
                                                 }},
                                         Planted{"RoundsTimes",
                                                 [](Operation op) {
                                                   if (op.kind == OpKind::utimens) op.seed = 0;
                                                   return op;
                                                 }},
                                         Planted{"TruncatesThroughDescriptorsToPages",
                                                 [](Operation op) {
                                                   if (op.kind == OpKind::resize)
                                                     op.size = op.size / 4096 * 4096;
                                                   return op;
                                                 }},
                                         Planted{"LosesFoldersThatMoveDeeper",
                                                 [](Operation op) {
                                                   if (op.kind == OpKind::rename &&
                                                       op.b.find('/') != std::string::npos)
                                                     op.kind = OpKind::rmdir;
                                                   return op;
                                                 }}),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace geogrid::test

// Random operations on two mounts of a real archive, against the model.
//
// A failing run prints its seed and the shortest list of operations that was found to fail as well, and keeps
// it in a file, with which GEOGRID_MODEL_REPLAY does it again.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iostream>
#include <random>
#include <sstream>

#include "cluster_world.hpp"
#include "faults.hpp"
#include "generator.hpp"
#include "runner.hpp"
#include "settings.hpp"

namespace geogrid::test {
namespace {

using Clock = std::chrono::steady_clock;

MakeWorld maker(bool mariadb, std::chrono::seconds settling = std::chrono::seconds(60)) {
  return [=] { return std::make_unique<ClusterWorld>(ClusterWorld::Options{mariadb, settling}); };
}

std::string keep(const Operations& operations, const std::string& name) {
  const std::string file = (std::filesystem::temp_directory_path() / name).string();
  std::ofstream(file) << text_of(operations);
  return file;
}

void report(std::uint64_t seed, const Operations& operations, const Failure& failure, bool mariadb) {
  const std::string whole = keep(operations, fmt::format("geogrid-model-{}-whole.ops", seed));
  std::cerr << fmt::format("{}seed {}, after {} operations ({}):\n{}\nshrinking it ...\n", failure.logs, seed,
                           operations.size(), whole, failure.text);
  const Operations shortest =
      shrink(maker(mariadb, std::chrono::seconds(12)), operations, Clock::now() + settings().shrinking);
  const std::string file = keep(shortest, fmt::format("geogrid-model-{}.ops", seed));
  ADD_FAILURE() << fmt::format("seed {}: {}\n{} operations fail too:\n{}", seed, failure.text,
                               shortest.size(), text_of(shortest));
  const auto again = run(maker(mariadb, std::chrono::seconds(12)), shortest);
  std::cerr << (again ? again->logs + again->text : "but not always") << "\n";
  std::cerr << fmt::format(
      "again: GEOGRID_MODEL_REPLAY={} model_test --gtest_filter='Stores/RandomOperations.*/{}'\n", file,
      mariadb ? "mariadb" : "sqlite");
}

/// One archive; false if something was wrong.
bool random_run(std::uint64_t seed, const GeneratorOptions& options, bool mariadb, Clock::time_point deadline,
                RunStatistics& statistics) {
  const auto world = maker(mariadb)();
  Runner runner(*world);
  Generator generator(seed, options);
  Operations done;
  std::optional<std::string> problem;
  const auto step = [&](const Operation& op) {
    done.push_back(op);
    problem = runner.step(op);
    return !problem;
  };
  while (done.size() < settings().operations && Clock::now() < deadline &&
         step(generator.next(runner.model()))) {
  }
  Operation close_all, rest;
  close_all.kind = OpKind::close_all;
  rest.kind = OpKind::rest;
  const bool good = !problem && step(close_all) && step(rest);
  statistics.add(runner.statistics());
  if (!good) {
    report(seed, done, Failure{done.size() - 1, *problem, world->logs()}, mariadb);
    return false;
  }
  if (const auto end = world->finish()) {
    ADD_FAILURE() << "seed " << seed << ", at the end: " << *end;
    return false;
  }
  return true;
}

void random_runs(const GeneratorOptions& options, bool mariadb) {
  const auto deadline = Clock::now() + settings().duration;
  std::uint64_t seed = settings().seed.value_or(std::random_device{}() % 1'000'000);
  RunStatistics statistics;
  for (int archives = 1;; ++archives, ++seed) {
    std::cerr << "seed " << seed << std::endl;
    if (!random_run(seed, options, mariadb, deadline, statistics)) return;
    if (Clock::now() >= deadline) {
      std::cerr << archives << " archives, " << statistics.str() << std::endl;
      return;
    }
  }
}

void replay(bool mariadb) {
  std::ifstream file(settings().replay);
  ASSERT_TRUE(file) << settings().replay;
  std::ostringstream text;
  text << file.rdbuf();
  const Operations operations = parse_operations(text.str());
  const auto failure = run(maker(mariadb), operations);
  EXPECT_FALSE(failure) << operations[failure->at].str() << "\n" << failure->text << "\n" << failure->logs;
}

class Stores : public testing::TestWithParam<bool> {
 public:
  static std::string name(const testing::TestParamInfo<bool>& info) {
    return info.param ? "mariadb" : "sqlite";
  }
};

using RandomOperations = Stores;

TEST_P(RandomOperations, DoWhatTheModelDoes) {
  if (!settings().replay.empty()) return replay(GetParam());
  random_runs(GeneratorOptions{}, GetParam());
}

TEST_P(RandomOperations, DoWhatTheModelDoesThoughClientsAreKilled) {
  if (!settings().faults)
    GTEST_SKIP() << "set GEOGRID_MODEL_FAULTS=1: leases have to run out, which takes minutes";
  GeneratorOptions options;
  options.rest_every = 150;
  options.faults = names_of_faults();
  random_runs(options, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Stores, RandomOperations, testing::Bool(), Stores::name);

}  // namespace
}  // namespace geogrid::test

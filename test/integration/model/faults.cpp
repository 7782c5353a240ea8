#include "faults.hpp"

#include <fmt/format.h>

#include "cluster_world.hpp"

namespace geogrid::test {
namespace {

/// SIGKILL to a client, which is then started again. What was closed is there; a file that was being written
/// is as it was before.
class KillClient final : public Fault {
 public:
  explicit KillClient(int number) : number_(number) {}
  std::string name() const override { return fmt::format("kill-client-{}", number_); }

  void strike(World& world, Model& model, Hand (&hands)[2]) override {
    auto& archive = dynamic_cast<ClusterWorld&>(world);
    Cluster& cluster = archive.cluster();
    // A new file that was never closed goes with its lease, which takes longer than a test may.
    for (const int slot : model.uncertain_slots(number_)) {
      Operation close;
      close.kind = OpKind::close;
      close.slot = slot;
      model.apply(close);
      world.perform(hands[number_], close);
    }
    cluster.kill_client(static_cast<std::size_t>(number_));
    Model::Lost lost = model.lose_mount(number_);
    for (const int slot : lost.slots) hands[number_].drop(slot);
    cluster.start_client(static_cast<std::size_t>(number_));
    archive.expect_remains();
    // Their times are those of their last close, which the plain directory cannot have: so both get new ones.
    for (const std::string& path : lost.rolled_back) {
      Operation touch;
      touch.kind = OpKind::utimens;
      touch.mount = 1 - number_;
      touch.a = path;
      touch.time = 1'000'000'000;
      model.apply(touch);
      world.perform(hands[1 - number_], touch);
    }
  }

 private:
  int number_;
};

}  // namespace

std::vector<std::unique_ptr<Fault>> make_faults() {
  std::vector<std::unique_ptr<Fault>> faults;
  for (const int number : {0, 1}) faults.push_back(std::make_unique<KillClient>(number));
  return faults;
}

std::vector<std::string> names_of_faults() {
  std::vector<std::string> names;
  for (const auto& fault : make_faults()) names.push_back(fault->name());
  return names;
}

}  // namespace geogrid::test

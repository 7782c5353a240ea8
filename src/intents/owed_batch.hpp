#pragma once
// One stretch of what a node owes, carried out on its disk.

#include <optional>
#include <vector>

#include "intents/node_work.hpp"

namespace geogrid {

/// An intent that is true on the disk.
struct CarriedOut {
  Intent intent;
  DiskChanged done;
};

struct OwedBatch {
  std::vector<CarriedOut> done;
  /// The first error. An intent that failed by itself holds up only what touches its names; what concerns the
  /// whole node ends the batch.
  std::optional<Error> error;
  bool node_failed = false;  ///< the error concerns the whole node
};

/// Whether an error of a volume is about these names only, so that the node's other debts need not wait.
bool concerns_names_only(const Error& error);

/// Carries out `intents` in order. Nothing is made power-safe here.
task<OwedBatch> carry_out_batch(NodeWork work, std::vector<Intent> intents);

/// Makes what was done power-safe, strikes it off, and undoes what hit the wrong thing because somebody else
/// had finished it before. `slow`: others may have taken these intents meanwhile.
task<result<void>> strike_off(NodeWork work, std::vector<CarriedOut> done, bool slow);

}  // namespace geogrid

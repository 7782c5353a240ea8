#pragma once
// Operations on the attached volume, and the way to its threads.

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "volume/local_core.hpp"

namespace geogrid {

/// Runs `operation(disk, root)` on the attached volume; its errors are told with `subject`.
template <typename Operation>
auto attached(LocalDisk& disk, std::string_view subject, Operation operation)
    -> std::invoke_result_t<Operation, LocalDisk&, int> {
  GG_TRY(const UniqueFd root, disk.attach());
  auto outcome = operation(disk, root.get());
  if (!outcome) return disk.explain(root.get(), subject, outcome.error());
  return outcome;
}

/// The same on a thread of one of the core's pools. Everything that runs there holds the core.
template <typename Operation>
auto attached_on(BlockingPool LocalCore::*pool, std::shared_ptr<LocalCore> core, std::string subject,
                 Operation operation) -> task<std::invoke_result_t<Operation, LocalDisk&, int>> {
  auto work = [core, subject = std::move(subject), operation = std::move(operation)] {
    return attached(core->disk, subject, operation);
  };
  co_return co_await offload(core.get()->*pool, std::move(work));
}

}  // namespace geogrid

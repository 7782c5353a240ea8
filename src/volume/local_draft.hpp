#pragma once
// A draft on a local volume.

#include <memory>
#include <optional>

#include "volume/draft_file.hpp"
#include "volume/local_core.hpp"

namespace geogrid {

/// What Volume::start_draft() does.
task<result<std::shared_ptr<Draft>>> start_local_draft(std::shared_ptr<LocalCore> core, DraftRequest request);

}  // namespace geogrid

#pragma once
// Publication of many incoming files at once.

#include <memory>
#include <vector>

#include "volume/local_core.hpp"

namespace geogrid {

/// What Volume::publish() does. Blocking; to be called on a thread of core->syncs.
std::vector<result<PublishOutcome>> publish_all(const std::shared_ptr<LocalCore>& core,
                                                std::vector<PublishRequest> requests);

}  // namespace geogrid

#pragma once
// What writers left that died.

#include "intents/node_work.hpp"

namespace geogrid {

/// Whether metadata has something at `path` that this node is to have: a folder, a symlink, or a published
/// file of which it holds this version or an older one.
task<result<bool>> belongs_there(NodeWork work, Path path);

/// A writer died before its file was ever recorded: what lies at the path, and its drafts, go to lost+found.
/// What was recorded there since stays. Carries out IntentKind::salvage.
task<result<void>> salvage_unrecorded(NodeWork work, Intent intent);

}  // namespace geogrid

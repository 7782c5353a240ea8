#pragma once
// Folders on a node as metadata has them.

#include <memory>
#include <string>
#include <unordered_set>

#include "meta/metadata_store.hpp"
#include "volume/volume.hpp"

namespace geogrid {

/// Makes the folder at `path` with its recorded mode and owner, and those above it, where they are missing.
/// `known` remembers those that are there; must outlive the call. Errors: the volume's; errc::not_found where
/// metadata has no such folder.
task<result<void>> make_recorded_folders(MetadataStore& store, std::shared_ptr<Volume> volume, Path path,
                                         std::unordered_set<std::string>& known);

}  // namespace geogrid

#pragma once
// What a mount's kernel remembers, as the union namespace sees it: things to be forgotten.

#include <string>

#include "base/ids.hpp"

namespace geogrid {

/// Called on the loop; must not block: orders are queued and carried out elsewhere, in order.
class KernelCache {
 public:
  virtual ~KernelCache() = default;
  /// The name, positive or negative, and what the folder lists.
  virtual void forget_entry(InodeId parent, const std::string& name) = 0;
  /// A folder's attributes and listing.
  virtual void forget_folder(InodeId folder) = 0;
  virtual void forget_attributes(InodeId inode) = 0;
  /// Attributes and bytes.
  virtual void forget_content(InodeId inode) = 0;
  /// Everything: changes were lost.
  virtual void forget_all() = 0;
};

}  // namespace geogrid

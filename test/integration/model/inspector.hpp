#pragma once
// Looks behind the mounts: at metadata, and at the disks of the nodes.

#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "meta/metadata_store.hpp"
#include "model.hpp"
#include "support/cluster.hpp"

namespace geogrid::test {

/// The classes of the model test's archives, for ClusterSetup: what class_for() says.
extern const char* const kClasses;

/// For one thread. Opens the archive's store beside the processes that use it.
class Inspector {
 public:
  explicit Inspector(const Cluster& cluster);
  ~Inspector();

  /// All of these look once, and say what is not as it should be when all is quiet.
  std::optional<std::string> busy();  ///< copies or changes of names are owed
  /// Names, types, sizes, digests and classes in metadata.
  std::optional<std::string> metadata(const Model& model);
  /// Each copy that counts is on its node's disk, with its bytes; nothing else is there; nothing lies about
  /// in
  /// `.geogrid`. `drafts`: files are being written, or their writer died.
  std::optional<std::string> disks(bool drafts);
  std::optional<std::string> trash(const std::vector<Discarded>& discarded) const;
  /// Problems that the program itself noted.
  std::optional<std::string> findings();

 private:
  struct Named {
    std::string path;
    Inode inode;
  };
  template <typename T>
  T must(task<result<T>> work);
  std::map<std::string, Inode> tree();
  std::optional<std::string> copy(std::size_t node, const std::string& path, const Inode& inode) const;
  std::optional<std::string> strangers(std::size_t node, const std::map<std::string, Inode>& known) const;
  std::optional<std::string> leftovers(std::size_t node, bool drafts) const;
  NodeIndex index(std::size_t node) const { return nodes_.at(node); }

  const Cluster& cluster_;
  asio::io_context loop_;
  std::unique_ptr<MetadataStore> store_;
  std::vector<NodeIndex> nodes_;
};

}  // namespace geogrid::test

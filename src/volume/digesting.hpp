#pragma once
// Reading whole files, to digest them. Blocking.

#include <vector>

#include "volume/local_disk.hpp"

namespace geogrid {

/// What Volume::digest() does.
std::vector<result<WholeFile>> digest_files(LocalDisk& disk, const std::vector<Path>& paths,
                                            DigestAlgorithm algorithm, bool keep_cached);
/// Of all bytes of an open file that nobody changes meanwhile.
result<Digest> digest_of_file(Env& env, int fd, DigestAlgorithm algorithm);
/// What Volume::read_whole() does.
result<WholeFile> read_whole_file(LocalDisk& disk, const Path& path, std::size_t limit,
                                  DigestAlgorithm algorithm);

}  // namespace geogrid

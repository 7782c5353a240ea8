#pragma once
// A volume that can be made to answer nothing, as a dead network mount does.

#include <memory>

#include "volume/volume.hpp"

namespace geogrid::test {

/// Passes everything on to a real volume; while held, reads of files, old and new, are kept back.
class HeldVolume {
 public:
  HeldVolume();
  /// `volume` with this switch in front.
  std::shared_ptr<Volume> wrap(std::shared_ptr<Volume> volume);

  void hold();
  /// Lets go what waits, late.
  void release();
  /// Reads that have come so far.
  int reads() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace geogrid::test

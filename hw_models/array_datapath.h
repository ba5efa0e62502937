// What carries out the passes of the MAC array: closed forms (tile_datapath.h) or PEs (pe_array/pe_array.h).
#pragma once

#include <functional>

#include "hw_models/core/commands.h"
#include "hw_models/cycle.h"

namespace qsim {

/// Both are called by the array's processes, each from its own: passes are loaded in order and streamed in
/// the order in which they were loaded. Outputs, cycles and events of all datapaths are equal.
class ArrayDatapath {
 public:
  ArrayDatapath() = default;
  virtual ~ArrayDatapath() = default;
  ArrayDatapath(const ArrayDatapath&) = delete;
  ArrayDatapath& operator=(const ArrayDatapath&) = delete;

  /// Fills the PEs with what stays during a pass; returns when it is there (at once where outputs stay). The
  /// buffer holds it, and the registers are free.
  virtual void load(const MacTile& tile) = 0;
  /// Streams the pass that was loaded first; returns when the next one may enter, and says in which cycle the
  /// last step did. Whatever the pass needs is there. Calls `drained` when the last sum is in the
  /// accumulators.
  virtual Cycle stream(const MacTile& tile, std::function<void()> drained) = 0;
};

}  // namespace qsim

// Things that happen at a known later cycle: the end of a tile, the end of a run of outputs.
#pragma once

#include <functional>
#include <systemc>

#include "hw_models/cycle.h"

namespace qsim {

/// Runs actions at their cycle, in the order they were scheduled within a cycle.
class CompletionIf : public virtual sc_core::sc_interface {
 public:
  /// `cycle` may be the present one; the action then runs in a later delta cycle of it.
  virtual void at(Cycle cycle, std::function<void()> action) = 0;
};

}  // namespace qsim

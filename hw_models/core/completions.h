// Things that happen at a known later cycle: the end of a tile, the arrival of a transfer.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <systemc>

#include "hw_models/core/chip_context.h"
#include "hw_models/cycle.h"

namespace qsim {

/// Runs actions at their cycle, in the order they were scheduled within a cycle.
class Completions : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(Completions);
  Completions(sc_core::sc_module_name name, ChipContext& context);
  Completions(const Completions&) = delete;
  Completions& operator=(const Completions&) = delete;

  /// `cycle` may be the present one; the action then runs in a later delta cycle of it.
  void at(Cycle cycle, std::function<void()> action);

 private:
  void run();

  ChipContext& context_;
  std::multimap<Cycle, std::function<void()>> pending_;
  sc_core::sc_event wake_;
};

}  // namespace qsim

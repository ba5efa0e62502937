// A fresh SystemC kernel for each run, so that a process can simulate any number of chips one after the
// other.
#pragma once

#include <systemc>

namespace qsim {

/// Elaboration happens once a kernel context: a second design in the same context fails (E529). This saves
/// the current context, installs a fresh one, and on destruction deletes the fresh one and restores the old.
/// The first context of the process is never deleted. Not thread-safe: one simulation at a time.
class SimulationContext {
 public:
  SimulationContext();
  ~SimulationContext();
  SimulationContext(const SimulationContext&) = delete;
  SimulationContext& operator=(const SimulationContext&) = delete;

 private:
  sc_core::sc_simcontext* saved_;
  sc_core::sc_simcontext* fresh_;
};

}  // namespace qsim

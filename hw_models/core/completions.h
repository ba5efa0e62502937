// Actions by the cycle in which they are due.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <systemc>

#include "hw_models/core/completion_if.h"
#include "hw_models/core/processes.h"
#include "hw_models/cycle.h"

namespace qsim {

class Completions : public sc_core::sc_module, public CompletionIf {
 public:
  SC_HAS_PROCESS(Completions);
  Completions(sc_core::sc_module_name name, Processes& processes);
  Completions(const Completions&) = delete;
  Completions& operator=(const Completions&) = delete;

  void at(Cycle cycle, std::function<void()> action) override;

 private:
  void run();

  Processes& processes_;
  std::multimap<Cycle, std::function<void()>> pending_;
  sc_core::sc_event wake_;
};

}  // namespace qsim

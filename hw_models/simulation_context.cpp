#include "hw_models/simulation_context.h"

namespace qsim {

SimulationContext::SimulationContext()
    : saved_(sc_core::sc_get_curr_simcontext()), fresh_(new sc_core::sc_simcontext) {
  sc_core::sc_curr_simcontext = fresh_;
  // The kernel announces on standard output that sc_stop was called; a library does not print.
  sc_core::sc_report_handler::set_actions("/OSCI/SystemC", sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
}

SimulationContext::~SimulationContext() {
  delete fresh_;
  sc_core::sc_curr_simcontext = saved_;
}

}  // namespace qsim

// Brings partial sums from the activation buffer back into the accumulators.
#pragma once

#include <systemc>

#include "hw_models/core/accumulator_bank.h"
#include "hw_models/core/buffer_if.h"
#include "hw_models/core/commands.h"
#include "hw_models/core/processes.h"
#include "hw_models/recorder.h"

namespace qsim {

/// Pass after pass, each when its sums have been written and entries are free for them, at the rate of the
/// buffer's read ports, in slots of its own. It takes the entries of all passes of a nest whose sums leave,
/// so that halves of the accumulators are taken in the order of the passes.
class SumReloader : public sc_core::sc_module {
 public:
  SumReloader(sc_core::sc_module_name name, AccumulatorBank& accumulators, bool moves_values,
              Recorder& recorder, Processes& processes);
  SumReloader(const SumReloader&) = delete;
  SumReloader& operator=(const SumReloader&) = delete;

  static constexpr int kQueueDepth = 2;
  sc_core::sc_fifo_in<ReloadCommand> reloads;  ///< In order.
  sc_core::sc_port<BufferIf> activation_buffer;

 private:
  void run();
  void reload(const ReloadCommand& command);

  AccumulatorBank& accumulators_;
  bool moves_values_;
  Recorder& recorder_;
};

}  // namespace qsim

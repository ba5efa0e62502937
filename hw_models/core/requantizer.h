// The requantizer: accumulators become output integers in the activation buffer.
#pragma once

#include <cstdint>
#include <systemc>

#include "hw_models/core/accumulator_bank.h"
#include "hw_models/core/buffer_if.h"
#include "hw_models/core/commands.h"
#include "hw_models/core/completion_if.h"
#include "hw_models/core/processes.h"
#include "hw_models/core/requantizer_run.h"
#include "hw_models/cycle.h"
#include "hw_models/hardware_config.h"
#include "hw_models/recorder.h"

namespace qsim {

/// Takes run after run, each when its accumulators are complete and the one before has left the lanes
/// (RequantizerTiming).
class Requantizer : public sc_core::sc_module {
 public:
  Requantizer(sc_core::sc_module_name name, const HardwareConfig& hardware, AccumulatorBank& accumulators,
              bool moves_values, Recorder& recorder, Processes& processes);
  Requantizer(const Requantizer&) = delete;
  Requantizer& operator=(const Requantizer&) = delete;

  static constexpr int kQueueDepth = 2;
  sc_core::sc_fifo_in<DrainCommand> drains;  ///< In order.
  sc_core::sc_port<BufferIf> weight_buffer;
  sc_core::sc_port<BufferIf> activation_buffer;
  sc_core::sc_port<CompletionIf> completions;

 private:
  /// How long a command takes the ports of the activation buffer, and has to wait for both.
  struct PortCycles {
    std::int64_t reads = 0, writes = 0, together = 0;
  };

  void run();
  [[nodiscard]] PortCycles port_cycles(const DrainCommand& command) const;
  void wait_for_ports(const PortCycles& ports);
  void count(const DrainCommand& command);
  void count_way_out(const DrainCommand& command, Cycle begin, Cycle written);

  RequantizerConfig config_;
  RequantizerTiming timing_;
  AccumulatorBank& accumulators_;
  bool moves_values_;
  Recorder& recorder_;
  Pooler pooler_;
};

}  // namespace qsim

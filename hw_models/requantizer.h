// The requantizer: accumulators become output integers in the activation buffer.
#pragma once

#include <cstdint>
#include <systemc>

#include "hw_models/accumulator_bank.h"
#include "hw_models/chip_context.h"
#include "hw_models/commands.h"
#include "hw_models/completions.h"
#include "hw_models/hardware_config.h"
#include "hw_models/sram_buffer.h"

namespace qsim {

/// `lanes` outputs a cycle, fewer where the activation buffer's write port takes fewer; a run of accumulators
/// starts when it is complete, and its last output is written `latency_cycles` after it has left the lanes.
/// Asymmetric weights cost each output one further lane cycle: acc - z_w * sum(x).
class Requantizer : public sc_core::sc_module {
 public:
  Requantizer(sc_core::sc_module_name name, const RequantizerConfig& config, AccumulatorBank& accumulators,
              SramBuffer& weight_buffer, SramBuffer& activation_buffer, Completions& completions,
              ChipContext& context);
  Requantizer(const Requantizer&) = delete;
  Requantizer& operator=(const Requantizer&) = delete;

  sc_core::sc_fifo<DrainCommand> drains;  ///< In order; bounded.

  /// Cycles that the lanes are busy with a command.
  [[nodiscard]] std::int64_t lane_cycles(const DrainCommand& command) const;

 private:
  void run();
  void count(const DrainCommand& command);
  void write_outputs(const DrainCommand& command);

  RequantizerConfig config_;
  AccumulatorBank& accumulators_;
  SramBuffer& weight_buffer_;
  SramBuffer& activation_buffer_;
  Completions& completions_;
  ChipContext& context_;
};

}  // namespace qsim

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

/// `lanes` outputs a cycle, fewer where the activation buffer's write ports take fewer or the accumulators
/// deliver fewer (AccumulatorConfig::read_out_entries); a run of accumulators
/// starts when it is complete, and its last output is written `latency_cycles` after it has left the lanes.
/// Asymmetric weights cost each output one further lane cycle: acc - z_w * sum(x). Where the accumulator bank
/// is read row by row, a pixel takes row_read_cycles + ceil(columns / lanes). A run of m pixels starts at the
/// earliest max(0, turnaround_cycles - min(n, entries - m) * cycles of a pixel) after the run of n before it:
/// it was issued when m of the entries were free, which happens pixel by pixel.
class Requantizer : public sc_core::sc_module {
 public:
  Requantizer(sc_core::sc_module_name name, const HardwareConfig& hardware, AccumulatorBank& accumulators,
              SramBuffer& weight_buffer, SramBuffer& activation_buffer, Completions& completions,
              ChipContext& context);
  Requantizer(const Requantizer&) = delete;
  Requantizer& operator=(const Requantizer&) = delete;

  sc_core::sc_fifo<DrainCommand> drains;  ///< In order; bounded.

  /// Cycles that the lanes are busy with a command.
  [[nodiscard]] std::int64_t lane_cycles(const DrainCommand& command) const;
  /// Cycles that lie between the run before, of `pixels_before`, and a command.
  [[nodiscard]] std::int64_t gap_cycles(const DrainCommand& command, std::int64_t pixels_before) const;

 private:
  /// Cycles of one pixel where rows of the accumulator bank are read one at a time.
  [[nodiscard]] std::int64_t row_cycles(const DrainCommand& command) const;
  void run();
  [[nodiscard]] std::int64_t read_out_cycles(const DrainCommand& command) const;
  void count(const DrainCommand& command);
  void write_outputs(const DrainCommand& command);

  RequantizerConfig config_;
  std::int64_t columns_;
  std::int64_t entries_;  ///< Accumulators a column that one run may use.
  AccumulatorBank& accumulators_;
  SramBuffer& weight_buffer_;
  SramBuffer& activation_buffer_;
  Completions& completions_;
  ChipContext& context_;
};

}  // namespace qsim

// The requantizer: accumulators become output integers in the activation buffer.
#pragma once

#include <cstdint>
#include <systemc>

#include "hw_models/core/accumulator_bank.h"
#include "hw_models/core/chip_context.h"
#include "hw_models/core/commands.h"
#include "hw_models/core/completions.h"
#include "hw_models/core/sram_buffer.h"
#include "hw_models/hardware_config.h"

namespace qsim {

/// A run of accumulators starts when it is complete, and its last output is written `latency_cycles` after it
/// has left the lanes. With
///
///   m            entries of a column in use (AccumulatorOrder::entries)
///   operations   of an output: 1, and one more for each data-dependent term (z_w * sum(x), z_x * sum(w))
///   row          row_read_cycles + ceil(columns * operations / lanes)
///
/// it occupies the lanes for
///
///   lanes_busy = max(ceil(outputs * operations / lanes), or m * row where row_read_cycles > 0,
///                    ceil(m / read_out_entries),
///                    cycles of writing the outputs)
///
/// and starts `gap` cycles after the run of n entries before it at the earliest: it was issued when m of the
/// entries of a run were free, which happens entry by entry.
///
///   entry = row where row_read_cycles > 0, else ceil(lanes_busy / m)
///   gap   = max(0, turnaround_cycles - max(0, min(n, entries - m)) * entry)
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
  /// Cycles that lie between the run before, of `entries_before`, and a command.
  [[nodiscard]] std::int64_t gap_cycles(const DrainCommand& command, std::int64_t entries_before) const;

 private:
  /// Accumulators of a column that the command reads.
  [[nodiscard]] static std::int64_t entries_used(const DrainCommand& command);
  /// Cycles of one entry where rows of the accumulator bank are read one at a time.
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

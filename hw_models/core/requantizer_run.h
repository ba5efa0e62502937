// A run of accumulators through the requantizer: how long it takes, and what it computes.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "hw_models/core/accumulator_bank.h"
#include "hw_models/core/buffer_storage.h"
#include "hw_models/core/commands.h"
#include "hw_models/core/pooler.h"
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
///                    cycles of reading the addend, and of writing the outputs)
///
/// An operation on the way out has as many lanes of its own, and its work is no more than an operation an
/// output; it adds its own `latency_cycles`. Of a pooling what is written are the windows that the run
/// completes.
///
/// In block formats no block of a pixel shares a lane cycle with another
/// (RequantizerConfig::block_lane_cycles), and outputs leave block_latency_cycles later.
///
/// (of sums that leave as they are, m * row_read_cycles in place of the first, and nothing after the lanes),
/// and starts `gap` cycles after the run of n entries before it at the earliest: it was issued when m of the
/// entries of a run were free, which happens entry by entry.
///
///   entry = row where row_read_cycles > 0, else ceil(lanes_busy / m)
///   gap   = max(0, turnaround_cycles - max(0, min(n, entries - m)) * entry)
class RequantizerTiming {
 public:
  explicit RequantizerTiming(const HardwareConfig& hardware)
      : config_(hardware.requantizer),
        columns_(hardware.mac_array.columns),
        entries_(hardware.accumulators.entries_per_slot()),
        read_out_entries_(hardware.accumulators.read_out_entries) {}

  /// Cycles that the lanes are busy with a command whose addend and outputs take `port_cycles` to be read and
  /// written.
  [[nodiscard]] std::int64_t lane_cycles(const DrainCommand& command, std::int64_t port_cycles) const;
  /// From the lanes to the last output.
  [[nodiscard]] std::int64_t latency_cycles(const DrainCommand& command) const;
  /// Cycles that lie between the run before, of `entries_before`, and a command.
  [[nodiscard]] std::int64_t gap_cycles(const DrainCommand& command, std::int64_t entries_before,
                                        std::int64_t port_cycles) const;
  /// Accumulators of a column that the command reads.
  [[nodiscard]] static std::int64_t entries_used(const DrainCommand& command);

 private:
  /// Cycles of one entry where rows of the accumulator bank are read one at a time.
  [[nodiscard]] std::int64_t row_cycles(const DrainCommand& command) const;
  [[nodiscard]] std::int64_t read_out_cycles(const DrainCommand& command) const;

  RequantizerConfig config_;
  std::int64_t columns_;
  std::int64_t entries_;  ///< Accumulators a column that one run may use.
  std::int64_t read_out_entries_;
};

/// Outputs of a command, and the bytes that they take in the activation buffer.
[[nodiscard]] std::int64_t outputs_of(const DrainCommand& command);
[[nodiscard]] std::int64_t output_bytes(const DrainCommand& command);

/// Bytes of the addend that a command reads there; 0 where there is none.
[[nodiscard]] std::int64_t addend_bytes(const DrainCommand& command);

/// Tensors that pass from one operation to the next (Recorder::passed).
using PassedTensors = std::map<std::int32_t, std::vector<std::int64_t>>;

/// What a pooling on the way out does with a command's run, a channel; nothing where there is none.
[[nodiscard]] PoolRun pooled(const DrainCommand& command);
/// Accumulators to output integers, with the parameters that `weights` holds, through the operations on the
/// way out. `passed` gets what each of them is given.
void requantize_run(const DrainCommand& command, const AccumulatorBank& accumulators,
                    const BufferStorage& weights, BufferStorage& activations, PassedTensors& passed,
                    Pooler& pooler);

}  // namespace qsim

// The whole chip: builds the modules, binds them, runs a program.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "hw_models/core/chip_context.h"
#include "hw_models/fidelity.h"
#include "hw_models/hardware_config.h"
#include "hw_models/program.h"
#include "hw_models/waveform.h"

namespace qsim {

class SramBuffer;
class Dram;

/// The chip's memories as a debugger sees them, without time.
class ChipMemory {
 public:
  ChipMemory(Dram* dram, SramBuffer& weight_buffer, SramBuffer& activation_buffer)
      : dram_(dram), weight_buffer_(weight_buffer), activation_buffer_(activation_buffer) {}

  /// All elements of a tensor of extents `dims`, channels fastest, from where the placement has it.
  [[nodiscard]] std::vector<std::int64_t> read(const Placement& placement) const;
  /// Inverts one bit of a buffer (fault injection).
  void flip_weight_buffer_bit(std::int64_t bit_address);
  void flip_activation_buffer_bit(std::int64_t bit_address);

 private:
  Dram* dram_;
  SramBuffer& weight_buffer_;
  SramBuffer& activation_buffer_;
};

struct ChipOptions {
  std::int64_t inferences = 1;
  Fidelity fidelity = Fidelity::tile;
  Waveform* waveform = nullptr;  ///< Of the array at PE fidelity; may be absent.
  bool moves_values = false;     ///< Values pass through the modelled memories.
  /// Called when a report row is complete (of the first inference row 0..rows-1, of the second rows.., ...).
  std::function<void(std::int32_t row, ChipMemory& memory)> on_row_complete;
  /// Called once at `probe_cycle`, if that comes before the end.
  std::int64_t probe_cycle = -1;
  std::function<void(ChipMemory& memory)> probe;
};

/// What one run showed; index: report row, the rows of inference i start at i * Program::rows.
struct ChipRun {
  std::vector<RowTimes> rows;
  std::vector<CycleBreakdown> breakdown;
  std::vector<Activity> activity;
  std::vector<arithmetic::AccumulatorStats> accumulators;
  std::vector<Interval> intervals;
  std::vector<FillChange> fills;
  BusWindows bus;
};

/// The machine whose order of DMA requests ChannelOrder::fixed keeps: `hardware` with the default memory,
/// ports and lanes, so that the order depends on the program alone.
[[nodiscard]] HardwareConfig ordering_hardware(const HardwareConfig& hardware);

/// Runs a program on a fresh chip. std::logic_error where the program deadlocks or leaves its memory.
[[nodiscard]] ChipRun run_chip(const HardwareConfig& hardware, const Program& program,
                               const ChipOptions& options);

}  // namespace qsim

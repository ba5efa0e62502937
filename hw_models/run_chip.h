// The whole chip: cores, the memory that they share and their hosts, and the run of programs on them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "hw_models/activity.h"
#include "hw_models/arithmetic/accumulator.h"
#include "hw_models/core/bus_traffic.h"
#include "hw_models/fidelity.h"
#include "hw_models/hardware_config.h"
#include "hw_models/memory/memory_model.h"
#include "hw_models/program.h"
#include "hw_models/timeline.h"
#include "hw_models/unit_cycles.h"
#include "hw_models/waveform.h"

namespace qsim {

class BufferStorage;
class Memory;
struct Recorder;

/// The memories of a core as a debugger sees them, without time.
class ChipMemory {
 public:
  /// `memory`, where the program's address 0 is at `base`, may be absent.
  ChipMemory(Memory* memory, std::int64_t base, BufferStorage& weights, BufferStorage& activations,
             Recorder& recorder)
      : memory_(memory), base_(base), weights_(weights), activations_(activations), recorder_(recorder) {}

  /// All elements of a tensor, or those of the rows of `window`, channels fastest, from where the placement
  /// has it.
  [[nodiscard]] std::vector<std::int64_t> read(const Placement& placement, RowWindow window = {}) const;
  /// Output of a row that no memory holds, because it went from one unit to the next, likewise; nothing where
  /// a memory does. It is forgotten.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> take_passed(std::int32_t row) const;
  /// Inverts one bit of a buffer (fault injection).
  void flip_weight_buffer_bit(std::int64_t bit_address);
  void flip_activation_buffer_bit(std::int64_t bit_address);

 private:
  Memory* memory_;
  std::int64_t base_;
  BufferStorage& weights_;
  BufferStorage& activations_;
  Recorder& recorder_;
};

struct ChipOptions {
  std::int64_t inferences = 1;
  Fidelity fidelity = Fidelity::tile;
  Waveform* waveform = nullptr;  ///< Of the array at PE fidelity; may be absent.
  bool moves_values = false;     ///< Values pass through the modelled memories.
  /// Called when a row is complete (of the first inference row 0..Program::rows-1, of the second rows..,
  /// ...).
  /// Of a row that is executed in stripes each time: `window` has the rows of the output that are new.
  std::function<void(std::int32_t row, RowWindow window, ChipMemory& memory)> on_row_complete;
  /// Called once at `probe_cycle`, if that comes before the end.
  std::int64_t probe_cycle = -1;
  std::function<void(ChipMemory& memory)> probe;
  /// Another memory than make_memory() gives; may be empty.
  std::function<std::unique_ptr<MemoryModel>(const DramConfig& config, std::int64_t clock_khz)> memory;
};

/// What one run showed; index: row of the program. The rows of inference i start at i * Program::rows,
/// those of the next core's program behind them.
struct ChipRun {
  std::vector<RowTimes> rows;
  std::vector<std::int32_t> completion;   ///< The rows in the order in which they were complete.
  std::vector<Completion> completions;    ///< In order; several of a row that is executed in stripes.
  std::vector<std::int64_t> span_cycles;  ///< Timeline::span_cycles().
  std::vector<CycleBreakdown> breakdown;
  std::vector<Activity> activity;
  std::vector<UnitCycles> unit_cycles;
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

/// Runs each program on a core of its own; `hardware` describes one core, and the memory that all of them
/// share. The images of the programs lie in it one after the other. The probe sees the first
/// core.
[[nodiscard]] ChipRun run_cores(const HardwareConfig& hardware, const std::vector<const Program*>& programs,
                                const ChipOptions& options);

}  // namespace qsim

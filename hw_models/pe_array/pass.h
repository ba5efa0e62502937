// A pass on its way through the PEs, and what enters them in one cycle.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "hw_models/core/commands.h"
#include "hw_models/core/operand_reads.h"
#include "hw_models/cycle.h"

namespace qsim {

/// What the PEs did during a pass, counted where it happens.
struct PassCounts {
  std::int64_t macs = 0;
  std::int64_t register_writes = 0;   ///< Of what stays.
  std::int64_t weights_read = 0;      ///< Elements from the weight buffer.
  std::int64_t activations_read = 0;  ///< Elements from the activation buffer; padding is not read.
  std::int64_t accumulator_reads = 0, accumulator_writes = 0;
  std::int64_t zero_point_adds = 0;
  std::int64_t group_multiplies = 0, group_corrections = 0;  ///< Of blocks the shifts.
};

struct Pass {
  Pass(const MacTile& of, const MacArrayConfig& array, const ArrayPorts& ports)
      : tile(of),
        dataflow(tile.dataflow()),
        shape(tile.shape()),
        stays(dataflow.stays()),
        rows_used(dataflow.rows_used(shape)),
        columns_used(dataflow.columns_used(shape)),
        steps(dataflow.steps(shape)),
        accumulators(dataflow.accumulator_order(shape.pixels, shape.channels)),
        product_cycles(array.cycles_per_mac(shape.weight_bits, shape.activation_bits)),
        reads(tile, ports) {}
  Pass(const Pass&) = delete;
  Pass& operator=(const Pass&) = delete;

  MacTile tile;
  const DataflowModel& dataflow;
  PassShape shape;
  // What the PEs ask each cycle, of the dataflow and the shape.
  Stays stays;
  std::int64_t rows_used, columns_used, steps;
  AccumulatorOrder accumulators;
  std::int64_t product_cycles;
  Cycle begin = -1;      ///< The first step entered in this cycle.
  Cycle last_step = -1;  ///< The latest step entered in this cycle.
  Cycle mac_end = -1;    ///< The last useful MAC was over at the end of the cycle before.
  std::function<void()> drained;
  OperandReads reads;                         ///< Of `tile`.
  BufferRead weight_reads, activation_reads;  ///< So far, where reads take what their addresses take.
  std::int64_t sums_on_buses = 0;             ///< Where sums stay in the PEs.
  /// Sums, column by column, of what stays, where the adders on its way are in use.
  std::vector<std::int64_t> column_sums;
  std::vector<int> exponents;  ///< [pixel], of block formats.
  PassCounts counts;
};

/// A value on a wire. `is_useful` is false on rows and columns that the pass does not use: their PEs pass on
/// what comes, and multiply nothing.
struct Lane {
  std::int64_t value = 0;
  bool is_useful = false;
};

/// What a PE of a systolic array holds, or passes on, of a step.
struct Wire {
  std::shared_ptr<Pass> pass;  ///< Absent: nothing.
  std::int64_t step = 0;
  bool is_first = false, is_last = false;
  Lane lane;
  std::vector<Lane> more;  ///< Where sums stay, of a PE's further products.
};

/// What enters the array in one cycle: one step of a pass.
struct StepOperands {
  Cycle cycle = -1;  ///< When; -1: nothing ever.
  std::shared_ptr<Pass> pass;
  std::int64_t step = 0;
  bool is_first = false, is_last = false;
  /// By row, and where a PE makes several products by these.
  std::vector<Lane> rows;
  std::vector<Lane>
      columns;  ///< Likewise by column, where operands enter there too (systolic, outputs stay).
  std::vector<Lane>
      weights;  ///< [row][column], where every PE has one of its own (dot product, outputs stay).
};

/// What moves one place into the array in one cycle, of what stays: a row of a systolic array (from the top),
/// a column of a dot-product array.
struct LoadLine {
  Cycle cycle = -1;
  std::shared_ptr<Pass> pass;
  std::int64_t index = 0;   ///< Of the row or column that it is for.
  std::vector<Lane> lanes;  ///< Of a systolic array [product of a PE][column].
};

/// What entered during the latest cycles, by cycle: the skew registers in front of the rows and columns.
template <typename Slot>
class History {
 public:
  explicit History(std::int64_t cycles) : slots_(static_cast<std::size_t>(cycles)) {}

  void put(Slot slot) {
    Slot& place = slots_[index(slot.cycle)];
    place = std::move(slot);
  }
  /// What entered in `cycle`, at most as many cycles ago as the history is long; nullptr where nothing did.
  [[nodiscard]] const Slot* at(Cycle cycle) const {
    if (cycle < 0) return nullptr;
    const Slot& slot = slots_[index(cycle)];
    return slot.cycle == cycle ? &slot : nullptr;
  }

 private:
  [[nodiscard]] std::size_t index(Cycle cycle) const {
    return static_cast<std::size_t>(cycle) % slots_.size();
  }
  std::vector<Slot> slots_;
};

}  // namespace qsim

// What is known of a dataflow: one object that mapper, controller, array, PEs and energy model ask.
//
// docs/dataflows.md says what each answer is for and how to add a dataflow. Objects have no state: one serves
// every array of its organization. Everything is asked by plain sizes (shapes.h); nothing here knows a nest,
// a buffer or SystemC.
#pragma once

#include <cstdint>
#include <optional>

#include "hw_models/dataflow/orders.h"
#include "hw_models/dataflow/shapes.h"
#include "hw_models/hardware_config.h"

namespace qsim {

/// The PEs that carry a dataflow out, one by one (hw_models/pe_array).
enum class PeGridKind : std::uint8_t {
  stationary,   ///< Systolic; a loaded operand stays, sums move down.
  output,       ///< Systolic; sums stay and leave over the buses of their columns.
  dot_product,  ///< An adder tree a column.
};

/// Where weights that stream enter: along with the rows, along with the columns, or one for every PE.
enum class WeightEdge : std::uint8_t { rows, columns, every_pe };

class DataflowModel {
 public:
  explicit constexpr DataflowModel(Organization organization) : organization_(organization) {}
  virtual ~DataflowModel() = default;
  DataflowModel(const DataflowModel&) = delete;
  DataflowModel& operator=(const DataflowModel&) = delete;

  [[nodiscard]] Organization organization() const { return organization_; }
  [[nodiscard]] bool is_systolic() const { return organization_ == Organization::systolic; }

  // What stays, and what lies where.
  [[nodiscard]] virtual Stays stays() const = 0;
  [[nodiscard]] bool streams_weights() const { return stays() != Stays::weights; }
  [[nodiscard]] bool streams_inputs() const { return stays() != Stays::inputs; }
  [[nodiscard]] virtual PeGridKind grid() const = 0;
  /// streams_weights() only.
  [[nodiscard]] virtual WeightEdge weight_edge() const = 0;
  /// Of a pass of `groups` groups, `depth` elements of the reduction and `channels` channels a group.
  [[nodiscard]] virtual WeightOrder weight_order(std::int64_t groups, std::int64_t depth,
                                                 std::int64_t channels) const = 0;
  /// Of a pass of `pixels` pixels and `channels` channels a group.
  [[nodiscard]] virtual AccumulatorOrder accumulator_order(std::int64_t pixels,
                                                           std::int64_t channels) const = 0;
  /// The reduction lies along the rows; otherwise pixels do, and the reduction streams.
  [[nodiscard]] bool reduces_along_rows() const { return !is_systolic() || stays() != Stays::sums; }
  /// The places that operands of these widths see: a row has room for as many elements of the reduction as a
  /// PE makes products at once.
  [[nodiscard]] ArrayExtent extent(const MacArrayConfig& array, int weight_bits, int activation_bits) const;

  /// MACs a cycle of an array whose PEs are all in use, rounded up.
  [[nodiscard]] std::int64_t peak_macs_per_cycle(const MacArrayConfig& array, int weight_bits,
                                                 int activation_bits) const;

  // How a layer becomes passes.
  /// A part of the reduction cut into passes, on an array of `rows` rows; with groups (ChunkCut) a pass has
  /// elements of one group alone.
  [[nodiscard]] virtual ChunkCut pass_chunks(const ReductionPart& part, std::int64_t rows,
                                             Reduction reduction, std::int64_t scale_group) const = 0;
  /// What a pass may take of a layer, where `entries` accumulators a column serve one pass.
  [[nodiscard]] virtual PassBounds bounds(const MacArrayConfig& array, const LayerShape& layer,
                                          std::int64_t entries) const = 0;
  /// Cycles that the array is occupied with `pixels` pixels in `passes` passes like `pass`, which is of full
  /// size: all of `pass.chunks`, loads hidden where they can be. The read ports give the operands of a step
  /// every `port_cycles` cycles.
  [[nodiscard]] virtual std::int64_t occupied_cycles(const MacArrayConfig& array, const PassShape& pass,
                                                     std::int64_t pixels, std::int64_t passes,
                                                     std::int64_t update_cycles,
                                                     std::int64_t port_cycles) const = 0;

  // A pass: the PEs that it uses, and the steps in which the rest streams through them.
  [[nodiscard]] virtual std::int64_t rows_used(const PassShape& pass) const = 0;
  [[nodiscard]] virtual std::int64_t columns_used(const PassShape& pass) const = 0;
  [[nodiscard]] virtual std::int64_t steps(const PassShape& pass) const = 0;
  /// A column's sum is complete with every n-th step.
  [[nodiscard]] virtual std::int64_t steps_a_sum(const PassShape& pass) const;
  /// How often a pass reads each of its weights.
  [[nodiscard]] virtual std::int64_t weight_sweeps(const PassShape& pass) const;
  /// Each step takes a pixel of its own, so that a line buffer may hold what the next ones read again.
  [[nodiscard]] virtual bool pixels_stream() const = 0;
  /// What a step multiplies; of it, what streams enters with the step.
  [[nodiscard]] virtual OperandBox step(const PassShape& pass, std::int64_t step) const = 0;
  /// Lines in which what stays enters, the last one first: the rows of a systolic array's extent, the columns
  /// of a dot-product array; 0 where sums stay.
  [[nodiscard]] std::int64_t lines(const ArrayExtent& extent) const;
  /// Of which so many enter in a cycle at most: those of a row of PEs.
  [[nodiscard]] std::int64_t lines_a_cycle(const PassShape& pass) const;
  /// Cycles of all lines.
  [[nodiscard]] std::int64_t fill_cycles(const MacArrayConfig& array) const {
    return lines({array.rows, array.columns});
  }
  /// What stays in line `index`: its n operands are on lanes g*n .. of group g. Nothing where the pass does
  /// not use the line.
  [[nodiscard]] virtual std::optional<OperandBox> line(const PassShape& pass, std::int64_t index) const;

  // When.
  /// Least cycles between two steps: of the multipliers and the accumulators.
  [[nodiscard]] virtual std::int64_t step_cycles(const MacArrayConfig& array, const PassShape& pass,
                                                 std::int64_t update_cycles) const;
  [[nodiscard]] virtual PassCycles timing(const MacArrayConfig& array, const PassShape& pass,
                                          const StreamCycles& stream, std::int64_t update_cycles) const;

  // Energy.
  /// Operand bits that move on by one register with each MAC.
  [[nodiscard]] virtual int moving_bits(int weight_bits, int activation_bits) const;
  /// Width of the sum that a MAC adds to.
  [[nodiscard]] virtual int sum_bits(const MacArrayConfig& array, int accumulator_bits, int weight_bits,
                                     int activation_bits) const;

 private:
  Organization organization_;
};

}  // namespace qsim

// Sums stay in the PEs of a systolic array: a row takes an output pixel, a column an output channel, the
// reduction streams, as many elements a step as a PE makes products, and is not cut into chunks. On a dot
// product: output_stationary_dot_product.cpp.
#include <algorithm>

#include "hw_models/dataflow/dataflow_table.h"
#include "hw_models/dataflow/output_stationary_dot_product.h"

namespace qsim {

namespace {

class OutputStationary final : public DataflowModel {
 public:
  constexpr OutputStationary() : DataflowModel(Organization::systolic) {}

  [[nodiscard]] Stays stays() const override { return Stays::sums; }
  [[nodiscard]] PeGridKind grid() const override { return PeGridKind::output; }
  [[nodiscard]] WeightEdge weight_edge() const override { return WeightEdge::columns; }

  /// [k][group][channel]: a step of the reduction after the other.
  [[nodiscard]] WeightOrder weight_order(std::int64_t groups, std::int64_t /*depth*/,
                                         std::int64_t channels) const override {
    return WeightOrder::channels_innermost(channels, groups * channels);
  }
  [[nodiscard]] AccumulatorOrder accumulator_order(std::int64_t /*pixels*/,
                                                   std::int64_t channels) const override {
    return AccumulatorOrder::channel_a_column(channels);
  }

  /// Sums leave for the accumulators at the border of a group, where their multiplier changes.
  [[nodiscard]] ChunkCut pass_chunks(const ReductionPart& part, std::int64_t /*rows*/,
                                     Reduction /*reduction*/, std::int64_t scale_group) const override {
    return {part, part.depth(), Reduction::packed, scale_group};
  }
  /// Pixels share the rows, groups as far as all pixels of the layer leave room.
  [[nodiscard]] PassBounds bounds(const MacArrayConfig& array, const LayerShape& layer,
                                  std::int64_t entries) const override {
    const ArrayExtent extent = this->extent(array, layer.weight_bits, layer.activation_bits);
    const std::int64_t fit =
        std::min({extent.rows / layer.pixels, extent.columns / layer.outputs, layer.groups});
    const std::int64_t groups = std::max<std::int64_t>(1, fit);
    return {groups, std::min(extent.columns, layer.outputs), std::min(entries, extent.rows / groups)};
  }
  /// Each pass: the reduction, or the buses of the columns.
  [[nodiscard]] std::int64_t occupied_cycles(const MacArrayConfig& array, const PassShape& pass,
                                             std::int64_t /*pixels*/, std::int64_t passes,
                                             std::int64_t update_cycles,
                                             std::int64_t port_cycles) const override {
    const std::int64_t step = std::max(step_cycles(array, pass, update_cycles), port_cycles);
    return passes * std::max(steps(pass) * step, pass.pixels * update_cycles);
  }

  [[nodiscard]] std::int64_t rows_used(const PassShape& pass) const override {
    return pass.groups * pass.pixels;
  }
  [[nodiscard]] std::int64_t columns_used(const PassShape& pass) const override {
    return pass.groups * pass.channels;
  }
  [[nodiscard]] std::int64_t steps(const PassShape& pass) const override {
    return ceil_div(pass.depth, pass.macs_a_pe);
  }
  [[nodiscard]] bool pixels_stream() const override { return false; }
  [[nodiscard]] OperandBox step(const PassShape& pass, std::int64_t step) const override {
    const std::int64_t begin = step * pass.macs_a_pe;
    const std::int64_t end = std::min(begin + pass.macs_a_pe, pass.depth);
    return {{0, pass.groups}, {0, pass.pixels}, {begin, end}, {0, pass.channels}};
  }

  /// Sums leave by the buses, not with the steps.
  [[nodiscard]] std::int64_t step_cycles(const MacArrayConfig& array, const PassShape& pass,
                                         std::int64_t /*update_cycles*/) const override {
    return array.cycles_per_mac(pass.weight_bits, pass.activation_bits);
  }
  /// Sums of column j finish row by row, one a cycle, and go to the accumulators over the column's bus, one
  /// every `update` cycles (AccumulatorConfig::update_cycles): the last of E pixels is there after
  /// (S-1)*interval + product + (E-1)*update + c - 1 cycles, if that is later than the drain (of G groups
  /// side by side (G-1)*E later). A bus is busy for E*update cycles; a group's rows come after those of the
  /// groups before, and go over other buses, so its sums begin E cycles later.
  [[nodiscard]] PassCycles timing(const MacArrayConfig& array, const PassShape& pass,
                                  const StreamCycles& stream, std::int64_t update_cycles) const override {
    PassCycles cycles = DataflowModel::timing(array, pass, stream, update_cycles);
    const std::int64_t entered =
        stream.last_step_cycle + array.cycles_per_mac(pass.weight_bits, pass.activation_bits);
    const std::int64_t rows_before = (pass.groups - 1) * pass.pixels;
    cycles.first_sum_cycle = entered - 1;
    cycles.bus_cycles = pass.pixels * update_cycles;
    cycles.group_cycles = pass.pixels;
    cycles.drain_cycles =
        std::max(cycles.drain_cycles,
                 entered + rows_before + (pass.pixels - 1) * update_cycles + columns_used(pass) - 1);
    return cycles;
  }
};

const OutputStationary kOutputSystolic;

}  // namespace

const DataflowModel& output_stationary(Organization organization) {
  if (organization == Organization::systolic) return kOutputSystolic;
  return output_stationary_dot_product();
}

}  // namespace qsim

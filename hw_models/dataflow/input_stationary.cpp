// Inputs stay: a PE row holds an element of the reduction, a column an output pixel, channels stream.
#include <algorithm>

#include "hw_models/dataflow/dataflow_table.h"

namespace qsim {

namespace {

class InputStationary final : public DataflowModel {
 public:
  using DataflowModel::DataflowModel;

  [[nodiscard]] Stays stays() const override { return Stays::inputs; }
  [[nodiscard]] PeGridKind grid() const override {
    return is_systolic() ? PeGridKind::stationary : PeGridKind::dot_product;
  }
  [[nodiscard]] WeightEdge weight_edge() const override { return WeightEdge::rows; }

  /// [channel][group][k]: a channel after the other.
  [[nodiscard]] WeightOrder weight_order(std::int64_t groups, std::int64_t depth,
                                         std::int64_t /*channels*/) const override {
    return WeightOrder::reduction_innermost(depth, groups * depth);
  }
  [[nodiscard]] AccumulatorOrder accumulator_order(std::int64_t pixels,
                                                   std::int64_t /*channels*/) const override {
    return AccumulatorOrder::pixel_a_column(pixels);
  }

  [[nodiscard]] ChunkCut pass_chunks(const ReductionPart& part, std::int64_t rows, Reduction reduction,
                                     std::int64_t scale_group) const override {
    return {part, rows, reduction, scale_group};
  }
  /// Channels are what the accumulators hold, in tiles of nearly equal size; pixels share the columns, groups
  /// as far as all pixels of the layer leave room.
  [[nodiscard]] PassBounds bounds(const MacArrayConfig& array, const LayerShape& layer,
                                  std::int64_t entries) const override {
    const ArrayExtent extent = this->extent(array, layer.weight_bits, layer.activation_bits);
    const std::int64_t channels =
        std::min(entries, ceil_div(layer.outputs, ceil_div(layer.outputs, entries)));
    std::int64_t fit = 1;
    if (layer.outputs <= entries) {
      fit = std::min({extent.rows / layer.depth_side_by_side(array.reduction), extent.columns / layer.pixels,
                      layer.groups});
    }
    const std::int64_t groups = std::max<std::int64_t>(1, fit);
    return {groups, channels, extent.columns / groups};
  }
  /// Each pass and chunk: its channels, or filling the PEs.
  [[nodiscard]] std::int64_t occupied_cycles(const MacArrayConfig& array, const PassShape& pass,
                                             std::int64_t /*pixels*/, std::int64_t passes,
                                             std::int64_t update_cycles,
                                             std::int64_t port_cycles) const override {
    const std::int64_t fill = fill_cycles(array);
    const std::int64_t step = std::max(step_cycles(array, pass, update_cycles), port_cycles);
    return passes * pass.chunks.count() * std::max(pass.channels * step, fill);
  }

  [[nodiscard]] std::int64_t rows_used(const PassShape& pass) const override {
    return pass.groups * pass.depth;
  }
  [[nodiscard]] std::int64_t columns_used(const PassShape& pass) const override {
    return pass.groups * pass.pixels;
  }
  [[nodiscard]] std::int64_t steps(const PassShape& pass) const override { return pass.channels; }
  [[nodiscard]] bool pixels_stream() const override { return false; }
  [[nodiscard]] OperandBox step(const PassShape& pass, std::int64_t step) const override {
    return {{0, pass.groups}, {0, pass.pixels}, {0, pass.depth}, {step, step + 1}};
  }
};

const InputStationary kInputSystolic(Organization::systolic);
const InputStationary kInputDotProduct(Organization::dot_product);

}  // namespace

const DataflowModel& input_stationary(Organization organization) {
  if (organization == Organization::systolic) return kInputSystolic;
  return kInputDotProduct;
}

}  // namespace qsim

// Weights stay: a PE row holds an element of the reduction, a column an output channel, pixels stream.
#include <algorithm>

#include "hw_models/dataflow/dataflow_table.h"

namespace qsim {

namespace {

/// On a systolic array one tile of E pixels takes R to load, E + R + C - 2 to stream and drain. On a dot
/// product it takes C to load, and E and the tree.
class WeightStationary final : public DataflowModel {
 public:
  using DataflowModel::DataflowModel;

  [[nodiscard]] Stays stays() const override { return Stays::weights; }
  [[nodiscard]] PeGridKind grid() const override {
    return is_systolic() ? PeGridKind::stationary : PeGridKind::dot_product;
  }
  [[nodiscard]] WeightEdge weight_edge() const override { return WeightEdge::rows; }

  /// [group][k][channel]: a PE row after the other.
  [[nodiscard]] WeightOrder weight_order(std::int64_t /*groups*/, std::int64_t depth,
                                         std::int64_t channels) const override {
    return WeightOrder::channels_innermost(depth * channels, channels);
  }
  [[nodiscard]] AccumulatorOrder accumulator_order(std::int64_t /*pixels*/,
                                                   std::int64_t channels) const override {
    return AccumulatorOrder::channel_a_column(channels);
  }

  [[nodiscard]] ChunkCut pass_chunks(const ReductionPart& part, std::int64_t rows, Reduction reduction,
                                     std::int64_t scale_group) const override {
    return {part, rows, reduction, scale_group};
  }
  [[nodiscard]] PassBounds bounds(const MacArrayConfig& array, const LayerShape& layer,
                                  std::int64_t entries) const override {
    const ArrayExtent extent = this->extent(array, layer.weight_bits, layer.activation_bits);
    const std::int64_t fit = std::min({extent.rows / layer.depth_side_by_side(array.reduction),
                                       extent.columns / layer.outputs, layer.groups});
    return {std::max<std::int64_t>(1, fit), std::min(extent.columns, layer.outputs), entries};
  }
  /// Each chunk: its pixels, or filling the PEs for each pass of them.
  [[nodiscard]] std::int64_t occupied_cycles(const MacArrayConfig& array, const PassShape& pass,
                                             std::int64_t pixels, std::int64_t passes,
                                             std::int64_t update_cycles,
                                             std::int64_t port_cycles) const override {
    const std::int64_t fill = fill_cycles(array);
    const std::int64_t step = std::max(step_cycles(array, pass, update_cycles), port_cycles);
    return pass.chunks.count() * std::max(pixels * step, passes * fill);
  }

  [[nodiscard]] std::int64_t rows_used(const PassShape& pass) const override {
    return pass.groups * pass.depth;
  }
  [[nodiscard]] std::int64_t columns_used(const PassShape& pass) const override {
    return pass.groups * pass.channels;
  }
  [[nodiscard]] std::int64_t steps(const PassShape& pass) const override { return pass.pixels; }
  [[nodiscard]] bool pixels_stream() const override { return true; }
  [[nodiscard]] OperandBox step(const PassShape& pass, std::int64_t step) const override {
    return {{0, pass.groups}, {step, step + 1}, {0, pass.depth}, {0, pass.channels}};
  }
};

const WeightStationary kWeightSystolic(Organization::systolic);
const WeightStationary kWeightDotProduct(Organization::dot_product);

}  // namespace

const DataflowModel& weight_stationary(Organization organization) {
  if (organization == Organization::systolic) return kWeightSystolic;
  return kWeightDotProduct;
}

}  // namespace qsim

#include "hw_models/dataflow/output_stationary_dot_product.h"

#include <algorithm>

namespace qsim {

namespace {

/// A column keeps the sum of one output in a register behind its tree: pixel after pixel, chunk after chunk
/// of the reduction, new weights for all PEs each step, read anew for each pixel. A column's sum leaves with
/// the last chunk of a pixel.
class OutputStationaryDotProduct final : public DataflowModel {
 public:
  constexpr OutputStationaryDotProduct() : DataflowModel(Organization::dot_product) {}

  [[nodiscard]] Stays stays() const override { return Stays::sums; }
  [[nodiscard]] PeGridKind grid() const override { return PeGridKind::dot_product; }
  [[nodiscard]] WeightEdge weight_edge() const override { return WeightEdge::every_pe; }

  /// [k][group][channel]: a step of the reduction after the other.
  [[nodiscard]] WeightOrder weight_order(std::int64_t groups, std::int64_t /*depth*/,
                                         std::int64_t channels) const override {
    return WeightOrder::channels_innermost(channels, groups * channels);
  }
  [[nodiscard]] AccumulatorOrder accumulator_order(std::int64_t /*pixels*/,
                                                   std::int64_t channels) const override {
    return AccumulatorOrder::channel_a_column(channels);
  }

  /// Chunks are steps, not passes; groups are passes.
  [[nodiscard]] ChunkCut pass_chunks(const ReductionPart& part, std::int64_t /*rows*/,
                                     Reduction /*reduction*/, std::int64_t scale_group) const override {
    return {part, part.depth(), Reduction::packed, scale_group};
  }
  [[nodiscard]] PassBounds bounds(const MacArrayConfig& array, const LayerShape& layer,
                                  std::int64_t entries) const override {
    const ArrayExtent extent = this->extent(array, layer.weight_bits, layer.activation_bits);
    const std::int64_t fit = std::min({extent.rows / layer.depth_side_by_side(array.reduction),
                                       extent.columns / layer.outputs, layer.groups});
    return {std::max<std::int64_t>(1, fit), std::min(extent.columns, layer.outputs), entries};
  }
  [[nodiscard]] std::int64_t occupied_cycles(const MacArrayConfig& array, const PassShape& pass,
                                             std::int64_t pixels, std::int64_t /*passes*/,
                                             std::int64_t update_cycles,
                                             std::int64_t port_cycles) const override {
    return pixels * pass.chunks.count() * std::max(step_cycles(array, pass, update_cycles), port_cycles);
  }

  [[nodiscard]] std::int64_t rows_used(const PassShape& pass) const override {
    return pass.groups * pass.chunks.depth(0);
  }
  [[nodiscard]] std::int64_t columns_used(const PassShape& pass) const override {
    return pass.groups * pass.channels;
  }
  [[nodiscard]] std::int64_t steps(const PassShape& pass) const override {
    return pass.pixels * pass.chunks.count();
  }
  [[nodiscard]] std::int64_t steps_a_sum(const PassShape& pass) const override { return pass.chunks.count(); }
  [[nodiscard]] std::int64_t weight_sweeps(const PassShape& pass) const override { return pass.pixels; }
  [[nodiscard]] bool pixels_stream() const override { return true; }
  [[nodiscard]] OperandBox step(const PassShape& pass, std::int64_t step) const override {
    const std::int64_t pixel = step / pass.chunks.count();
    const std::int64_t chunk = step % pass.chunks.count();
    const std::int64_t begin = pass.chunks.begin(chunk);
    return {
        {0, pass.groups}, {pixel, pixel + 1}, {begin, begin + pass.chunks.depth(chunk)}, {0, pass.channels}};
  }
};

const OutputStationaryDotProduct kOutputDotProduct;

}  // namespace

const DataflowModel& output_stationary_dot_product() {
  return kOutputDotProduct;
}

}  // namespace qsim

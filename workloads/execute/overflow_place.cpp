#include "workloads/execute/overflow_place.h"

#include "workloads/execute/execute_nodes.h"
#include "workloads/execute/gather_rows.h"
#include "workloads/execute/mac_weights.h"
#include "workloads/graph/blocks.h"
#include "workloads/ops/definition.h"

namespace qsim {
namespace {

using arithmetic::OverflowPlace;

/// The place of an output pixel in all dimensions of the output but its channels.
std::vector<std::int64_t> position_of(std::int64_t pixel, const Shape& output) {
  std::vector<std::int64_t> position(output.size() - 1);
  for (std::size_t d = position.size(); d > 0; --d) {
    position[d - 1] = pixel % output[d - 1];
    pixel /= output[d - 1];
  }
  return position;
}

/// The accumulator of one output element, update by update.
class Follower {
 public:
  Follower(const MacContext& context, std::int64_t depth)
      : format_(context.accumulator), chunk_ends_(context.chunk_ends), depth_(depth) {
    if (chunk_ends_.empty()) chunk_ends_.push_back(depth);
  }

  /// The update of preload + sum_k row[k] * weights[k] that does not fit.
  [[nodiscard]] std::optional<OverflowPlace> follow(std::int64_t preload, const std::int32_t* row,
                                                    const std::int32_t* weights) const {
    if (!fits(preload)) return OverflowPlace{0, {}, 0, preload};
    std::int64_t sum = preload;
    std::int64_t k = 0;
    for (std::size_t c = 0; c < chunk_ends_.size(); ++c) {
      for (; k < chunk_ends_[c]; ++k) sum += std::int64_t{row[k]} * weights[k];
      if (!fits(sum)) return OverflowPlace{0, {}, static_cast<std::int64_t>(c) + 1, sum};
    }
    return std::nullopt;
  }

  [[nodiscard]] std::int64_t depth() const { return depth_; }

 private:
  [[nodiscard]] bool fits(std::int64_t value) const {
    return value >= format_.min() && value <= format_.max();
  }

  arithmetic::AccumulatorFormat format_;
  std::vector<std::int64_t> chunk_ends_;
  std::int64_t depth_;
};

/// A row of the left operand against columns [0, preload.size()) of `weights`, [column][depth].
std::optional<OverflowPlace> first_of_row(const Follower& follower, const std::vector<std::int32_t>& row,
                                          const std::int32_t* weights,
                                          std::span<const std::int64_t> preload) {
  for (std::size_t n = 0; n < preload.size(); ++n) {
    auto place =
        follower.follow(preload[n], row.data(), weights + static_cast<std::int64_t>(n) * follower.depth());
    if (!place) continue;
    place->channel = static_cast<std::int64_t>(n);
    return place;
  }
  return std::nullopt;
}

template <typename In>
std::optional<OverflowPlace> first_of_convolution(const Graph& graph, const Node& node,
                                                  const MacContext& context, const TensorData& input) {
  const ConvGeometry g = conv_geometry(graph, node);
  const Follower follower(context, g.depth());
  const std::vector<std::int32_t> weights =
      weights_in_order(graph.tensor(node.inputs[1]), g, context.part_channels);
  const std::vector<std::int64_t> preload = folded_bias(graph, node);
  const std::int32_t padding = graph.tensor(node.inputs[0]).quantization->zero_point();
  std::vector<std::int32_t> natural(static_cast<std::size_t>(g.depth()));
  std::vector<std::int32_t> row(natural.size());
  for (std::int64_t pixel = 0; pixel < g.rows(); ++pixel) {
    for (std::int64_t group = 0; group < g.groups; ++group) {
      gather_rows(TapSource<In>{g, input.as<In>().data(), group, padding}, pixel, 1, natural.data(),
                  g.depth());
      if (context.part_channels > 0) {
        order_by_parts(natural.data(), g.kernel_h * g.kernel_w, g.group_channels(), context.part_channels,
                       row.data());
      } else {
        row = natural;
      }
      const std::int64_t first = group * g.group_outputs();
      auto place = first_of_row(follower, row, weights.data() + first * g.depth(),
                                std::span(preload).subspan(static_cast<std::size_t>(first),
                                                           static_cast<std::size_t>(g.group_outputs())));
      if (!place) continue;
      place->position = position_of(pixel, graph.tensor(node.outputs[0]).shape);
      place->channel += first;
      return place;
    }
  }
  return std::nullopt;
}

template <typename In>
std::optional<OverflowPlace> first_of_product(const Graph& graph, const Node& node, const MacContext& context,
                                              const Operands& inputs) {
  const TensorData& a = *inputs[0];
  const TensorData& b = *inputs[1];
  const Shape& output = graph.tensor(node.outputs[0]).shape;
  const std::int64_t rows = a.shape[a.shape.size() - 2];
  const Follower follower(context, a.shape.back());
  const std::vector<std::int64_t> preload = folded_bias(graph, node);
  const std::vector<std::int64_t> a_matrices = repeated_matrices(a.shape, output);
  const std::vector<std::int64_t> b_matrices = repeated_matrices(b.shape, output);
  for (std::size_t p = 0; p < a_matrices.size(); ++p) {
    const std::vector<std::int32_t> weights = matrix_weights(
        b, b_matrices[p], follower.depth(), output.back(), std::get<MatMulOp>(node.op).transpose_b);
    for (std::int64_t r = 0; r < rows; ++r) {
      const auto from =
          a.as<In>().subspan(static_cast<std::size_t>((a_matrices[p] * rows + r) * follower.depth()),
                             static_cast<std::size_t>(follower.depth()));
      auto place = first_of_row(follower, {from.begin(), from.end()}, weights.data(), preload);
      if (!place) continue;
      place->position = position_of(static_cast<std::int64_t>(p) * rows + r, output);
      return place;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<arithmetic::OverflowPlace> first_overflow(const Graph& graph, const Node& node,
                                                        const MacContext& context, const Operands& inputs) {
  if (multiplies_blocks(graph, node)) {
    std::optional<OverflowPlace> trapped;
    TensorData output(graph.tensor(node.outputs[0]).type, graph.tensor(node.outputs[0]).shape);
    run_blocks(graph, node, context, *inputs[0], output, 1, &trapped);
    if (trapped) trapped->position = position_of(trapped->position.front(), output.shape);
    return trapped;
  }
  return visit_element_type(inputs[0]->type, [&](auto zero) {
    using In = decltype(zero);
    return definition(node.op).has_weights ? first_of_convolution<In>(graph, node, context, *inputs[0])
                                           : first_of_product<In>(graph, node, context, inputs);
  });
}

}  // namespace qsim

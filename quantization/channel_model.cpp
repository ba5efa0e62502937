#include "quantization/channel_model.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "workloads/graph/conv_geometry.h"
#include "workloads/ops/definition.h"
#include "workloads/ops/run.h"
#include "workloads/ops/unary.h"

namespace qsim {
namespace {

/// Of the output positions along one dimension the part at which each tap lies inside the input.
std::vector<double> coverage(std::int64_t taps, std::int64_t outputs, std::int64_t inputs,
                             std::int64_t stride, std::int64_t dilation, std::int64_t pad) {
  std::vector<double> parts;
  for (std::int64_t tap = 0; tap < taps; ++tap) {
    std::int64_t inside = 0;
    for (std::int64_t y = 0; y < outputs; ++y) {
      const std::int64_t x = y * stride - pad + tap * dilation;
      inside += x >= 0 && x < inputs ? 1 : 0;
    }
    parts.push_back(static_cast<double>(inside) / static_cast<double>(outputs));
  }
  return parts;
}

/// A value of every tap of a layer, [out_channels][depth]: that of its channel times the tap's coverage.
template <typename Value>
std::vector<double> of_taps(const Graph& graph, const Node& layer, const ChannelModel& input,
                            const Value& value) {
  const ConvGeometry g = conv_geometry(graph, layer);
  const std::vector<double> rows = coverage(g.kernel_h, g.out_h, g.in_h, g.stride_h, g.dilation_h, g.pad_top);
  const std::vector<double> columns =
      coverage(g.kernel_w, g.out_w, g.in_w, g.stride_w, g.dilation_w, g.pad_left);
  const auto count = std::ssize(input.channels);
  std::vector<double> values;
  for (std::int64_t n = 0; n < g.out_channels; ++n) {
    const std::int64_t first = n / g.group_outputs() * g.group_channels();
    for (std::int64_t k = 0; k < g.depth(); ++k) {
      const std::int64_t channel = (first + k % g.group_channels()) % count;
      const std::int64_t tap = k / g.group_channels();
      values.push_back(value(input.channels[static_cast<std::size_t>(channel)]) *
                       rows[static_cast<std::size_t>(tap / g.kernel_w)] *
                       columns[static_cast<std::size_t>(tap % g.kernel_w)]);
    }
  }
  return values;
}

float to_float(double x) {
  return static_cast<float>(x);
}

/// Whether a layer's taps have the channels of its input's model.
bool fits(const Graph& graph, const Node& layer, const ChannelModel& input) {
  const ConvGeometry g = conv_geometry(graph, layer);
  const std::int64_t count = std::ssize(input.channels);
  return count > 0 && !g.is_turned && g.in_channels % count == 0;
}

class Modeller {
 public:
  Modeller(const Graph& graph, const Range& input) : graph_(graph), models_(graph.tensors.size()) {
    for (const TensorId id : graph.inputs) {
      if (graph.tensor(id).is_float()) model(id) = ChannelModel{{}, input};
    }
  }

  std::vector<std::optional<ChannelModel>> run() {
    for (const Node& node : graph_.nodes) {
      if (graph_.tensor(node.outputs[0]).is_float()) model(node.outputs[0]) = model_of(node);
    }
    return std::move(models_);
  }

 private:
  using Model = std::optional<ChannelModel>;

  [[nodiscard]] Model& model(TensorId id) { return models_[static_cast<std::size_t>(id)]; }

  /// Of a tensor or constant that is not there: nothing.
  [[nodiscard]] Model operand(const Node& node, std::size_t input) {
    const TensorId id = node.inputs[input];
    return graph_.tensor(id).is_constant() ? constant(graph_.tensor(id), node) : model(id);
  }

  /// A constant of one element, or of one a channel of the output.
  [[nodiscard]] Model constant(const Tensor& tensor, const Node& node) const {
    const std::span<const float> values = tensor.data->as<float>();
    const auto channels = static_cast<std::size_t>(graph_.tensor(node.outputs[0]).shape.back());
    ChannelModel result;
    for (const float x : values) result.range.include(x);
    if (values.size() != 1 && values.size() != channels) return result;
    for (std::size_t c = 0; c < channels; ++c) {
      result.channels.push_back({static_cast<double>(values[values.size() == 1 ? 0 : c]), 0.0});
    }
    return result;
  }

  [[nodiscard]] Model model_of(const Node& node) {
    if (const std::optional<RealRange> fixed = value_range(node.op)) {
      return ChannelModel{{}, {fixed->low, fixed->high}};
    }
    if (node.distribution) return behind_activation(node, normals_of(*node.distribution));
    if (definition(node.op).has_weights) return of_layer(node);
    const Model x = operand(node, 0);
    if (!x) return std::nullopt;
    if (const auto* unary = std::get_if<UnaryOp>(&node.op)) return of_unary(*unary, *x);
    if (const auto* binary = std::get_if<BinaryOp>(&node.op)) return of_binary(node, *binary, *x);
    if (const auto* join = std::get_if<ConcatOp>(&node.op)) return of_join(node, *join);
    if (!definition(node.op).stays_in_range) return std::nullopt;
    return moved(node, *x);
  }

  static std::vector<Moments> normals_of(const ChannelDistribution& distribution) {
    std::vector<Moments> normals;
    for (std::size_t c = 0; c < distribution.mean.size(); ++c) {
      normals.push_back({distribution.mean[c], distribution.deviation[c] * distribution.deviation[c]});
    }
    return normals;
  }

  /// Normal channels behind the fused activation.
  static ChannelModel behind_activation(const Node& node, std::vector<Moments> channels) {
    const Activation* fused = fused_activation(node.op);
    const RealBounds bounds = fused == nullptr ? RealBounds{} : bounds_of(*fused);
    ChannelModel result{std::move(channels), {}};
    result.range = normal_range(result.channels, bounds);
    if (fused == nullptr || *fused == Activation::none) return result;
    for (Moments& m : result.channels) {
      m = clipped_normal(m.mean, std::sqrt(m.variance), static_cast<double>(bounds.low),
                         static_cast<double>(bounds.high));
    }
    return result;
  }

  /// Inside the limits, and with 0 in it.
  static Range normal_range(const std::vector<Moments>& channels, const RealBounds& bounds) {
    Range range;
    for (const Moments& m : channels) {
      const double reach = kNormDeviations * std::sqrt(m.variance);
      range.include(std::clamp(to_float(m.mean - reach), bounds.low, bounds.high));
      range.include(std::clamp(to_float(m.mean + reach), bounds.low, bounds.high));
    }
    return range;
  }

  [[nodiscard]] Model of_layer(const Node& node) {
    const Model& x = model(node.inputs[0]);
    if (!x || !fits(graph_, node, *x)) return std::nullopt;
    const std::vector<double> means = tap_means(graph_, node, *x);
    const std::vector<double> variances =
        of_taps(graph_, node, *x, [](const Moments& m) { return m.variance; });
    const std::span<const float> w = graph_.tensor(node.inputs[1]).data->as<float>();
    std::vector<Moments> made(static_cast<std::size_t>(graph_.tensor(node.inputs[1]).shape[0]));
    for (std::size_t i = 0; i < w.size(); ++i) {
      Moments& m = made[i * made.size() / w.size()];
      const auto weight = static_cast<double>(w[i]);
      m.mean += weight * means[i];
      m.variance += weight * weight * variances[i];
    }
    if (node.inputs.size() > 2 && node.inputs[2] != kNoTensor) {
      const std::span<const float> b = graph_.tensor(node.inputs[2]).data->as<float>();
      for (std::size_t n = 0; n < made.size(); ++n) made[n].mean += static_cast<double>(b[n]);
    }
    return behind_activation(node, std::move(made));
  }

  static Model of_unary(const UnaryOp& op, const ChannelModel& x) {
    const auto f = [&](double value) { return unary_row(op.kind).math.real(op, value); };
    ChannelModel result;
    constexpr int kPoints = 1024;
    for (int i = 0; i <= kPoints; ++i) {
      const double part = static_cast<double>(i) / kPoints;
      const double value =
          f(static_cast<double>(x.range.low) * (1.0 - part) + static_cast<double>(x.range.high) * part);
      if (!std::isfinite(value)) return std::nullopt;
      result.range.include(to_float(value));
    }
    for (const Moments& m : x.channels) {
      result.channels.push_back(moments_behind(f, m.mean, std::sqrt(m.variance)));
    }
    return result;
  }

  [[nodiscard]] Model of_binary(const Node& node, const BinaryOp& op, const ChannelModel& a) {
    const Model other = operand(node, 1);
    if (!other) return std::nullopt;
    const ChannelModel& b = *other;
    const bool adds = op.kind == BinaryKind::add || op.kind == BinaryKind::sub;
    if (!adds && op.kind != BinaryKind::mul) return std::nullopt;
    const float sign = op.kind == BinaryKind::sub ? -1.0F : 1.0F;
    Range hull;
    for (const float x : {a.range.low, a.range.high}) {
      for (const float y : {b.range.low, b.range.high}) hull.include(adds ? x + sign * y : x * y);
    }
    const RealBounds bounds = bounds_of(op.activation);
    ChannelModel result{{}, cut(hull, bounds)};
    if (a.channels.empty() || a.channels.size() != b.channels.size()) return result;
    for (std::size_t c = 0; c < a.channels.size(); ++c) {
      result.channels.push_back(adds ? sum_of(a.channels[c], b.channels[c], static_cast<double>(sign))
                                     : product_of(a.channels[c], b.channels[c]));
    }
    ChannelModel normal = behind_activation(node, std::move(result.channels));
    normal.range = cut(normal.range, {result.range.low, result.range.high});
    return normal;
  }
  static Moments sum_of(const Moments& a, const Moments& b, double sign) {
    return {a.mean + sign * b.mean, a.variance + b.variance};
  }
  /// Var[ab] = Var[a] Var[b] + Var[a] E[b]^2 + Var[b] E[a]^2
  static Moments product_of(const Moments& a, const Moments& b) {
    return {a.mean * b.mean,
            a.variance * b.variance + a.variance * b.mean * b.mean + b.variance * a.mean * a.mean};
  }
  static Range cut(const Range& range, const RealBounds& bounds) {
    return {std::clamp(range.low, bounds.low, bounds.high), std::clamp(range.high, bounds.low, bounds.high)};
  }

  [[nodiscard]] Model of_join(const Node& node, const ConcatOp& op) {
    ChannelModel result;
    const bool joins_channels = op.axis + 1 == static_cast<int>(graph_.tensor(node.outputs[0]).shape.size());
    bool knows_all = joins_channels;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const Model x = operand(node, i);
      if (!x) return std::nullopt;
      result.range.include(x->range);
      const auto channels = static_cast<std::size_t>(graph_.tensor(node.inputs[i]).shape.back());
      knows_all = knows_all && x->channels.size() == channels;
      result.channels.insert(result.channels.end(), x->channels.begin(), x->channels.end());
    }
    if (!knows_all) result.channels.clear();
    return result;
  }

  /// What only moves, selects or averages values: channels stay where the last dimension has them one behind
  /// the other as before. Maxima have other means.
  [[nodiscard]] ChannelModel moved(const Node& node, const ChannelModel& x) const {
    ChannelModel result{{}, x.range};
    const Shape& before = graph_.tensor(node.inputs[0]).shape;
    const Shape& after = graph_.tensor(node.outputs[0]).shape;
    if (const auto* pool = std::get_if<Pool2dOp>(&node.op)) {
      if (pool->kind == PoolKind::average && pool->activation == Activation::none)
        result.channels = x.channels;
    } else if (std::holds_alternative<ReshapeOp>(node.op)) {
      if (!x.channels.empty() && !after.empty() && after.back() % std::ssize(x.channels) == 0) {
        result.channels = x.channels;
      }
    } else if (const auto* mean = std::get_if<MeanOp>(&node.op)) {
      const auto last = static_cast<int>(before.size()) - 1;
      if (std::ranges::find(mean->axes, last) == mean->axes.end()) result.channels = x.channels;
    } else if (const auto* transpose = std::get_if<TransposeOp>(&node.op)) {
      if (!transpose->permutation.empty() &&
          transpose->permutation.back() == static_cast<int>(before.size()) - 1)
        result.channels = x.channels;
    } else if (std::holds_alternative<PadOp>(node.op) || std::holds_alternative<ResizeOp>(node.op) ||
               std::holds_alternative<StridedSliceOp>(node.op)) {
      if (before.back() == after.back()) result.channels = x.channels;
    }
    return result;
  }

  const Graph& graph_;
  std::vector<Model> models_;
};

}  // namespace

std::vector<std::optional<ChannelModel>> model_channels(const Graph& graph, const Range& input) {
  return Modeller(graph, input).run();
}

std::vector<double> tap_means(const Graph& graph, const Node& layer, const ChannelModel& input) {
  if (!fits(graph, layer, input)) return {};
  return of_taps(graph, layer, input, [](const Moments& m) { return m.mean; });
}

bool has_distributions(const Graph& graph) {
  return std::ranges::any_of(graph.nodes, [](const Node& node) { return node.distribution.has_value(); });
}

}  // namespace qsim

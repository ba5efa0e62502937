#include "workloads/readers/json/json_ops.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "workloads/graph/graph_check.h"
#include "workloads/graph/shape_inference.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

struct HeightWidth {
  std::int64_t h = 1, w = 1;
};
struct Padding {
  std::int64_t top = 0, bottom = 0, left = 0, right = 0;
};

/// A number for both directions, or [height, width].
HeightWidth read_height_width(JsonObject& layer, const std::string& key,
                              std::optional<HeightWidth> fallback) {
  if (!layer.has(key) && fallback) {
    (void)layer.raw(key);
    return *fallback;
  }
  if (layer.has(key) && layer.json()[key].is_array()) {
    const auto both = layer.integers(key, 1, kMaxWindowAttribute);
    if (both.size() == 2) return {both[0], both[1]};
    layer.problem(key, "an integer, or two: [height, width]");
    return {};
  }
  const std::int64_t both = std::max<std::int64_t>(layer.integer(key, 1, kMaxWindowAttribute), 1);
  return {both, both};
}

/// "same": as many output elements as ceil(in / stride), the odd padding element after; TensorFlow's rule.
std::pair<std::int64_t, std::int64_t> same_padding(std::int64_t in, std::int64_t kernel, std::int64_t stride,
                                                   std::int64_t dilation) {
  const std::int64_t out = (in + stride - 1) / stride;
  const std::int64_t total = std::max<std::int64_t>((out - 1) * stride + (kernel - 1) * dilation + 1 - in, 0);
  return {total / 2, total - total / 2};
}

/// "valid", "same", a number for all four sides, or [top, bottom, left, right]. `in` and `kernel` are absent
/// while shapes are unknown.
Padding read_padding(JsonObject& layer, std::optional<HeightWidth> in, std::optional<HeightWidth> kernel,
                     HeightWidth stride, HeightWidth dilation) {
  const Json* value = layer.raw("padding");
  if (value == nullptr || *value == "valid") return {};
  if (*value == "same") {
    if (!in || !kernel) return {};
    const auto [top, bottom] = same_padding(in->h, kernel->h, stride.h, dilation.h);
    const auto [left, right] = same_padding(in->w, kernel->w, stride.w, dilation.w);
    return {top, bottom, left, right};
  }
  if (value->is_number()) {
    const std::int64_t all = layer.integer("padding", 0, kMaxWindowAttribute);
    return {all, all, all, all};
  }
  if (value->is_array()) {
    const auto sides = layer.integers("padding", 0, kMaxWindowAttribute);
    if (sides.size() == 4) return {sides[0], sides[1], sides[2], sides[3]};
  }
  layer.problem("padding", R"("valid", "same", an integer, or four: [top, bottom, left, right])");
  return {};
}

/// Without a fallback the key is required.
float read_float(JsonObject& layer, const std::string& key, std::optional<float> fallback) {
  constexpr double kLimit = std::numeric_limits<float>::max();
  const std::optional<double> otherwise =
      fallback ? std::optional<double>(static_cast<double>(*fallback)) : std::nullopt;
  return static_cast<float>(layer.number(key, -kLimit, kLimit, otherwise));
}

Activation read_activation(JsonObject& layer) {
  return static_cast<Activation>(
      layer.choice("activation", {"none", "relu", "relu6", "relu_n1_to_1"}, "none"));
}

/// Of a transposed convolution what is cut off below and at the right may be less than nothing: rows and
/// columns that no tap reaches.
Padding read_transpose_padding(JsonObject& layer) {
  const Json* value = layer.has("padding") ? &layer.json()["padding"] : nullptr;
  if (value == nullptr || !value->is_array()) return read_padding(layer, std::nullopt, std::nullopt, {}, {});
  const auto sides = layer.integers("padding", -kMaxWindowAttribute, kMaxWindowAttribute);
  if (sides.size() == 4 && sides[0] >= 0 && sides[2] >= 0) return {sides[0], sides[1], sides[2], sides[3]};
  layer.problem("padding", "[top, bottom, left, right] with top and left of at least 0");
  return {};
}

/// Height and width of NHWC or OHWI, where the shape is known and has four dimensions.
std::optional<HeightWidth> height_width(const std::optional<Shape>& shape) {
  if (!shape || shape->size() != 4) return std::nullopt;
  return HeightWidth{(*shape)[1], (*shape)[2]};
}

ReadOp read_conv2d(JsonObject& layer, const std::optional<Shape>& x, const std::optional<Shape>& weights,
                   bool depthwise) {
  const HeightWidth stride = read_height_width(layer, "stride", HeightWidth{});
  const HeightWidth dilation = read_height_width(layer, "dilation", HeightWidth{});
  const Padding pad = read_padding(layer, height_width(x), height_width(weights), stride, dilation);
  const std::int64_t channels = x && x->size() == 4 ? x->back() : 1;
  const std::int64_t groups = depthwise ? channels : layer.integer("groups", 1, kMaxTensorElements, 1);
  return {Conv2dOp{stride.h, stride.w, dilation.h, dilation.w, pad.top, pad.bottom, pad.left, pad.right,
                   std::max<std::int64_t>(groups, 1), read_activation(layer)},
          {}};
}

// Output length: (in - 1) * stride + kernel - pad_before - pad_after; "same" makes it in * stride.
ReadOp read_transpose_conv2d(JsonObject& layer, const std::optional<Shape>& x,
                             const std::optional<Shape>& weights) {
  const HeightWidth stride = read_height_width(layer, "stride", HeightWidth{});
  const bool same = layer.has("padding") && layer.json()["padding"] == "same";
  const std::optional<HeightWidth> in = height_width(x);
  const std::optional<HeightWidth> kernel = height_width(weights);
  Padding pad = read_transpose_padding(layer);
  TransposeConv2dOp op{stride.h, stride.w, pad.top, pad.left, read_activation(layer)};
  if (!in || !kernel) return {op, {}};
  const auto whole = [](std::int64_t n, std::int64_t s, std::int64_t k) { return (n - 1) * s + k; };
  std::int64_t out_h = whole(in->h, stride.h, kernel->h) - pad.top - pad.bottom;
  std::int64_t out_w = whole(in->w, stride.w, kernel->w) - pad.left - pad.right;
  if (same) {
    out_h = in->h * stride.h;
    out_w = in->w * stride.w;
    op.pad_top = std::max<std::int64_t>(kernel->h - stride.h, 0) / 2;
    op.pad_left = std::max<std::int64_t>(kernel->w - stride.w, 0) / 2;
  }
  return {op, Shape{(*x)[0], out_h, out_w, (*weights)[0]}};
}

ReadOp read_pool2d(JsonObject& layer, PoolKind kind, const std::optional<Shape>& x) {
  const HeightWidth kernel = read_height_width(layer, "kernel", std::nullopt);
  const HeightWidth stride = read_height_width(layer, "stride", kernel);
  const Padding pad = read_padding(layer, height_width(x), kernel, stride, {});
  const bool count_include_pad = kind == PoolKind::average && layer.boolean("count_include_pad", false);
  return {Pool2dOp{kind, kernel.h, kernel.w, stride.h, stride.w, pad.top, pad.bottom, pad.left, pad.right,
                   read_activation(layer), count_include_pad},
          {}};
}

ReadOp read_mean(JsonObject& layer, const std::optional<Shape>& x) {
  const auto rank = x ? static_cast<std::int64_t>(x->size()) : std::int64_t{8};
  MeanOp op;
  for (const std::int64_t axis : layer.integers("axes", -rank, rank - 1)) {
    op.axes.push_back(static_cast<int>(axis < 0 ? axis + rank : axis));
  }
  std::sort(op.axes.begin(), op.axes.end());
  if (std::adjacent_find(op.axes.begin(), op.axes.end()) != op.axes.end())
    layer.problem("axes", "each axis once");
  op.keep_dims = layer.boolean("keep_dims", true);
  return {op, {}};
}

ReadOp read_pad(JsonObject& layer, std::optional<std::int32_t> zero_point) {
  PadOp op;
  op.before = layer.integers("before", 0, kMaxTensorElements);
  op.after = layer.integers("after", 0, kMaxTensorElements);
  if (zero_point) {
    op.value = layer.integer("value", std::numeric_limits<std::int32_t>::min(),
                             std::numeric_limits<std::int32_t>::max(), *zero_point);
  } else {
    op.real_value = read_float(layer, "value", 0.0F);
  }
  return {op, {}};
}

/// A choice of an enumeration whose values are numbered in the order of the names.
template <typename Enum>
Enum read_choice(JsonObject& layer, const std::string& key, const std::vector<std::string>& names) {
  return static_cast<Enum>(layer.choice(key, names, names.front()));
}

/// A factor for both directions, or [height, width].
ReadOp read_resize(JsonObject& layer, ResizeMode mode) {
  ResizeOp op;
  op.mode = mode;
  op.coordinates = read_choice<ResizeCoordinates>(layer, "coordinates", resize_coordinates_names());
  if (mode == ResizeMode::nearest)
    op.rounding = read_choice<ResizeRounding>(layer, "rounding", resize_rounding_names());
  if (mode == ResizeMode::linear) op.blend = read_choice<ResizeBlend>(layer, "blend", resize_blend_names());
  const Json* scale = layer.raw("scale");
  const bool is_pair = scale != nullptr && scale->is_array() && scale->size() == 2;
  const auto factor = [&](const Json* value) {
    const float number = value != nullptr && value->is_number() ? value->get<float>() : 0.0F;
    if (!(number > 0.0F && std::isfinite(number)))
      layer.problem("scale", "output size / input size: a number above 0, or two: [height, width]");
    return number > 0.0F ? number : 1.0F;
  };
  op.scale_h = factor(is_pair ? &(*scale)[0] : scale);
  op.scale_w = is_pair ? factor(&(*scale)[1]) : op.scale_h;
  return {op, {}};
}

/// A bound that is absent does not bind.
ReadOp read_clip(JsonObject& layer) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float low = layer.raw("low") != nullptr ? read_float(layer, "low", 0.0F) : -kInfinity;
  const float high = layer.raw("high") != nullptr ? read_float(layer, "high", 0.0F) : kInfinity;
  if (low > high) layer.problem("low", "at most \"high\"");
  return {UnaryOp{UnaryKind::clip, low, high}, {}};
}

ReadOp read_strided_slice(JsonObject& layer) {
  StridedSliceOp op;
  op.begin = layer.integers("begin", 0, kMaxTensorElements);
  op.count = layer.integers("count", 1, kMaxTensorElements);
  op.stride = layer.integers("stride", -kMaxTensorElements, kMaxTensorElements,
                             std::vector<std::int64_t>(op.count.size(), 1));
  return {op, {}};
}

ReadOp read_reshape(JsonObject& layer) {
  Shape shape = layer.integers("shape", -1, kMaxTensorElements);
  if (std::count(shape.begin(), shape.end(), -1) > 1 || std::count(shape.begin(), shape.end(), 0) > 0) {
    layer.problem("shape", "dimensions of at least 1, one of which may be -1: what is left over");
    return {ReshapeOp{}, {}};
  }
  return {ReshapeOp{}, shape};
}

ReadOp read_transpose(JsonObject& layer) {
  TransposeOp op;
  for (const std::int64_t d : layer.integers("permutation", 0, 7))
    op.permutation.push_back(static_cast<int>(d));
  return {op, {}};
}

ReadOp read_concat(JsonObject& layer, const std::optional<Shape>& x) {
  const auto rank = x ? static_cast<std::int64_t>(x->size()) : std::int64_t{8};
  const std::int64_t axis = layer.integer("axis", -rank, rank - 1);
  return {ConcatOp{static_cast<int>(axis < 0 ? axis + rank : axis)}, {}};
}

BinaryOp read_binary(JsonObject& layer, BinaryKind kind) {
  return {kind, read_activation(layer)};
}

/// Functions of one element, by the name of their kind.
std::optional<UnaryKind> unary_kind(OpKind kind) {
  switch (kind) {
    case OpKind::logistic:
      return UnaryKind::logistic;
    case OpKind::tanh:
      return UnaryKind::tanh;
    case OpKind::relu:
      return UnaryKind::relu;
    case OpKind::relu6:
      return UnaryKind::relu6;
    case OpKind::relu_n1_to_1:
      return UnaryKind::relu_n1_to_1;
    case OpKind::hard_swish:
      return UnaryKind::hard_swish;
    case OpKind::gelu:
      return UnaryKind::gelu;
    case OpKind::gelu_tanh:
      return UnaryKind::gelu_tanh;
    default:
      break;
  }
  // The kinds from erf on stand in both enumerations in the same order.
  if (kind < OpKind::erf) return std::nullopt;
  return static_cast<UnaryKind>(static_cast<int>(UnaryKind::erf) + static_cast<int>(kind) -
                                static_cast<int>(OpKind::erf));
}

/// Functions with parameters.
std::optional<ReadOp> read_parametric_unary(OpKind kind, JsonObject& layer) {
  switch (kind) {
    case OpKind::leaky_relu:
      return ReadOp{UnaryOp{UnaryKind::leaky_relu, read_float(layer, "alpha", std::nullopt)}, {}};
    case OpKind::elu:
      return ReadOp{UnaryOp{UnaryKind::elu, read_float(layer, "alpha", 1.0F)}, {}};
    case OpKind::hard_sigmoid: {
      const float alpha = read_float(layer, "alpha", 0.2F);
      return ReadOp{UnaryOp{UnaryKind::hard_sigmoid, alpha, read_float(layer, "beta", 0.5F)}, {}};
    }
    case OpKind::clip:
      return read_clip(layer);
    default:
      return std::nullopt;
  }
}

std::optional<BinaryKind> binary_kind(OpKind kind) {
  switch (kind) {
    case OpKind::add:
      return BinaryKind::add;
    case OpKind::sub:
      return BinaryKind::sub;
    case OpKind::mul:
      return BinaryKind::mul;
    case OpKind::div:
      return BinaryKind::div;
    case OpKind::min:
      return BinaryKind::min;
    case OpKind::max:
      return BinaryKind::max;
    case OpKind::pow:
      return BinaryKind::pow;
    default:
      return std::nullopt;
  }
}

}  // namespace

ReadOp read_op(OpKind kind, JsonObject& layer, const std::optional<Shape>& x,
               const std::optional<Shape>& weights, std::optional<std::int32_t> zero_point) {
  if (const auto binary = binary_kind(kind)) return {read_binary(layer, *binary), {}};
  if (auto unary = read_parametric_unary(kind, layer)) return *unary;
  if (const auto unary = unary_kind(kind)) return {UnaryOp{*unary}, {}};
  switch (kind) {
    case OpKind::conv2d:
      return read_conv2d(layer, x, weights, false);
    case OpKind::depthwise_conv2d:
      return read_conv2d(layer, x, weights, true);
    case OpKind::transpose_conv2d:
      return read_transpose_conv2d(layer, x, weights);
    case OpKind::fully_connected:
      return {FullyConnectedOp{read_activation(layer)}, {}};
    case OpKind::max_pool2d:
      return read_pool2d(layer, PoolKind::max, x);
    case OpKind::average_pool2d:
      return read_pool2d(layer, PoolKind::average, x);
    case OpKind::mean:
      return read_mean(layer, x);
    case OpKind::pad:
      return read_pad(layer, zero_point);
    case OpKind::strided_slice:
      return read_strided_slice(layer);
    case OpKind::reshape:
      return read_reshape(layer);
    case OpKind::transpose:
      return read_transpose(layer);
    case OpKind::concat:
      return read_concat(layer, x);
    case OpKind::softmax:
      return {SoftmaxOp{static_cast<float>(layer.number("beta", 1e-30, 1e30, 1.0)),
                        layer.boolean("logarithm", false)},
              {}};
    case OpKind::quantize:
      return {QuantizeOp{}, {}};
    case OpKind::dequantize:
      return {DequantizeOp{}, {}};
    case OpKind::dynamic_quantize:
      return {DynamicQuantizeOp{read_choice<DynamicResult>(layer, "result", dynamic_result_names())}, {}};
    case OpKind::matmul:
      return {MatMulOp{layer.boolean("transpose_b", false)}, {}};
    case OpKind::prelu:
      return {PReluOp{}, {}};
    case OpKind::batch_norm:
      return {BatchNormOp{}, {}};
    case OpKind::layer_norm:
      return {LayerNormOp{static_cast<float>(layer.number("epsilon", 0.0, 1e30, 1e-5))}, {}};
    case OpKind::resize_nearest:
      return read_resize(layer, ResizeMode::nearest);
    case OpKind::resize_linear:
      return read_resize(layer, ResizeMode::linear);
    default:
      break;
  }
  return {ReshapeOp{}, {}};
}

}  // namespace qsim

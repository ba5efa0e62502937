#include "workloads/json_ops.h"

#include <algorithm>
#include <limits>

#include "workloads/graph_check.h"
#include "workloads/shape_inference.h"

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

Activation read_activation(JsonObject& layer) {
  return static_cast<Activation>(
      layer.choice("activation", {"none", "relu", "relu6", "relu_n1_to_1"}, "none"));
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
  Padding pad = read_padding(layer, std::nullopt, std::nullopt, stride, {});
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
  return {Pool2dOp{kind, kernel.h, kernel.w, stride.h, stride.w, pad.top, pad.bottom, pad.left, pad.right,
                   read_activation(layer)},
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

ReadOp read_pad(JsonObject& layer, std::int32_t zero_point) {
  PadOp op;
  op.before = layer.integers("before", 0, kMaxTensorElements);
  op.after = layer.integers("after", 0, kMaxTensorElements);
  op.value = layer.integer("value", std::numeric_limits<std::int32_t>::min(),
                           std::numeric_limits<std::int32_t>::max(), zero_point);
  return {op, {}};
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

}  // namespace

const std::vector<std::string>& op_kind_names() {
  static const std::vector<std::string> kNames{"conv2d",
                                               "depthwise_conv2d",
                                               "transpose_conv2d",
                                               "fully_connected",
                                               "add",
                                               "sub",
                                               "mul",
                                               "max_pool2d",
                                               "average_pool2d",
                                               "mean",
                                               "pad",
                                               "strided_slice",
                                               "reshape",
                                               "transpose",
                                               "concat",
                                               "softmax",
                                               "logistic",
                                               "tanh",
                                               "leaky_relu",
                                               "relu",
                                               "relu6",
                                               "relu_n1_to_1",
                                               "quantize",
                                               "dequantize"};
  return kNames;
}

bool keeps_quantization(OpKind kind, Semantics semantics) {
  switch (kind) {
    case OpKind::max_pool2d:
    case OpKind::pad:
    case OpKind::strided_slice:
    case OpKind::reshape:
    case OpKind::transpose:
      return true;
    case OpKind::average_pool2d:
      return semantics == Semantics::tflite;
    default:
      return false;
  }
}

std::optional<Quantization> fixed_output_quantization(OpKind kind, Semantics semantics,
                                                      const Quantization& input) {
  const bool fixed = kind == OpKind::softmax || kind == OpKind::logistic || kind == OpKind::tanh;
  if (semantics != Semantics::tflite || !fixed || !input.is_signed) return std::nullopt;
  Quantization q = input;
  if (input.bits == 16) {
    q.scales = {1.0F / 32768.0F};
    q.zero_points = {0};
    return q;
  }
  if (input.bits != 8) return std::nullopt;
  const bool symmetric = kind == OpKind::tanh;
  q.scales = {symmetric ? 1.0F / 128.0F : 1.0F / 256.0F};
  q.zero_points = {symmetric ? 0 : -128};
  return q;
}

ReadOp read_op(OpKind kind, JsonObject& layer, const std::optional<Shape>& x,
               const std::optional<Shape>& weights, std::int32_t zero_point) {
  switch (kind) {
    case OpKind::conv2d:
      return read_conv2d(layer, x, weights, false);
    case OpKind::depthwise_conv2d:
      return read_conv2d(layer, x, weights, true);
    case OpKind::transpose_conv2d:
      return read_transpose_conv2d(layer, x, weights);
    case OpKind::fully_connected:
      return {FullyConnectedOp{read_activation(layer)}, {}};
    case OpKind::add:
      return {read_binary(layer, BinaryKind::add), {}};
    case OpKind::sub:
      return {read_binary(layer, BinaryKind::sub), {}};
    case OpKind::mul:
      return {read_binary(layer, BinaryKind::mul), {}};
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
      return {SoftmaxOp{static_cast<float>(layer.number("beta", 1e-6, 1e6, 1.0))}, {}};
    case OpKind::logistic:
      return {UnaryOp{UnaryKind::logistic}, {}};
    case OpKind::tanh:
      return {UnaryOp{UnaryKind::tanh}, {}};
    case OpKind::leaky_relu:
      return {UnaryOp{UnaryKind::leaky_relu, static_cast<float>(layer.number("alpha", -1e6, 1e6))}, {}};
    case OpKind::relu:
      return {UnaryOp{UnaryKind::relu}, {}};
    case OpKind::relu6:
      return {UnaryOp{UnaryKind::relu6}, {}};
    case OpKind::relu_n1_to_1:
      return {UnaryOp{UnaryKind::relu_n1_to_1}, {}};
    case OpKind::quantize:
      return {QuantizeOp{}, {}};
    case OpKind::dequantize:
      return {DequantizeOp{}, {}};
  }
  return {ReshapeOp{}, {}};
}

}  // namespace qsim

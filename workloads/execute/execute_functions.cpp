// Which function the vector unit evaluates for a node: from operation, semantics, scales and zero points.
#include <algorithm>
#include <cmath>

#include "hw_models/arithmetic/activation_tables.h"
#include "hw_models/arithmetic/onnx_functions.h"
#include "hw_models/arithmetic/tflite_functions.h"
#include "workloads/execute/execute_types.h"
#include "workloads/graph/layout.h"
#include "workloads/ops/unary.h"

namespace qsim {
namespace {

using namespace arithmetic;

bool same_scale(const QuantizedType& a, const QuantizedType& b) {
  return a.scale == b.scale && a.zero_point == b.zero_point;
}

/// Integers at another scale: concatenation inputs, QUANTIZE from integer to integer.
UnaryFunction rescale(const Graph& graph, const QuantizedType& in, const QuantizedType& out) {
  if (graph.semantics == Semantics::onnx) return make_onnx_table(in, out, [](float x) { return x; });
  return make_requantize_table(in, out);
}

BinaryFunction tflite_binary(const Graph& graph, const Node& node, const QuantizedType& a,
                             const QuantizedType& b, const QuantizedType& y) {
  const ClampLimits limits = clamp_limits(graph, node);
  const auto* op = std::get_if<BinaryOp>(&node.op);
  if (op == nullptr) return make_tflite_prelu(a, b, y);
  switch (op->kind) {
    case BinaryKind::mul:
      return make_tflite_mul(a, b, y, limits);
    case BinaryKind::min:
    case BinaryKind::max:
      return TfliteExtremumFunction{op->kind == BinaryKind::max, limits.min, limits.max};
    default:
      return make_tflite_add(a, b, y, limits, op->kind == BinaryKind::sub);
  }
}

FloatBinaryKind float_kind(const Node& node) {
  const auto* op = std::get_if<BinaryOp>(&node.op);
  if (op == nullptr) return FloatBinaryKind::prelu;
  switch (op->kind) {
    case BinaryKind::add:
      return FloatBinaryKind::add;
    case BinaryKind::mul:
      return FloatBinaryKind::mul;
    case BinaryKind::min:
      return FloatBinaryKind::min;
    case BinaryKind::max:
      return FloatBinaryKind::max;
    default:
      return FloatBinaryKind::sub;
  }
}

/// QLinearAdd and QLinearMul take operands of 8 bits; everything else is float32.
BinaryFunction onnx_binary(const Graph& graph, const Node& node, const QuantizedType& a,
                           const QuantizedType& b, const QuantizedType& y) {
  const ClampLimits limits = clamp_limits(graph, node);
  const FloatBinaryKind kind = float_kind(node);
  const bool narrow = a.format.bits <= 8 && b.format.bits <= 8 && y.format.bits <= 8;
  if (narrow && kind == FloatBinaryKind::mul) {
    return OnnxMulFunction{a.scale,      b.scale,      y.scale,    a.zero_point,
                           b.zero_point, y.zero_point, limits.min, limits.max};
  }
  if (narrow && kind == FloatBinaryKind::add) {
    return OnnxAddFunction{a.scale,      b.scale,      y.scale,    a.zero_point,
                           b.zero_point, y.zero_point, limits.min, limits.max};
  }
  return make_onnx_float_binary(kind, a, b, y, limits);
}

/// Order of a mean over `axes` of the model's dimensions of more than one element, as ONNX Runtime's
/// reduction picks it: all kept before all reduced, all reduced before all kept, or kept, reduced, kept.
MeanOrder mean_order(const Shape& shape, const std::vector<bool>& reduced) {
  std::vector<bool> pattern;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] > 1 && (pattern.empty() || pattern.back() != reduced[d])) pattern.push_back(reduced[d]);
  }
  if (pattern.empty() || pattern.back()) return MeanOrder::lanes;
  return pattern.front() ? MeanOrder::sequential : MeanOrder::groups_of_four;
}

/// Axis of the graph's tensor that each dimension of the model is.
std::vector<std::size_t> model_axes(const Tensor& tensor) {
  std::vector<std::size_t> axes(tensor.model_axes.begin(), tensor.model_axes.end());
  for (std::size_t d = 0; tensor.model_axes.empty() && d < tensor.shape.size(); ++d) axes.push_back(d);
  return axes;
}

OnnxMeanFunction onnx_mean(const Tensor& x, const QuantizedType& in, const QuantizedType& out,
                           const ClampLimits& limits, const MeanOp& op) {
  OnnxMeanFunction f{in.scale, out.scale, in.zero_point, out.zero_point, limits.min, limits.max, {}, {}, {}};
  const std::size_t rank = x.shape.size();
  const auto is_reduced = [&](std::size_t axis) {
    return std::find(op.axes.begin(), op.axes.end(), static_cast<int>(axis)) != op.axes.end();
  };
  std::vector<bool> reduced;                         // By dimension of the model.
  std::vector<std::int64_t> model_strides(rank, 0);  // By axis of the graph.
  std::int64_t stride = 1;
  const std::vector<std::size_t> axes = model_axes(x);
  for (const std::size_t axis : axes) reduced.push_back(is_reduced(axis));
  for (std::size_t d = axes.size(); d-- > 0;) {
    model_strides[axes[d]] = stride;
    stride *= x.shape[axes[d]];
  }
  f.order = mean_order(model_shape(x), reduced);
  f.position_strides.assign(rank, 0);
  for (std::size_t axis = 0; axis < rank; ++axis) {
    if (!is_reduced(axis)) f.position_strides[rank - 1 - axis] = model_strides[axis] % 4;
  }
  // Window elements lie in the order of the graph's axes; the model's order is that of its strides.
  std::vector<std::int64_t> places{0};
  for (std::size_t axis = 0; axis < rank; ++axis) {
    if (!is_reduced(axis)) continue;
    std::vector<std::int64_t> next;
    for (const std::int64_t place : places) {
      for (std::int64_t i = 0; i < x.shape[axis]; ++i) next.push_back(place + i * model_strides[axis]);
    }
    places = std::move(next);
  }
  if (std::is_sorted(places.begin(), places.end())) return f;
  f.permutation.resize(places.size());
  for (std::size_t k = 0; k < places.size(); ++k) f.permutation[k] = k;
  std::sort(f.permutation.begin(), f.permutation.end(),
            [&](std::size_t a, std::size_t b) { return places[a] < places[b]; });
  return f;
}

/// ONNX Runtime takes such a pool for a global one, whose sum is exact.
bool covers_input(const Pool2dOp& pool, const Shape& x) {
  return pool.kernel_h == x[1] && pool.kernel_w == x[2] && pool.pad_top == 0 && pool.pad_bottom == 0 &&
         pool.pad_left == 0 && pool.pad_right == 0;
}

WindowFunction onnx_window(const Graph& graph, const Node& node, const QuantizedType& x,
                           const QuantizedType& y) {
  const ClampLimits limits = clamp_limits(graph, node);
  if (const auto* mean = std::get_if<MeanOp>(&node.op)) {
    return onnx_mean(graph.tensor(node.inputs[0]), x, y, limits, *mean);
  }
  const auto& pool = std::get<Pool2dOp>(node.op);
  if (covers_input(pool, graph.tensor(node.inputs[0]).shape)) {
    return OnnxGlobalAveragePoolFunction{x.scale,      y.scale,    x.zero_point,
                                         y.zero_point, limits.min, limits.max};
  }
  return OnnxAveragePoolFunction{x.scale,
                                 y.scale,
                                 x.zero_point,
                                 y.zero_point,
                                 pool.count_include_pad ? pool.kernel_h * pool.kernel_w : 0,
                                 limits.min,
                                 limits.max};
}

}  // namespace

UnaryFunction unary_function(const Graph& graph, const Node& node, std::size_t input) {
  const Tensor& x = graph.tensor(node.inputs[input]);
  const Tensor& y = graph.tensor(node.outputs[0]);
  if (x.is_float()) {
    const QuantizedType out = quantized_type(y);
    return QuantizeFunction{out.scale, out.zero_point, out.format, graph.semantics == Semantics::tflite};
  }
  const QuantizedType in = quantized_type(x);
  if (y.is_float()) return DequantizeFunction{in.scale, in.zero_point};
  const QuantizedType out = quantized_type(y);
  if (const auto* op = std::get_if<UnaryOp>(&node.op)) return unary_table(*op, graph.semantics, in, out);
  if (std::holds_alternative<QuantizeOp>(node.op)) return rescale(graph, in, out);
  if (std::holds_alternative<ConcatOp>(node.op) && !(same_scale(in, out) && in.format == out.format)) {
    // TFLite's int16 concatenation copies the stored integers whatever their scales.
    const bool copies = graph.semantics == Semantics::tflite && in.format.bits > 8;
    if (!copies) return rescale(graph, in, out);
  }
  return CopyFunction{};
}

BinaryFunction binary_function(const Graph& graph, const Node& node) {
  const QuantizedType a = quantized_type(graph.tensor(node.inputs[0]));
  const QuantizedType b = quantized_type(graph.tensor(node.inputs[1]));
  const QuantizedType y = quantized_type(graph.tensor(node.outputs[0]));
  return graph.semantics == Semantics::tflite ? tflite_binary(graph, node, a, b, y)
                                              : onnx_binary(graph, node, a, b, y);
}

WindowFunction window_function(const Graph& graph, const Node& node) {
  const QuantizedType x = quantized_type(graph.tensor(node.inputs[0]));
  const QuantizedType y = quantized_type(graph.tensor(node.outputs[0]));
  const ClampLimits limits = clamp_limits(graph, node);
  const auto* pool = std::get_if<Pool2dOp>(&node.op);
  if (pool != nullptr && pool->kind == PoolKind::max) return MaxPoolFunction{limits.min, limits.max};
  if (graph.semantics == Semantics::onnx) return onnx_window(graph, node, x, y);
  if (pool != nullptr) return TfliteAveragePoolFunction{limits.min, limits.max};
  return make_tflite_mean(x, y, limits);
}

RowFunction row_function(const Graph& graph, const Node& node) {
  const Tensor& input = graph.tensor(node.inputs[0]);
  const QuantizedType x = quantized_type(input);
  const QuantizedType y = quantized_type(graph.tensor(node.outputs[0]));
  if (const auto* norm = std::get_if<LayerNormOp>(&node.op)) {
    return OnnxLayerNormFunction{x.scale, y.scale, x.zero_point, y.zero_point, y.format, norm->epsilon};
  }
  const auto& op = std::get<SoftmaxOp>(node.op);
  if (graph.semantics == Semantics::tflite) return make_tflite_softmax(x, y.format, op.beta);
  if (x.format.bits <= 8) return make_onnx_table_softmax(x, y, input.shape.back());
  return OnnxSoftmaxFunction{x.scale, y.scale, x.zero_point, y.zero_point, y.format};
}

}  // namespace qsim

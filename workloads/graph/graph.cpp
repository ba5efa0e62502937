#include "workloads/graph/graph.h"

#include "workloads/ops/unary.h"

namespace qsim {
namespace {

std::string_view name_of(const Graph& graph, const Node& node, const Conv2dOp& op) {
  const std::int64_t in_channels = graph.tensor(node.inputs[0]).shape.back();
  return op.groups > 1 && op.groups == in_channels ? "depthwise_conv2d" : "conv2d";
}
std::string_view name_of(const Graph&, const Node&, const TransposeConv2dOp&) {
  return "transpose_conv2d";
}
std::string_view name_of(const Graph&, const Node&, const FullyConnectedOp&) {
  return "fully_connected";
}
std::string_view name_of(const Graph&, const Node&, const MeanOp&) {
  return "mean";
}
std::string_view name_of(const Graph&, const Node&, const PadOp&) {
  return "pad";
}
std::string_view name_of(const Graph&, const Node&, const StridedSliceOp&) {
  return "strided_slice";
}
std::string_view name_of(const Graph&, const Node&, const ReshapeOp&) {
  return "reshape";
}
std::string_view name_of(const Graph&, const Node&, const TransposeOp&) {
  return "transpose";
}
std::string_view name_of(const Graph&, const Node&, const ConcatOp&) {
  return "concat";
}
std::string_view name_of(const Graph&, const Node&, const SoftmaxOp&) {
  return "softmax";
}
std::string_view name_of(const Graph&, const Node&, const QuantizeOp&) {
  return "quantize";
}
std::string_view name_of(const Graph&, const Node&, const DequantizeOp&) {
  return "dequantize";
}
std::string_view name_of(const Graph&, const Node&, const DynamicQuantizeOp&) {
  return "dynamic_quantize";
}
std::string_view name_of(const Graph&, const Node&, const MatMulOp&) {
  return "matmul";
}
std::string_view name_of(const Graph&, const Node&, const PReluOp&) {
  return "prelu";
}
std::string_view name_of(const Graph&, const Node&, const BatchNormOp&) {
  return "batch_norm";
}
std::string_view name_of(const Graph&, const Node&, const LayerNormOp&) {
  return "layer_norm";
}
std::string_view name_of(const Graph&, const Node&, const ResizeOp& op) {
  return op.mode == ResizeMode::nearest ? "resize_nearest" : "resize_linear";
}
std::string_view name_of(const Graph&, const Node&, const BinaryOp& op) {
  constexpr std::array<std::string_view, 7> kNames{"add", "sub", "mul", "div", "min", "max", "pow"};
  return kNames[static_cast<std::size_t>(op.kind)];
}
std::string_view name_of(const Graph&, const Node&, const Pool2dOp& op) {
  return op.kind == PoolKind::max ? "max_pool2d" : "average_pool2d";
}
std::string_view name_of(const Graph&, const Node&, const UnaryOp& op) {
  return unary_row(op.kind).name;
}

}  // namespace

std::string_view op_name(const Graph& graph, const Node& node) {
  return std::visit([&](const auto& op) { return name_of(graph, node, op); }, node.op);
}

bool is_float_node(const Graph& graph, const Node& node) {
  if (!graph.tensor(node.inputs[0]).is_float()) return false;
  return graph.tensor(node.outputs[0]).is_float() || std::holds_alternative<DynamicQuantizeOp>(node.op);
}

Shape dynamic_result_shape(DynamicResult result, const Shape& input) {
  const bool is_tensor = result == DynamicResult::values || result == DynamicResult::differences;
  return is_tensor ? input : Shape{};
}

std::optional<Quantization> dynamic_result_quantization(DynamicResult result) {
  if (result == DynamicResult::scale) return std::nullopt;
  const bool is_signed = result == DynamicResult::differences;
  return Quantization{is_signed ? 16 : 8, is_signed, {1.0F}, {0}, -1, 0};
}

std::int64_t mac_count(const Graph& graph, const Node& node) {
  if (std::holds_alternative<MatMulOp>(node.op)) {
    return element_count(graph.tensor(node.outputs[0]).shape) * graph.tensor(node.inputs[0]).shape.back();
  }
  const bool has_weights = std::holds_alternative<Conv2dOp>(node.op) ||
                           std::holds_alternative<TransposeConv2dOp>(node.op) ||
                           std::holds_alternative<FullyConnectedOp>(node.op);
  if (!has_weights) return 0;
  // Weights are [out_channels, reduction...], so that reduction length = elements / out_channels.
  const Shape& weights = graph.tensor(node.inputs[1]).shape;
  const std::int64_t reduction_length = element_count(weights) / weights[0];
  return element_count(graph.tensor(node.outputs[0]).shape) * reduction_length;
}

}  // namespace qsim

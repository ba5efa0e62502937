#include "workloads/readers/onnx/node_writer.h"

#include "workloads/execute/execute.h"

namespace qsim::onnx_write {
namespace {

/// Integers of 8 bits, which is what the quantized operators take.
bool is_byte(const Tensor& tensor) {
  return tensor.type == ElementType::i8 || tensor.type == ElementType::u8;
}

bool all_bytes(const Graph& graph, const Node& node) {
  const bool weights_too = mac_count(graph, node) > 0;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const bool is_bias = weights_too && i == 2;
    if (node.inputs[i] != kNoTensor && !is_bias && !is_byte(graph.tensor(node.inputs[i]))) return false;
  }
  return is_byte(graph.tensor(node.outputs[0]));
}

}  // namespace

void NodeWriter::refuse(const Node& node, const std::string& value, const std::string& expected,
                        const std::string& hint) const {
  throw InputError({graph_.source, node.place + " \"" + node.name + "\"", value, expected, hint});
}

void NodeWriter::write(const Node& node) {
  if (write_movement(node)) return;
  if (is_float_node(graph_, node)) return write_float_node(node);
  if (output(node).type == ElementType::i32) return write_integer_product(node);
  const bool is_integer = !input(node, 0).is_float() && !output(node).is_float();
  if (style_ == OnnxStyle::qoperator && is_integer && all_bytes(graph_, node) &&
      write_quantized_operator(node))
    return;
  write_between_conversions(node);
}

/// Images lie channels first, what has lost its height and width as the graph has it.
Layout NodeWriter::natural_layout(const Node& node) const {
  const std::size_t rank = output(node).shape.size();
  const bool makes_image =
      std::holds_alternative<Conv2dOp>(node.op) || std::holds_alternative<TransposeConv2dOp>(node.op) ||
      std::holds_alternative<Pool2dOp>(node.op) || std::holds_alternative<ResizeOp>(node.op);
  if (makes_image) return channels_first(rank);
  const bool as_given = std::holds_alternative<FullyConnectedOp>(node.op) ||
                        std::holds_alternative<MatMulOp>(node.op) ||
                        std::holds_alternative<LayerNormOp>(node.op);
  if (as_given) return graph_order(rank);
  for (const TensorId id : node.inputs) {
    if (id == kNoTensor || graph_.tensor(id).is_constant()) continue;
    const Layout layout = values_.defined_layout(id);
    if (graph_.tensor(id).shape.size() == rank && layout.size() == rank) return layout;
  }
  return graph_order(rank);
}

void NodeWriter::write_float_node(const Node& node) {
  const Layout layout = natural_layout(node);
  const Input input = [&](std::size_t i, const Layout& wanted) {
    const std::string value = values_.get_broadcast(node.inputs[i], wanted);
    const bool is_integer = graph_.tensor(node.inputs[i]).quantization.has_value();
    return is_integer ? values_.real(node.inputs[i], value, wanted) : value;
  };
  const std::string real = float_op(node, input, layout);
  const std::string defined = values_.define(node.outputs[0], layout);
  // The last operator writes into the tensor itself.
  builder_.model().mutable_graph()->mutable_node()->rbegin()->set_output(0, defined);
  static_cast<void>(real);
}

/// DequantizeLinear -> float operators -> QuantizeLinear.
void NodeWriter::write_between_conversions(const Node& node) {
  const bool is_product = std::holds_alternative<FullyConnectedOp>(node.op) && !input(node, 0).is_float();
  if (is_product && (is_byte(output(node)) || !clamps(node))) return write_gemm_between_conversions(node);
  const Layout layout = natural_layout(node);
  const Input input = [&](std::size_t i, const Layout& wanted) {
    const TensorId id = node.inputs[i];
    const std::string value = values_.get_broadcast(id, wanted);
    return graph_.tensor(id).is_float() ? value : values_.real(id, value, wanted);
  };
  const bool is_dequantize = std::holds_alternative<DequantizeOp>(node.op);
  if (is_dequantize) {
    const std::string value = values_.get(node.inputs[0], layout);
    builder_.node("DequantizeLinear", node.name,
                  {value, values_.scale(node.inputs[0]), values_.zero_point(node.inputs[0])},
                  values_.define(node.outputs[0], layout));
    return;
  }
  const bool is_quantize = std::holds_alternative<QuantizeOp>(node.op);
  const std::string real = is_quantize ? input(0, layout) : float_op(node, input, layout);
  // Clip takes no 16-bit integers: real bounds on the steps, which the conversion rounds to themselves.
  std::string clamped = real;
  if (clamps(node) && !is_byte(output(node))) {
    const ClampRange clamp = output_clamp(graph_, node);
    const Quantization& q = *output(node).quantization;
    const auto bound = [&](std::int32_t limit) {
      return static_cast<float>(limit - q.zero_point()) * q.scale();
    };
    clamped = clipped(node, real, bound(clamp.min), bound(clamp.max));
  }
  const std::string value = begin_output(node, layout);
  builder_.node("QuantizeLinear", is_quantize ? node.name : node.name + "#quantize",
                {clamped, values_.scale(node.outputs[0]), values_.zero_point(node.outputs[0])}, value);
  finish_output(node, value);
}

/// Integers are reshaped, before and behind, so that nothing stands between the product and its conversions.
void NodeWriter::write_gemm_between_conversions(const Node& node) {
  const Shape& w = input(node, 1).shape;
  const Shape& x_shape = input(node, 0).shape;
  const Shape matrix{element_count(x_shape) / w[1], w[1]};
  const Shape product{matrix[0], w[0]};
  std::string x = values_.get(node.inputs[0], graph_order(x_shape.size()));
  if (x_shape != matrix) {
    const std::string reshaped = temporary(node, "#rows");
    builder_.node("Reshape", node.name + "#reshape",
                  {x, builder_.integers(node.name + "#rows_shape", matrix)}, reshaped);
    x = reshaped;
  }
  const Layout rows = graph_order(2);
  std::vector<std::string> inputs{values_.real(node.inputs[0], x, rows),
                                  values_.real(node.inputs[1], values_.get(node.inputs[1], rows), rows)};
  if (has_input(node, 2)) inputs.push_back(bias_value(node));
  const std::string real = temporary(node, "#y");
  set_int(builder_.node("Gemm", node.name, inputs, real), "transB", 1);
  const std::string y = begin_output(node, graph_order(output(node).shape.size()));
  const bool is_matrix = output(node).shape == product;
  const std::string integers = is_matrix ? y : temporary(node, "#product");
  builder_.node("QuantizeLinear", node.name + "#quantize",
                {real, values_.scale(node.outputs[0]), values_.zero_point(node.outputs[0])}, integers);
  if (!is_matrix) {
    builder_.node("Reshape", node.name + "#reshape_output",
                  {integers, builder_.integers(node.name + "#output_shape", output(node).shape)}, y);
  }
  finish_output(node, y);
}

/// The graph clamps to the limits of the bit width and of the fused activation, ONNX to those of the type.
bool NodeWriter::clamps(const Node& node) const {
  const ClampRange clamp = output_clamp(graph_, node);
  const Quantization& q = *output(node).quantization;
  const int type_bits = static_cast<int>(8 * element_size_bytes(output(node).type));
  const arithmetic::IntegerFormat whole{type_bits, q.is_signed};
  return clamp.min > whole.min() || clamp.max < whole.max();
}

std::string NodeWriter::begin_output(const Node& node, const Layout& layout) {
  return clamps(node) && is_byte(output(node)) ? temporary(node, "#unclamped")
                                               : values_.define(node.outputs[0], layout);
}

/// Clip of stored integers: the same as clamping before the zero point is added.
void NodeWriter::finish_output(const Node& node, const std::string& value) {
  if (!clamps(node) || !is_byte(output(node))) return;
  const Layout layout = natural_layout(node);
  const ClampRange clamp = output_clamp(graph_, node);
  const auto bound = [&](const char* suffix, std::int32_t limit) {
    TensorData data(output(node).type, {});
    data.set(0, limit);
    return builder_.constant(node.name + suffix, data);
  };
  builder_.node("Clip", node.name + "#clamp",
                {value, bound("#least", clamp.min), bound("#greatest", clamp.max)},
                values_.define(node.outputs[0], layout));
}

}  // namespace qsim::onnx_write

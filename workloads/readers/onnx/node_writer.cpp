#include "workloads/readers/onnx/node_writer.h"

#include "workloads/readers/onnx/operator_table.h"

namespace qsim::onnx_format {
namespace {

bool all_bytes(const Graph& graph, const Node& node) {
  const bool weights_too = mac_count(graph, node) > 0;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const bool is_bias = weights_too && i == 2;
    if (node.inputs[i] != kNoTensor && !is_bias && !is_byte(graph.tensor(node.inputs[i]))) return false;
  }
  return is_byte(graph.tensor(node.outputs[0]));
}

/// The node as float operators, from real inputs to a real output in `layout`.
std::string write_real(WriteContext& writer, const Node& node, const OperationWriter& row,
                       const RealInput& input, const Layout& layout) {
  if (row.real == nullptr) {
    writer.refuse(node, std::string(op_name(writer.graph, node)), "an operation that ONNX has on these types",
                  "");
  }
  return row.real(writer, node, input, layout);
}

void write_float_node(WriteContext& writer, const Node& node, const OperationWriter& row) {
  const Layout layout = writer.natural_layout(node);
  const RealInput input = [&](std::size_t i, const Layout& wanted) {
    const std::string value = writer.values.get_broadcast(node.inputs[i], wanted);
    const bool is_integer = writer.graph.tensor(node.inputs[i]).quantization.has_value();
    return is_integer ? writer.values.real(node.inputs[i], value, wanted) : value;
  };
  static_cast<void>(write_real(writer, node, row, input, layout));
  // The last operator writes into the tensor itself.
  writer.builder.set_last_output(writer.values.define(node.outputs[0], layout));
}

/// DequantizeLinear -> float operators -> QuantizeLinear.
void write_between_conversions(WriteContext& writer, const Node& node, const OperationWriter& row) {
  if (row.conversion != nullptr && row.conversion(writer, node)) return;
  const Layout layout = writer.natural_layout(node);
  const RealInput input = [&](std::size_t i, const Layout& wanted) {
    return writer.real_input(node, i, wanted);
  };
  const std::string real = write_real(writer, node, row, input, layout);
  writer.quantize_output(node, real, node.name + "#quantize", layout);
}

}  // namespace

void write_node(WriteContext& writer, const Node& node) {
  if (node.requantization)
    writer.refuse(node, "factors, summands or limits of a quantizer of QONNX", "scale and zero point alone",
                  "keep the model as it is");
  static const OperationWriter kNothing;
  const OperationWriter* found = find_writer(node.op);
  const OperationWriter& row = found != nullptr ? *found : kNothing;
  for (const TensorId id : node.inputs) {
    if (id == kNoTensor || !writer.graph.tensor(id).quantization) continue;
    if (!writer.graph.tensor(id).quantization->has_groups()) continue;
    writer.refuse(node, "weights with a scale a group", "one scale a tensor or one a channel",
                  "write a workload in JSON");
  }
  if (row.movement != nullptr && row.movement(writer, node)) return;
  if (is_float_node(writer.graph, node)) return write_float_node(writer, node, row);
  if (writer.output(node).type == ElementType::i32) {
    if (row.accumulators == nullptr)
      writer.refuse(node, "32-bit results of this operation", "results of 8 or 16 bits", "");
    return row.accumulators(writer, node);
  }
  const bool is_integer = !writer.input(node, 0).is_float() && !writer.output(node).is_float();
  if (writer.style == OnnxStyle::qoperator && is_integer && all_bytes(writer.graph, node) &&
      row.quantized != nullptr && row.quantized(writer, node))
    return;
  write_between_conversions(writer, node, row);
}

}  // namespace qsim::onnx_format

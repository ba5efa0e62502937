#include "workloads/readers/onnx/write_context.h"

#include "workloads/execute/execute.h"
#include "workloads/readers/onnx/operator_table.h"

namespace qsim::onnx_format {

bool is_byte(const Tensor& tensor) {
  return tensor.type == ElementType::i8 || tensor.type == ElementType::u8;
}

bool same_stored_quantization(const Tensor& a, const Tensor& b) {
  if (!a.quantization || !b.quantization) return a.quantization.has_value() == b.quantization.has_value();
  return a.type == b.type && a.quantization->scales == b.quantization->scales &&
         a.quantization->zero_points == b.quantization->zero_points;
}

void append(std::vector<std::string>& inputs, const std::vector<std::string>& more) {
  inputs.insert(inputs.end(), more.begin(), more.end());
}

/// Images lie channels first, what has lost its height and width as the graph has it.
Layout WriteContext::natural_layout(const Node& node) const {
  const std::size_t rank = output(node).shape.size();
  const OperationWriter* writer = find_writer(node.op);
  const ResultLayout wanted = writer != nullptr ? writer->layout : ResultLayout::inherited;
  if (wanted == ResultLayout::image) return channels_first(rank);
  if (wanted == ResultLayout::graph) return graph_order(rank);
  for (const TensorId id : node.inputs) {
    if (id == kNoTensor || graph.tensor(id).is_constant()) continue;
    const Layout layout = values.defined_layout(id);
    if (graph.tensor(id).shape.size() == rank && layout.size() == rank) return layout;
  }
  return graph_order(rank);
}

std::string WriteContext::integer_bias(const Node& node) {
  const TensorData& bias = *input(node, 2).data;
  TensorData narrow(ElementType::i32, {bias.size()});
  for (std::int64_t i = 0, count = bias.size(); i < count; ++i) {
    narrow.set(i, bias.at(i));
    if (narrow.at(i) != bias.at(i))
      refuse(node, "a bias of more than 32 bits", "32 bits", "biases of ONNX have 32 bits");
  }
  return builder.constant(input(node, 2).name, narrow, true);
}

std::string WriteContext::real_input(const Node& node, std::size_t i, const Layout& layout) {
  const TensorId id = node.inputs[i];
  const std::string value = values.get_broadcast(id, layout);
  return graph.tensor(id).is_float() ? value : values.real(id, value, layout);
}

/// Clip takes no 16-bit integers: real bounds on the steps, which the conversion rounds to themselves.
void WriteContext::quantize_output(const Node& node, const std::string& real, const std::string& name,
                                   const Layout& layout) {
  std::string clamped = real;
  if (clamps(node) && !is_byte(output(node))) {
    const ClampRange clamp = output_clamp(graph, node);
    const Quantization& q = *output(node).quantization;
    const auto bound = [&](std::int32_t limit) {
      return static_cast<float>(limit - q.zero_point()) * q.scale();
    };
    clamped = clipped(node, real, bound(clamp.min), bound(clamp.max));
  }
  const std::string value = begin_output(node, layout);
  builder.node("QuantizeLinear", name,
               {clamped, values.scale(node.outputs[0]), values.zero_point(node.outputs[0])}, value);
  finish_output(node, value);
}

void WriteContext::refuse(const Node& node, const std::string& value, const std::string& expected,
                          const std::string& hint) const {
  throw InputError({graph.source, node.place + " \"" + node.name + "\"", value, expected, hint});
}

std::vector<std::string> WriteContext::quantized_operand(TensorId id, const std::string& value) {
  return {value, values.scale(id), values.zero_point(id)};
}

bool WriteContext::clamps(const Node& node) const {
  const ClampRange clamp = output_clamp(graph, node);
  const Quantization& q = *output(node).quantization;
  const int type_bits = static_cast<int>(8 * element_size_bytes(output(node).type));
  const arithmetic::IntegerFormat whole{type_bits, q.is_signed};
  return clamp.min > whole.min() || clamp.max < whole.max();
}

std::string WriteContext::begin_output(const Node& node, const Layout& layout) {
  return clamps(node) && is_byte(output(node)) ? temporary(node, "#unclamped")
                                               : values.define(node.outputs[0], layout);
}

void WriteContext::finish_output(const Node& node, const std::string& value) {
  if (!clamps(node) || !is_byte(output(node))) return;
  const Layout layout = natural_layout(node);
  const ClampRange clamp = output_clamp(graph, node);
  const auto bound = [&](const char* suffix, std::int32_t limit) {
    TensorData data(output(node).type, {});
    data.set(0, limit);
    return builder.constant(node.name + suffix, data);
  };
  builder.node("Clip", node.name + "#clamp",
               {value, bound("#least", clamp.min), bound("#greatest", clamp.max)},
               values.define(node.outputs[0], layout));
}

std::string WriteContext::clipped(const Node& node, const std::string& value, std::optional<float> low,
                                  std::optional<float> high) {
  const std::string y = temporary(node, "#clipped");
  std::vector<std::string> inputs{value, low ? builder.scalar(node.name + "#low", *low) : ""};
  if (high) inputs.push_back(builder.scalar(node.name + "#high", *high));
  builder.node("Clip", node.name + "#clip", inputs, y);
  return y;
}

std::string WriteContext::activated(const Node& node, Activation activation, const std::string& value) {
  if (!is_float_node(graph, node)) return value;
  switch (activation) {
    case Activation::none:
      return value;
    case Activation::relu: {
      const std::string y = temporary(node, "#relu");
      builder.node("Relu", node.name + "#relu", {value}, y);
      return y;
    }
    case Activation::relu6:
      return clipped(node, value, 0.0F, 6.0F);
    case Activation::relu_n1_to_1:
      return clipped(node, value, -1.0F, 1.0F);
  }
  return value;
}

std::string WriteContext::bias_value(const Node& node) {
  const TensorId id = node.inputs[2];
  const Tensor& tensor = graph.tensor(id);
  TensorData data = *tensor.data;
  data.shape = {data.size()};
  if (tensor.is_float()) return builder.constant(tensor.name, data, true);
  TensorData narrow(ElementType::i32, data.shape);
  for (std::int64_t i = 0; i < data.size(); ++i) {
    narrow.set(i, data.at(i));
    if (narrow.at(i) != data.at(i)) {
      refuse(node, "bias element " + std::to_string(i) + " = " + std::to_string(data.at(i)), "32 bits",
             "biases of ONNX have 32 bits");
    }
  }
  const std::string integers = builder.constant(tensor.name, narrow, true);
  const Quantization& w = *input(node, 1).quantization;
  std::vector<float> scales;
  for (const float scale : w.scales) scales.push_back(input(node, 0).quantization->scale() * scale);
  const std::string scale = scales.size() == 1 ? builder.scalar(tensor.name + "#scale", scales[0])
                                               : builder.floats(tensor.name + "#scale", scales);
  TensorData zeros(ElementType::i32,
                   scales.size() == 1 ? Shape{} : Shape{static_cast<std::int64_t>(scales.size())});
  const std::string real = builder.unique_value(tensor.name + "#real");
  auto& dequantize =
      builder.node("DequantizeLinear", tensor.name + "#dequantize",
                   {integers, scale, builder.constant(tensor.name + "#zero_point", zeros)}, real);
  if (scales.size() > 1) set_int(dequantize, "axis", 0);
  return real;
}

}  // namespace qsim::onnx_format

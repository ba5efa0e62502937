// What the users of a value want of it: channels last, or a scale for integers that come without one.
#include <algorithm>
#include <array>
#include <string_view>

#include "workloads/readers/onnx/graph_builder.h"
#include "workloads/readers/onnx/quantized_operators.h"

namespace qsim::onnx_format {
namespace {

template <std::size_t N>
bool is_one_of(const std::string& op, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), op) != names.end();
}

/// Works on height, width and channels.
bool is_spatial(const std::string& op) {
  constexpr std::array<std::string_view, 11> kNames{"Conv",
                                                    "ConvTranspose",
                                                    "ConvInteger",
                                                    "MaxPool",
                                                    "AveragePool",
                                                    "Resize",
                                                    "GlobalAveragePool",
                                                    "GlobalMaxPool",
                                                    "BatchNormalization",
                                                    "DepthToSpace",
                                                    "SpaceToDepth"};
  return is_one_of(op, kNames);
}

/// Computes element by element, or along any dimension.
bool keeps_order(const std::string& op) {
  constexpr std::array<std::string_view, 45> kNames{"Add",
                                                    "Sub",
                                                    "Mul",
                                                    "Div",
                                                    "Min",
                                                    "Max",
                                                    "Pow",
                                                    "Relu",
                                                    "LeakyRelu",
                                                    "PRelu",
                                                    "Sigmoid",
                                                    "Tanh",
                                                    "Clip",
                                                    "Elu",
                                                    "HardSwish",
                                                    "HardSigmoid",
                                                    "Gelu",
                                                    "Erf",
                                                    "Exp",
                                                    "Log",
                                                    "Sqrt",
                                                    "Neg",
                                                    "Abs",
                                                    "Floor",
                                                    "Ceil",
                                                    "Reciprocal",
                                                    "Softplus",
                                                    "Concat",
                                                    "Split",
                                                    "Slice",
                                                    "Pad",
                                                    "Identity",
                                                    "Dropout",
                                                    "Cast",
                                                    "ReduceMean",
                                                    "Softmax",
                                                    "FastGelu",
                                                    "QuickGelu",
                                                    "LogSoftmax",
                                                    "QuantizeLinear",
                                                    "DequantizeLinear",
                                                    "DynamicQuantizeLinear",
                                                    "Gather",
                                                    "Transpose",
                                                    "Where"};
  return is_one_of(op, kNames);
}

}  // namespace

void GraphBuilder::find_wishes() {
  const std::vector<std::size_t>& order = model_.order();
  for (auto node_index = order.rbegin(); node_index != order.rend(); ++node_index) {
    const OnnxNode& node = model_.model().nodes[*node_index];
    const std::optional<QuantizedOperator> quantized = quantized_operator(node);
    const std::string& op = quantized ? quantized->plain : node.op_type;
    const auto output = wishes_.find(node.outputs.front());
    const Wish inherited = output == wishes_.end() ? Wish{} : output->second;
    const bool has_nhwc =
        std::any_of(node.attributes.begin(), node.attributes.end(), [](const OnnxAttribute& a) {
          const auto* value = std::get_if<std::int64_t>(&a.value);
          return a.name == "channels_last" && value != nullptr && *value != 0;
        });
    const bool is_transpose = op == "Transpose";  // Moves anyway, whatever its input's order.
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i].empty()) continue;
      Wish& wish = wishes_[node.inputs[i]];
      if ((is_spatial(op) && i == 0 && !has_nhwc) ||
          (keeps_order(op) && !is_transpose && inherited.channels_last))
        wish.channels_last = true;
      if (i == 0 && moves_integers(node) && !inherited.scale.empty())
        wish = {wish.channels_last, inherited.scale, inherited.zero_point};
    }
    state_scales(node, quantized);
  }
}

/// Nodes come last to first, so that the first user's word stands in the end.
void GraphBuilder::state_scales(const OnnxNode& node, const std::optional<QuantizedOperator>& quantized) {
  std::vector<QuantizedOperand> operands;
  if (quantized) operands = quantized->operands;
  if (node.op_type == "DequantizeLinear" && node.inputs.size() >= 2) operands = {{0, 1, 2}};
  for (const QuantizedOperand& operand : operands) {
    if (!operand.scale) continue;
    Wish& wish = wishes_[node.inputs[operand.value]];
    wish.scale = node.inputs[*operand.scale];
    wish.zero_point = operand.zero_point < node.inputs.size() ? node.inputs[operand.zero_point] : "";
  }
}

bool GraphBuilder::wants_channels_last(const std::string& value) const {
  const auto found = wishes_.find(value);
  return found != wishes_.end() && found->second.channels_last;
}

std::optional<Quantization> GraphBuilder::stated_quantization(const std::string& value, OnnxType type,
                                                              const Shape& shape) {
  const auto found = wishes_.find(value);
  if (found == wishes_.end() || found->second.scale.empty()) return std::nullopt;
  // An input has one scale or none; a user with another kind says what is wrong, or converts slice by slice.
  if (!is_constant(found->second.scale) || constant(found->second.scale)->size() != 1) return std::nullopt;
  return quantization(found->second.scale, found->second.zero_point, type, shape, -1,
                      "graph input \"" + value + "\"");
}

}  // namespace qsim::onnx_format

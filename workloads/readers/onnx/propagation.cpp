// What the users of a value want of it: channels last, or a scale for integers that come without one.
#include <algorithm>

#include "workloads/readers/onnx/graph_builder.h"
#include "workloads/readers/onnx/operator_table.h"

namespace qsim::onnx_format {

void GraphBuilder::find_wishes() {
  const std::vector<std::size_t>& order = model_.order();
  for (auto node_index = order.rbegin(); node_index != order.rend(); ++node_index) {
    const OnnxNode& node = model_.model().nodes[*node_index];
    const OperatorMeaning meaning = meaning_of(node);
    const DimensionUse use = meaning.row != nullptr ? meaning.row->dimensions : DimensionUse::own;
    const bool moves =
        !meaning.quantized && meaning.row != nullptr && meaning.row->integers == IntegerUse::moves;
    const auto output = wishes_.find(node.outputs.front());
    const Wish inherited = output == wishes_.end() ? Wish{} : output->second;
    const bool has_nhwc =
        std::any_of(node.attributes.begin(), node.attributes.end(), [](const OnnxAttribute& a) {
          const auto* value = std::get_if<std::int64_t>(&a.value);
          return a.name == "channels_last" && value != nullptr && *value != 0;
        });
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i].empty()) continue;
      Wish& wish = wishes_[node.inputs[i]];
      const bool is_image = use == DimensionUse::spatial && i == 0 && !has_nhwc;
      if (is_image || (use == DimensionUse::any && inherited.channels_last)) wish.channels_last = true;
      if (i == 0 && moves && !inherited.scale.empty())
        wish = {wish.channels_last, inherited.scale, inherited.zero_point};
    }
    state_scales(node, meaning);
  }
}

/// Nodes come last to first, so that the first user's word stands in the end.
void GraphBuilder::state_scales(const OnnxNode& node, const OperatorMeaning& meaning) {
  std::vector<QuantizedOperand> operands;
  if (meaning.quantized) operands = meaning.quantized->operands;
  if (is_dequantize(node) && node.inputs.size() >= 2) operands = {{0, 1, 2}};
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

void GraphBuilder::share_wishes(const std::string& value, const std::string& with) {
  const auto found = wishes_.find(with);
  if (found != wishes_.end()) wishes_[value] = Wish(found->second);
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

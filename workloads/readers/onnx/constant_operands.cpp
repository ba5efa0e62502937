#include "workloads/readers/onnx/constant_operands.h"

#include <algorithm>

#include "workloads/readers/onnx/operator_table.h"

namespace qsim::onnx_format {

bool takes_constant(const OnnxNode& node, std::size_t index) {
  const OperatorMeaning meaning = meaning_of(node);
  if (meaning.row == nullptr) return false;
  if (!meaning.quantized) return index >= meaning.row->first_constant;
  // Scales and zero points are constants; of the values those that the plain operator wants so.
  const std::vector<QuantizedOperand>& operands = meaning.quantized->operands;
  const auto data =
      std::ranges::find_if(operands, [&](const QuantizedOperand& operand) { return operand.value == index; });
  return data == operands.end() ||
         static_cast<std::size_t>(data - operands.begin()) >= meaning.row->first_constant;
}

bool is_parameter(const ModelGraph& model, const std::string& value) {
  const std::vector<std::size_t>& users = model.consumers(value);
  const auto takes_it = [&](std::size_t user) {
    const OnnxNode& node = model.model().nodes[user];
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == value && !takes_constant(node, i)) return false;
    }
    return true;
  };
  return !users.empty() && !model.is_output(value) && std::all_of(users.begin(), users.end(), takes_it);
}

}  // namespace qsim::onnx_format

#include "workloads/readers/onnx/constant_operands.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

#include "workloads/readers/onnx/quantized_operators.h"

namespace qsim::onnx_format {
namespace {

struct OperandRow {
  std::string_view name;
  std::size_t first;  ///< Operands from here on are constants.
};

constexpr std::array kRows{
    OperandRow{"QuantizeLinear", 1},
    OperandRow{"DequantizeLinear", 1},
    OperandRow{"Conv", 1},
    OperandRow{"ConvTranspose", 1},
    OperandRow{"Gemm", 2},
    OperandRow{"BatchNormalization", 1},
    OperandRow{"LayerNormalization", 1},
    OperandRow{"PRelu", 1},
    OperandRow{"Reshape", 1},
    OperandRow{"Squeeze", 1},
    OperandRow{"Unsqueeze", 1},
    OperandRow{"Slice", 1},
    OperandRow{"Split", 1},
    OperandRow{"Pad", 1},
    OperandRow{"Clip", 1},
    OperandRow{"Resize", 1},
    OperandRow{"Upsample", 1},
    OperandRow{"Gather", 1},
    OperandRow{"Expand", 1},
    OperandRow{"ReduceMean", 1},
    OperandRow{"ReduceSum", 1},
    OperandRow{"ReduceMax", 1},
    OperandRow{"ReduceMin", 1},
    OperandRow{"InstanceNormalization", 1},
    OperandRow{"Dropout", 1},
    OperandRow{"ConstantOfShape", 0},
    OperandRow{"Range", 0},
};

}  // namespace

bool takes_constant(const OnnxNode& node, std::size_t index) {
  if (const std::optional<QuantizedOperator> quantized = quantized_operator(node)) {
    const std::vector<QuantizedOperand>& operands = quantized->operands;
    const auto data = std::find_if(operands.begin(), operands.end(),
                                   [&](const QuantizedOperand& operand) { return operand.value == index; });
    if (data == operands.end()) return true;
    return data != operands.begin() && quantized->plain == "Conv";
  }
  const auto* row = std::find_if(kRows.begin(), kRows.end(),
                                 [&](const OperandRow& candidate) { return candidate.name == node.op_type; });
  return row != kRows.end() && index >= row->first;
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

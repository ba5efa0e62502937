#include "workloads/readers/onnx/quantized_operators.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace qsim::onnx_format {
namespace {

constexpr const char* kMicrosoft = "com.microsoft";

struct OperatorRow {
  const char* domain;
  const char* name;
  const char* plain;
  std::size_t operand_count;
  std::size_t bias;  ///< 0: none.
  std::size_t output_scale;
};

// Operands come as value, scale, zero point one after the other; the zero point of the output follows its
// scale.
constexpr std::array kOperators{
    OperatorRow{"", "QLinearConv", "Conv", 2, 8, 6},
    OperatorRow{"", "QLinearMatMul", "MatMul", 2, 0, 6},
    OperatorRow{kMicrosoft, "QLinearConv", "Conv", 2, 8, 6},
    OperatorRow{kMicrosoft, "QGemm", "Gemm", 2, 6, 7},
    OperatorRow{kMicrosoft, "QLinearAdd", "Add", 2, 0, 6},
    OperatorRow{kMicrosoft, "QLinearMul", "Mul", 2, 0, 6},
    OperatorRow{kMicrosoft, "QLinearAveragePool", "AveragePool", 1, 0, 3},
    OperatorRow{kMicrosoft, "QLinearGlobalAveragePool", "GlobalAveragePool", 1, 0, 3},
    OperatorRow{kMicrosoft, "QLinearLeakyRelu", "LeakyRelu", 1, 0, 3},
    OperatorRow{kMicrosoft, "QLinearSigmoid", "Sigmoid", 1, 0, 3},
    OperatorRow{kMicrosoft, "QLinearSoftmax", "Softmax", 1, 0, 3},
    OperatorRow{kMicrosoft, "QLinearReduceMean", "ReduceMean", 1, 0, 3},
};

QuantizedOperator concatenation(const OnnxNode& node) {
  QuantizedOperator op{"Concat", {}, {}, 0, 1};
  for (std::size_t i = 2; i + 2 < node.inputs.size(); i += 3) op.operands.push_back({i, i + 1, i + 2});
  return op;
}

/// ConvInteger, MatMulInteger: values a, b, then their zero points, which may be absent.
QuantizedOperator integer_product(const char* plain) {
  return {plain, {{0, std::nullopt, 2}, {1, std::nullopt, 3}}, {}, {}, 0};
}

}  // namespace

std::optional<QuantizedOperator> quantized_operator(const OnnxNode& node) {
  if (node.domain == kMicrosoft && node.op_type == "QLinearConcat")
    return node.inputs.size() >= 5 && node.inputs.size() % 3 == 2 ? std::optional(concatenation(node))
                                                                  : std::nullopt;
  if (node.domain.empty() && node.inputs.size() >= 2) {
    if (node.op_type == "ConvInteger") return integer_product("Conv");
    if (node.op_type == "MatMulInteger") return integer_product("MatMul");
  }
  if (node.domain == kMicrosoft && node.op_type == "MatMulInteger16" && node.inputs.size() == 2)
    return integer_product("MatMul");
  const auto* row = std::find_if(kOperators.begin(), kOperators.end(), [&](const OperatorRow& candidate) {
    return node.domain == candidate.domain && node.op_type == candidate.name;
  });
  if (row == kOperators.end() || node.inputs.size() <= row->output_scale) return std::nullopt;
  QuantizedOperator op{row->plain, {}, {}, row->output_scale, row->output_scale + 1};
  for (std::size_t i = 0; i < row->operand_count; ++i) op.operands.push_back({3 * i, 3 * i + 1, 3 * i + 2});
  if (row->bias != 0 && row->bias < node.inputs.size() && !node.inputs[row->bias].empty())
    op.bias = row->bias;
  return op;
}

bool moves_integers(const OnnxNode& node) {
  constexpr std::array kMovers{"MaxPool",  "Reshape", "Flatten",      "Transpose",   "Squeeze", "Unsqueeze",
                               "Identity", "Concat",  "Split",        "Slice",       "Pad",     "Resize",
                               "Dropout",  "Gather",  "DepthToSpace", "SpaceToDepth"};
  return node.domain.empty() && std::find(kMovers.begin(), kMovers.end(), node.op_type) != kMovers.end();
}

}  // namespace qsim::onnx_format

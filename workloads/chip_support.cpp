#include "workloads/chip_support.h"

#include "workloads/error.h"

namespace qsim {
namespace {

bool has_integer_arithmetic(const UnaryOp& op) {
  return op.kind <= UnaryKind::relu_n1_to_1;
}
bool has_integer_arithmetic(const BinaryOp& op) {
  return op.kind <= BinaryKind::mul;
}
bool has_integer_arithmetic(const Pool2dOp& op) {
  return !op.count_include_pad;
}
bool has_integer_arithmetic(const MatMulOp&) {
  return false;
}
bool has_integer_arithmetic(const PReluOp&) {
  return false;
}
bool has_integer_arithmetic(const BatchNormOp&) {
  return false;
}
bool has_integer_arithmetic(const LayerNormOp&) {
  return false;
}
bool has_integer_arithmetic(const ResizeOp&) {
  return false;
}
template <typename OtherOp>
bool has_integer_arithmetic(const OtherOp&) {
  return true;
}

}  // namespace

std::string chip_obstacle(const Graph& graph, const Node& node) {
  if (is_float_node(graph, node)) return "float tensors, which the chip has no arithmetic for";
  const bool supported = std::visit([](const auto& op) { return has_integer_arithmetic(op); }, node.op);
  return supported ? "" : "no integer arithmetic for this operation";
}

void require_chip_support(const Graph& graph, const Node& node) {
  const std::string obstacle = chip_obstacle(graph, node);
  if (obstacle.empty()) return;
  throw InputError({graph.source, node.place + " \"" + node.name + "\"",
                    std::string(op_name(graph, node)) + ": " + obstacle,
                    "an operation that the chip computes",
                    "quantize the operation, or run the network up to it with --until"});
}

}  // namespace qsim

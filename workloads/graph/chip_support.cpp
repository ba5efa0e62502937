#include "workloads/graph/chip_support.h"

#include "base/error.h"
#include "workloads/ops/unary.h"

namespace qsim {
namespace {

/// Why there is no integer arithmetic for an operation on these tensors, or "".
class Obstacle {
 public:
  Obstacle(const Graph& graph, const Node& node)
      : onnx_(graph.semantics == Semantics::onnx),
        repeats_first_(first_matrices(graph, node) > 1 &&
                       first_matrices(graph, node) != output_matrices(graph, node)),
        input_(type_of(graph, node.inputs[0])),
        output_(type_of(graph, node.outputs[0])) {}

  std::string operator()(const UnaryOp& op) const {
    return unary_obstacle(op, onnx_ ? Semantics::onnx : Semantics::tflite, input_, output_);
  }
  std::string operator()(const BinaryOp& op) const {
    return op.kind == BinaryKind::div || op.kind == BinaryKind::pow ? kNone : "";
  }
  std::string operator()(const Pool2dOp& op) const { return op.count_include_pad && !onnx_ ? kOnnxOnly : ""; }
  std::string operator()(const LayerNormOp&) const { return onnx_ ? "" : kOnnxOnly; }
  std::string operator()(const BatchNormOp&) const { return kNone; }
  std::string operator()(const SoftmaxOp& op) const { return op.logarithm ? kNone : ""; }
  std::string operator()(const MatMulOp&) const {
    return repeats_first_ ? "a first operand of several matrices that are repeated" : "";
  }
  template <typename OtherOp>
  std::string operator()(const OtherOp&) const {
    return {};
  }

 private:
  static constexpr const char* kNone = "no integer arithmetic for this operation";
  static constexpr const char* kOnnxOnly = "integer arithmetic with \"onnx\" semantics only";

  /// Matrices in an operand of a product, 0 of another operation.
  static std::int64_t matrices(const Node& node, const Shape& shape) {
    if (!std::holds_alternative<MatMulOp>(node.op)) return 0;
    return element_count(shape) / (shape[shape.size() - 2] * shape.back());
  }
  static std::int64_t first_matrices(const Graph& graph, const Node& node) {
    return matrices(node, graph.tensor(node.inputs[0]).shape);
  }
  static std::int64_t output_matrices(const Graph& graph, const Node& node) {
    return matrices(node, graph.tensor(node.outputs[0]).shape);
  }

  static arithmetic::QuantizedType type_of(const Graph& graph, TensorId id) {
    const auto& q = graph.tensor(id).quantization;
    return q ? arithmetic::QuantizedType{q->format(), q->scale(), q->zero_point()}
             : arithmetic::QuantizedType{{}, 1.0F, 0};
  }

  bool onnx_;
  bool repeats_first_;
  arithmetic::QuantizedType input_, output_;
};

}  // namespace

std::string chip_obstacle(const Graph& graph, const Node& node) {
  if (is_float_node(graph, node)) return "";  // The host computes it.
  return std::visit(Obstacle(graph, node), node.op);
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

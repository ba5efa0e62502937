// Product of two activations on the MAC array.
#include "workloads/ops/definition.h"
#include "workloads/ops/fields.h"
#include "workloads/ops/node_check.h"

namespace qsim {
namespace {

const std::array kMatMulForms{OpForm{
    "matmul",
    "Product of two tensors over their last two dimensions, leading ones broadcast: [.., M, K] by [.., "
    "K, N].",
    MatMulOp{}}};

void matmul_fields(MatMulOp& op, OpFields& fields) {
  fields.boolean({"transpose_b", "The second is [.., N, K]."}, op.transpose_b, false);
}

InferredShape matmul_shape(const MatMulOp& op, std::span<const Shape> inputs, const std::optional<Shape>&) {
  const Shape& a = inputs[0];
  const Shape& b = inputs[1];
  if (a.size() < 2 || b.size() < 2) return wrong_shape("two operands of at least 2 dimensions");
  const std::int64_t depth = b[b.size() - (op.transpose_b ? 1 : 2)];
  if (depth != a.back()) {
    return wrong_shape("operands that agree in the reduced dimension, not " + to_string(a) + " and " +
                       to_string(b));
  }
  InferredShape result = broadcast_shapes({a.begin(), a.end() - 2}, {b.begin(), b.end() - 2});
  result.shape.push_back(a[a.size() - 2]);
  result.shape.push_back(b[b.size() - (op.transpose_b ? 2 : 1)]);
  return result;
}

void check_matmul(const MatMulOp& /*op*/, NodeCheck& check) {
  check.expect_activation(check.input(0));
  check.expect_activation(check.input(1));
  check.expect_mac_output();
  const InferredShape inferred = check.inferred_shape();
  if (!check.expect(inferred.ok(), "operands",
                    "shapes " + to_string(check.input(0).shape) + " and " + to_string(check.input(1).shape),
                    inferred.problem)) {
    return;
  }
  check.expect_shape(check.output(), inferred.shape);
}

std::int64_t matrices(const Shape& shape) {
  return element_count(shape) / (shape[shape.size() - 2] * shape.back());
}

std::string matmul_obstacle(const Graph& graph, const Node& node) {
  const std::int64_t first = matrices(graph.tensor(node.inputs[0]).shape);
  const bool repeats_first = first > 1 && first != matrices(graph.tensor(node.outputs[0]).shape);
  return repeats_first ? "a first operand of several matrices that are repeated" : "";
}

/// Each product is a row of the image, each row of the first operand a pixel.
ConvGeometry matmul_geometry(const Graph& graph, const Node& node) {
  const Shape& y = graph.tensor(node.outputs[0]).shape;
  ConvGeometry g;
  g.in_h = g.out_h = matrices(y);
  g.in_w = g.out_w = y[y.size() - 2];
  g.in_channels = graph.tensor(node.inputs[0]).shape.back();
  g.out_channels = y.back();
  return g;
}

WholeBytes matmul_whole_bytes(const MatMulOp& /*op*/, const Shape& /*input*/) {
  return {.second = true};
}

}  // namespace

extern const OpDefinition kMatMul{.forms = kMatMulForms,
                                  .operands = {2, 2},
                                  .inputs_description = "Both factors, computed by the network.",
                                  .constants_are_activations = true,
                                  .fields = column<matmul_fields>,
                                  .shape = column<matmul_shape>,
                                  .check = column<check_matmul>,
                                  .obstacle = matmul_obstacle,
                                  .engine = Engine::mac_array,
                                  .geometry = matmul_geometry,
                                  .whole_bytes = column<matmul_whole_bytes>};

}  // namespace qsim

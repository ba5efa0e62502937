// validate(): products of two activations, normalizations, parametric ReLU, resizing.
#include <cmath>

#include "workloads/graph/graph_check.h"
#include "workloads/graph/shape_inference.h"

namespace qsim {

void NodeChecker::check_op(const MatMulOp& op) {
  check_activation(input(0));
  check_activation(input(1));
  check_mac_output();
  const std::array<Shape, 2> shapes{input(0).shape, input(1).shape};
  const InferredShape inferred = infer_output_shape(op, shapes, std::nullopt);
  if (!expect(inferred.ok(), "operands", "shapes " + to_string(shapes[0]) + " and " + to_string(shapes[1]),
              inferred.problem)) {
    return;
  }
  expect_shape(output(), inferred.shape);
}

void NodeChecker::check_op(const PReluOp&) {
  check_activation(input(0));
  check_activation(input(1));
  check_activation(output());
  check_same_shape();
  const std::string subject = "slope \"" + input(1).name + "\"";
  expect(input(1).is_constant(), subject, "a tensor computed by the network", "a constant");
  const std::array<Shape, 2> shapes{input(0).shape, input(1).shape};
  const InferredShape inferred = infer_output_shape(BinaryOp{}, shapes, std::nullopt);
  expect(inferred.ok() && inferred.shape == input(0).shape, subject, "shape " + to_string(shapes[1]),
         "a shape that is repeated to the input's " + to_string(shapes[0]));
}

void NodeChecker::check_channel_constant(std::size_t index, const std::string& subject) {
  if (node_.inputs[index] == kNoTensor) return;
  const Tensor& tensor = input(index);
  const std::int64_t channels = input(0).shape.back();
  expect(tensor.is_constant() && tensor.is_float(), subject + " \"" + tensor.name + "\"",
         element_type_name(tensor.type), "a constant of type F32");
  expect(element_count(tensor.shape) == channels, subject + " \"" + tensor.name + "\"",
         "shape " + to_string(tensor.shape), std::to_string(channels) + " elements, one a channel");
}

void NodeChecker::check_op(const BatchNormOp&) {
  check_float_only();
  check_same_shape();
  if (!expect(!input(0).shape.empty(), "input", "a scalar", "at least one dimension")) return;
  check_channel_constant(1, "scale");
  check_channel_constant(2, "shift");
}

void NodeChecker::check_op(const LayerNormOp& op) {
  check_activation(input(0));
  check_activation(output());
  check_same_shape();
  expect(std::isfinite(op.epsilon) && op.epsilon >= 0.0F, "epsilon", std::to_string(op.epsilon), "0 or more");
  if (!expect(!input(0).shape.empty(), "input", "a scalar", "at least one dimension")) return;
  check_channel_constant(1, "gamma");
  check_channel_constant(2, "beta");
}

void NodeChecker::check_op(const ResizeOp& op) {
  if (!expect_rank(input(0), 4) || !expect_rank(output(), 4)) return;
  check_activation(input(0));
  check_activation(output());
  check_same_type();
  expect(output().shape[0] == input(0).shape[0] && output().shape[3] == input(0).shape[3], "output",
         "shape " + to_string(output().shape), "the input's batch and channels");
  for (const float scale : {op.scale_h, op.scale_w}) {
    expect(std::isfinite(scale) && scale > 0.0F, "scale", std::to_string(scale), "a finite number above 0");
  }
}

}  // namespace qsim

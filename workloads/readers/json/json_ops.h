// The operations of a workload file and their attributes.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json_reader.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// Names of "op", in the order of OpKind.
enum class OpKind {
  conv2d,
  depthwise_conv2d,
  transpose_conv2d,
  fully_connected,
  add,
  sub,
  mul,
  max_pool2d,
  average_pool2d,
  mean,
  pad,
  strided_slice,
  reshape,
  transpose,
  concat,
  softmax,
  logistic,
  tanh,
  leaky_relu,
  relu,
  relu6,
  relu_n1_to_1,
  quantize,
  dequantize,
  dynamic_quantize,
  // Those below have no integer arithmetic everywhere: docs/workload_format.md.
  div,
  min,
  max,
  pow,
  matmul,
  prelu,
  batch_norm,
  layer_norm,
  resize_nearest,
  resize_linear,
  hard_swish,
  hard_sigmoid,
  gelu,
  gelu_tanh,
  clip,
  elu,
  erf,
  exp,
  log,
  sqrt,
  reciprocal,
  neg,
  abs,
  floor,
  ceil,
  softplus,
};
[[nodiscard]] const std::vector<std::string>& op_kind_names();
/// In the order of the enumerations.
[[nodiscard]] const std::vector<std::string>& resize_coordinates_names();
[[nodiscard]] const std::vector<std::string>& resize_rounding_names();
[[nodiscard]] const std::vector<std::string>& resize_blend_names();
[[nodiscard]] const std::vector<std::string>& dynamic_result_names();

/// Has weights and an optional bias.
[[nodiscard]] constexpr bool has_weights(OpKind kind) {
  return kind <= OpKind::fully_connected;
}
/// Reads "inputs", a list; the others read "input".
[[nodiscard]] constexpr bool has_input_list(OpKind kind) {
  return kind == OpKind::add || kind == OpKind::sub || kind == OpKind::mul || kind == OpKind::concat ||
         (kind >= OpKind::div && kind <= OpKind::layer_norm);
}
/// How many of the inputs decide the output's shape; the others are parameters.
[[nodiscard]] constexpr std::size_t shape_operands(OpKind kind, std::size_t inputs) {
  if (has_weights(kind)) return 2;
  return kind >= OpKind::prelu && kind <= OpKind::layer_norm ? 1 : inputs;
}
/// The output's quantization where none is written: the input's.
[[nodiscard]] bool follows_input(OpKind kind);
/// The output's integers are some of the input's, at its scale (or, average pooling of TFLite, means of
/// them).
[[nodiscard]] bool keeps_quantization(OpKind kind, Semantics semantics);
/// The output's quantization where the semantics fixes it: TFLite softmax, logistic and tanh of 8 and 16
/// bits.
[[nodiscard]] std::optional<Quantization> fixed_output_quantization(OpKind kind, Semantics semantics,
                                                                    const Quantization& input);

/// What a layer's attributes lead to.
struct ReadOp {
  Op op;
  std::optional<Shape>
      shape;  ///< Output shape where the attributes decide it (reshape, transposed convolution).
};

/// Reads the attributes of a layer. `x` is the shape of the first input, `weights` that of the weights, where
/// they are known: what depends on them is left at its default otherwise. `zero_point` is the first input's;
/// nothing where that is a float tensor.
[[nodiscard]] ReadOp read_op(OpKind kind, JsonObject& layer, const std::optional<Shape>& x,
                             const std::optional<Shape>& weights, std::optional<std::int32_t> zero_point);

}  // namespace qsim

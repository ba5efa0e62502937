// The operations of a workload file and their attributes.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "workloads/graph.h"
#include "workloads/json_reader.h"

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
};
[[nodiscard]] const std::vector<std::string>& op_kind_names();

/// Has weights and an optional bias.
[[nodiscard]] constexpr bool has_weights(OpKind kind) {
  return kind <= OpKind::fully_connected;
}
/// Reads "inputs", a list; the others read "input".
[[nodiscard]] constexpr bool has_input_list(OpKind kind) {
  return kind == OpKind::add || kind == OpKind::sub || kind == OpKind::mul || kind == OpKind::concat;
}
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
/// they are known: what depends on them is left at its default otherwise. `zero_point` is the first input's.
[[nodiscard]] ReadOp read_op(OpKind kind, JsonObject& layer, const std::optional<Shape>& x,
                             const std::optional<Shape>& weights, std::int32_t zero_point);

}  // namespace qsim

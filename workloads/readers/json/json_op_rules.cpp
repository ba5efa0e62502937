// Names of the operations, and what they say of their output's quantization.
#include "workloads/readers/json/json_ops.h"

namespace qsim {

const std::vector<std::string>& op_kind_names() {
  static const std::vector<std::string> kNames{"conv2d",
                                               "depthwise_conv2d",
                                               "transpose_conv2d",
                                               "fully_connected",
                                               "add",
                                               "sub",
                                               "mul",
                                               "max_pool2d",
                                               "average_pool2d",
                                               "mean",
                                               "pad",
                                               "strided_slice",
                                               "reshape",
                                               "transpose",
                                               "concat",
                                               "softmax",
                                               "logistic",
                                               "tanh",
                                               "leaky_relu",
                                               "relu",
                                               "relu6",
                                               "relu_n1_to_1",
                                               "quantize",
                                               "dequantize",
                                               "dynamic_quantize",
                                               "div",
                                               "min",
                                               "max",
                                               "pow",
                                               "matmul",
                                               "prelu",
                                               "batch_norm",
                                               "layer_norm",
                                               "resize_nearest",
                                               "resize_linear",
                                               "hard_swish",
                                               "hard_sigmoid",
                                               "gelu",
                                               "gelu_tanh",
                                               "clip",
                                               "elu",
                                               "erf",
                                               "exp",
                                               "log",
                                               "sqrt",
                                               "reciprocal",
                                               "neg",
                                               "abs",
                                               "floor",
                                               "ceil",
                                               "softplus"};
  return kNames;
}

const std::vector<std::string>& resize_coordinates_names() {
  static const std::vector<std::string> kNames{"half_pixel", "pytorch_half_pixel", "asymmetric",
                                               "align_corners", "tf_half_pixel_for_nn"};
  return kNames;
}

const std::vector<std::string>& resize_rounding_names() {
  static const std::vector<std::string> kNames{"floor", "ceil", "round_prefer_floor", "round_prefer_ceil"};
  return kNames;
}

const std::vector<std::string>& resize_blend_names() {
  static const std::vector<std::string> kNames{"integers", "integers_1024", "reals"};
  return kNames;
}

const std::vector<std::string>& dynamic_result_names() {
  static const std::vector<std::string> kNames{"values", "scale", "zero_point", "differences"};
  return kNames;
}

bool follows_input(OpKind kind) {
  switch (kind) {
    case OpKind::relu:
    case OpKind::relu6:
    case OpKind::relu_n1_to_1:
    case OpKind::leaky_relu:
    case OpKind::prelu:
    case OpKind::clip:
    case OpKind::resize_nearest:
    case OpKind::resize_linear:
      return true;
    default:
      return false;
  }
}

bool keeps_quantization(OpKind kind, Semantics semantics) {
  switch (kind) {
    case OpKind::max_pool2d:
    case OpKind::pad:
    case OpKind::strided_slice:
    case OpKind::reshape:
    case OpKind::transpose:
      return true;
    case OpKind::average_pool2d:
      return semantics == Semantics::tflite;
    default:
      return false;
  }
}

std::optional<Quantization> fixed_output_quantization(OpKind kind, Semantics semantics,
                                                      const Quantization& input) {
  const bool fixed = kind == OpKind::softmax || kind == OpKind::logistic || kind == OpKind::tanh;
  if (semantics != Semantics::tflite || !fixed || !input.is_signed) return std::nullopt;
  Quantization q = input;
  if (input.bits == 16) {
    q.scales = {1.0F / 32768.0F};
    q.zero_points = {0};
    return q;
  }
  if (input.bits != 8) return std::nullopt;
  const bool symmetric = kind == OpKind::tanh;
  q.scales = {symmetric ? 1.0F / 128.0F : 1.0F / 256.0F};
  q.zero_points = {symmetric ? 0 : -128};
  return q;
}

}  // namespace qsim

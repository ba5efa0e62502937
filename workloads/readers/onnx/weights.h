// Weights (operand 1) and biases of operators on the MAC array.
#pragma once

#include <string>
#include <vector>

#include "workloads/readers/onnx/operator_context.h"

namespace qsim::onnx_format {

/// b'[n] of an integer operator is int32 at scale s_x * s_w[n]; a float one is rounded to it as ONNX Runtime
/// does when it quantizes biases: rne(b / (s_x * s_w)).
[[nodiscard]] TensorId bias_tensor(OperatorContext& context, std::size_t index, std::int64_t channels,
                                   const Operand& x, const Operand& w);
/// "weights NAME" for messages, of weights that have to be constants.
[[nodiscard]] std::string constant_weights(const OperatorContext& context);
/// Spatial dimensions of a convolution's weights, as kernel_shape has to state them where it is given.
[[nodiscard]] std::vector<std::int64_t> kernel_sizes(const OperatorContext& context);
/// Where there are scales a channel, `axis` (of the model's order) is that of the channels.
void expect_scales_along(const OperatorContext& context, std::int64_t axis);

}  // namespace qsim::onnx_format

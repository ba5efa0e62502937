// Operands of fewer dimensions than the result, and the order of a result's dimensions.
#pragma once

#include "workloads/readers/onnx/operator_context.h"

namespace qsim::onnx_format {

/// A constant or an activation of fewer dimensions than the result, with ones in front.
[[nodiscard]] TensorId broadcast_operand(OperatorContext& context, std::size_t index,
                                         const DimensionOrder& order);
/// Order of an element by element result: that of an operand which has all dimensions.
[[nodiscard]] DimensionOrder common_order(const OperatorContext& context, std::size_t rank);

}  // namespace qsim::onnx_format

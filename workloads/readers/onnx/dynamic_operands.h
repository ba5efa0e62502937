// DynamicQuantizeLinear, and the products that take its zero point.
//
// A product of integers subtracts zero points: sum((a - z_a) * (b - z_b)). Where z_a depends on the data, the
// host subtracts it and the MAC array has the differences as its operand, 9 bits of 16, with zero point 0.
#pragma once

#include <optional>

#include "workloads/readers/onnx/operator_context.h"

namespace qsim::onnx_format {

void read_dynamic_quantize(OperatorContext& context);
/// What takes the operand's place where its zero point depends on the data.
[[nodiscard]] std::optional<Operand> difference_operand(const OperatorContext& context,
                                                        const QuantizedOperand& operand);

}  // namespace qsim::onnx_format

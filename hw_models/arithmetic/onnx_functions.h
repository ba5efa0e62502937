// Parameters of the vector functions as ONNX Runtime derives them from scales and zero points.
#pragma once

#include "hw_models/arithmetic/quantized_type.h"
#include "hw_models/arithmetic/vector_functions.h"

namespace qsim::arithmetic {

[[nodiscard]] OnnxFloatBinaryFunction make_onnx_float_binary(FloatBinaryKind kind, const QuantizedType& a,
                                                             const QuantizedType& b,
                                                             const QuantizedType& output,
                                                             const ClampLimits& limits);

}  // namespace qsim::arithmetic

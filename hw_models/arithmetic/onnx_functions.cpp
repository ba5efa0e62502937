#include "hw_models/arithmetic/onnx_functions.h"

namespace qsim::arithmetic {

OnnxFloatBinaryFunction make_onnx_float_binary(FloatBinaryKind kind, const QuantizedType& a,
                                               const QuantizedType& b, const QuantizedType& output,
                                               const ClampLimits& limits) {
  return {kind,         a.scale,           b.scale,    output.scale, a.zero_point,
          b.zero_point, output.zero_point, limits.min, limits.max};
}

}  // namespace qsim::arithmetic

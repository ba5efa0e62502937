// From the exact result of an operator to the integers of the quantizer behind it.
#pragma once

#include <optional>
#include <vector>

#include "workloads/graph/graph.h"
#include "workloads/readers/onnx/qonnx_chain.h"
#include "workloads/readers/onnx/qonnx_quantizer.h"

namespace qsim::onnx_format {

/// Stored integers times scales[n] are the real values that a chain begins with.
using SumScales = std::vector<double>;

/// q = round(clamp(multiplier[n] * sum + offset[n])) with
///   multiplier[n] = scales[n] * factor[n] / divisor,  offset[n] = summand[n] / divisor + shift.
/// Of Trunc the multiplier is a multiple of 2^-truncated_bits, which float32 arithmetic may have missed: the
/// quantizer rounds to whole integers first.
[[nodiscard]] Requantization affine_requantization(const AffineChain& chain, const SumScales& scales,
                                                   const QonnxQuantizer& quantizer);

/// The limits alone, of a chain without factors and summands; nothing where they are the format's.
[[nodiscard]] std::optional<Requantization> limits_of(const AffineChain& chain,
                                                      const QonnxQuantizer& quantizer);

/// summand[n] / scales[n] where these are integers of 32 bits, up to the rounding of float32 constants;
/// nothing otherwise, or where there is a factor.
[[nodiscard]] std::optional<std::vector<std::int32_t>> integer_bias(const AffineChain& chain,
                                                                    const SumScales& scales);

/// Whether the quantizer alone follows, apart from integer biases and limits: the rounding profile does it.
[[nodiscard]] bool has_no_factor(const AffineChain& chain);

}  // namespace qsim::onnx_format

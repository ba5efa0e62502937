// Quantization of one tensor as a workload file writes it: bits, signed, scale, zero_point, axis, group_size
// and what belongs to groups.
#pragma once

#include <optional>

#include "base/json_reader.h"
#include "workloads/graph/graph.h"

namespace qsim {

enum class QuantizationUse {
  activation,  ///< One scale; 1 to 16 bits.
  weights,     ///< One scale, one a slice of `axis`, or groups; 1 to 16 bits.
};

/// Reads the keys from a tensor's description. Where none of them is present `fallback` is taken, if there is
/// one; otherwise bits is 8, signed true, zero_point 0 and scale required. A single scale with an `axis`
/// stands for an equal one in every slice. `shape` is the tensor's, where it is known.
[[nodiscard]] Quantization read_quantization(JsonObject& description, QuantizationUse use,
                                             const std::optional<Shape>& shape,
                                             const std::optional<Quantization>& fallback = std::nullopt);

/// How a bias is stored.
struct BiasType {
  ElementType type = ElementType::i32;
  std::optional<Quantization> quantization;
};
/// Reads "bits" (32 or 64) and "scale" (a number, a list, or null: none is stated) of a bias; what it does
/// not say follows from input and weights. Beside a float input it is float.
[[nodiscard]] BiasType read_bias_type(JsonObject& description, const Tensor& x, const Tensor& weights);

/// Of a bias: s_b[n] = s_x * s_w[n], zero point 0 (white paper, section 2.1), in the bits of `type` (I32,
/// I64). Nothing where one of the two has no quantization.
[[nodiscard]] std::optional<Quantization> bias_quantization(const Tensor& x, const Tensor& weights,
                                                            ElementType type);

}  // namespace qsim

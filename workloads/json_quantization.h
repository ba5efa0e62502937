// Quantization of one tensor as a workload file writes it: bits, signed, scale, zero_point, axis, group_size.
#pragma once

#include <optional>

#include "workloads/graph.h"
#include "workloads/json_reader.h"

namespace qsim {

enum class QuantizationUse {
  activation,  ///< One scale; 1 to 16 bits.
  weights,     ///< One scale, or one a slice of `axis`; 1 to 16 bits.
};

/// Reads the keys from a tensor's description. Where none of them is present `fallback` is taken, if there is
/// one; otherwise bits is 8, signed true, zero_point 0 and scale required. A single scale with an `axis`
/// stands for an equal one in every slice. `shape` is the tensor's, where it is known.
[[nodiscard]] Quantization read_quantization(JsonObject& description, QuantizationUse use,
                                             const std::optional<Shape>& shape,
                                             const std::optional<Quantization>& fallback = std::nullopt);

}  // namespace qsim

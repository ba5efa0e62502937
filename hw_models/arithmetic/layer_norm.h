// Layer normalization of one row.
#pragma once

#include <cstdint>
#include <span>

#include "hw_models/arithmetic/vector_functions.h"

namespace qsim::arithmetic {

/// One row of at least one element; gamma and beta are empty or as long as the row.
void layer_norm(const OnnxLayerNormFunction& function, std::span<const std::int64_t> in,
                const RowParameters& parameters, std::span<std::int64_t> out);

}  // namespace qsim::arithmetic

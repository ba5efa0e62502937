// Mappings that the search has left, placed in the buffers.
#pragma once

#include <cstddef>
#include <vector>

#include "sim/compiler/activation_map.h"
#include "sim/compiler/lower.h"
#include "sim/compiler/plan.h"
#include "sim/compiler/row_mapper.h"
#include "sim/compiler/weight_plan.h"

namespace qsim {

/// What was chosen for nest `n` of a row.
[[nodiscard]] NestPlan place_nest(const NestChoice& choice, const LoweredRow& row, std::size_t n,
                                  const ActivationMap& map);

/// The products of all rows. Kept by reference.
[[nodiscard]] std::vector<MappedGemm> products(const std::vector<LoweredRow>& lowered,
                                               const std::vector<std::vector<NestPlan>>& nests);

}  // namespace qsim

// Where a plan's tensors, tile slots and weights lie in the buffers.
#pragma once

#include <cstdint>
#include <vector>

#include "hw_models/hardware_config.h"
#include "sim/compiler/activation_map.h"
#include "sim/compiler/lower.h"
#include "sim/compiler/plan.h"

namespace qsim {

/// Where the tensors of one nest are resident, or the slots of their tiles, one behind the other from
/// `slots_begin`. `row` has the tensors of nest `n`.
[[nodiscard]] GemmPlacement place_in_buffers(const GemmProblem& problem, const GemmMapping& mapping,
                                             const LoweredRow& row, std::size_t n, const ActivationMap& map,
                                             std::int64_t slots_begin);
[[nodiscard]] VectorPlacement place_in_buffers(const VectorProblem& problem, const VectorMapping& mapping,
                                               const LoweredRow& row, std::size_t n, const ActivationMap& map,
                                               std::int64_t slots_begin);

/// Places parameters and weights of the rows whose weights stay one behind the other; the bytes that they
/// take.
[[nodiscard]] std::int64_t place_resident_weights(const std::vector<LoweredRow>& lowered,
                                                  std::vector<std::vector<NestPlan>>& nests);

}  // namespace qsim

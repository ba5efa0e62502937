// The mappings of a row that is executed in stripes, one nest a stripe.
#pragma once

#include <vector>

#include "hw_models/hardware_config.h"
#include "hw_models/tensor_layout.h"
#include "sim/compiler/mapping.h"
#include "sim/compiler/mapping_memo.h"

namespace qsim {

struct StripeContext {
  const HardwareConfig& hardware;
  const MappingLimits& limits;
  MappingMemo& mapper;
  bool loads_resident_weights = false;  ///< Of the whole row: see MappingLimits, which are a stripe's.
};

/// What rows `window` of the output are by themselves: the rows of the input that they read, and the padding
/// in front of those. For costs; the nests have the whole problem and a window.
[[nodiscard]] GemmProblem stripe_problem(const GemmProblem& problem, RowWindow window);
[[nodiscard]] VectorProblem stripe_problem(const VectorProblem& problem, RowWindow window);

/// Those of the largest window, with their cost for all of them: the sum over the nests, since each begins
/// when the one before has retired. Inputs that are fetched come beside, but for those of the first stripe.
/// Passes may be shorter than the accumulators allow: what drains behind the last one nothing hides.
/// The memo keeps them.
[[nodiscard]] const MappingOptions<GemmMapping>& stripe_options(const GemmProblem& problem,
                                                                const std::vector<RowWindow>& windows,
                                                                const GemmMapping& residency,
                                                                const StripeContext& context,
                                                                const Pinned<GemmMapping>* pin);
[[nodiscard]] const MappingOptions<VectorMapping>& stripe_options(const VectorProblem& problem,
                                                                  const std::vector<RowWindow>& windows,
                                                                  const VectorMapping& residency,
                                                                  const StripeContext& context,
                                                                  const Pinned<VectorMapping>* pin);

}  // namespace qsim

// The operands of a pass as the buffers hold them, and its sums on their way into the accumulators.
#pragma once

#include <cstdint>
#include <vector>

#include "hw_models/accumulator_bank.h"
#include "hw_models/commands.h"
#include "hw_models/sram_buffer.h"

namespace qsim {

/// Weights of a pass: [group][element of the chunk][channel of the group].
[[nodiscard]] std::vector<std::int64_t> read_weights(const MacTile& tile, const SramBuffer& weight_buffer);

/// Activations of a pass: [pixel][group][element of the chunk]; the zero point outside the tensor.
[[nodiscard]] std::vector<std::int64_t> read_activations(const MacTile& tile,
                                                         const SramBuffer& activation_buffer);

/// Sums of products of a pass into its accumulators, each starting from its preload in the first chunk, and
/// the data-dependent sums beside them.
void accumulate(const MacTile& tile, const std::vector<std::int64_t>& weights,
                const std::vector<std::int64_t>& activations, const SramBuffer& weight_buffer,
                AccumulatorBank& accumulators);

}  // namespace qsim

// What the enumeration of a product's mappings asks of a single one.
#pragma once

#include <cstdint>
#include <vector>

#include "hw_models/core/nest_cursor.h"
#include "hw_models/dataflow/shapes.h"
#include "hw_models/gemm.h"
#include "hw_models/hardware_config.h"

namespace qsim {

/// What a pass in the mapping's dataflow may take of `groups` groups of the layer.
[[nodiscard]] PassBounds pass_bounds(const GemmProblem& problem, const GemmMapping& mapping,
                                     const HardwareConfig& hardware, std::int64_t groups);

/// Output channels of a column tile, of blocks (GemmProblem::in_blocks) whole ones, as tiles begin with a
/// block: `channels` rounded up where the array or the accumulators hold that many, otherwise down.
[[nodiscard]] std::int64_t whole_blocks(const GemmProblem& problem, const GemmMapping& mapping,
                                        const HardwareConfig& hardware, std::int64_t channels);

/// Blocks of `size` of the `tiles` column tiles begin at whole bytes of the output, of an addend, and, of
/// groups, of the input.
[[nodiscard]] bool cuts_fall_on_bytes(const GemmProblem& problem, GemmMapping mapping, std::int64_t size,
                                      std::int64_t tiles);

[[nodiscard]] bool is_one_of_few(std::int64_t tile, std::int64_t size);

/// Columns of tiles of `rows` rows: cut in tiles of one row where something `streams`, in boxes where rows of
/// boxes overlap in what they read, and where of boxes fewer than of whole rows, or of pieces of one row,
/// have sums that the accumulators hold for the next part of a reduction that is cut: they load fewer
/// weights.
[[nodiscard]] std::vector<std::int64_t> tile_column_sizes(const GemmProblem& problem,
                                                          const GemmMapping& mapping,
                                                          const HardwareConfig& hardware, std::int64_t rows,
                                                          bool streams);

/// Bytes of the activation buffer that input and output leave where they stay whole; what is as large as the
/// rest counts as a ring, of which only some rows stay.
[[nodiscard]] std::int64_t room_beside_residents(const GemmProblem& problem, const GemmMapping& residency,
                                                 const HardwareConfig& hardware);

/// Of the tile of pixels that takes most. In halves (PassOrder::full) a smaller one at the edge may take more
/// than a full one: 10 pixels in passes of 5 take two, 9 take three, of 2, 2 and 5.
[[nodiscard]] std::int64_t most_passes(const GemmProblem& problem, const GemmMapping& mapping);

/// MappingOption::kind: the dataflow, the order of the loops, whether pixels and the reduction are cut, and
/// how often half of the accumulators would do.
[[nodiscard]] int gemm_kind(const GemmProblem& problem, const GemmMapping& mapping, const GemmCursor& cursor,
                            const HardwareConfig& hardware);

}  // namespace qsim

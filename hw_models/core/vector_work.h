// A tile of the vector unit: what it costs, and what it computes.
#pragma once

#include <cstdint>

#include "hw_models/core/buffer_storage.h"
#include "hw_models/core/commands.h"

namespace qsim {

/// What one tile costs, counted in lane operations.
struct VectorCost {
  std::int64_t adds = 0, multiplies = 0, lookups = 0;
  std::int64_t read_bytes = 0, write_bytes = 0;
  std::int64_t lane_operations = 0;  ///< What occupies the lanes: one a lane and cycle.
};

/// Of an output element (lane operations): move or lookup 1; add 3 (two rescales and the sum, pipelined: 1
/// lane slot), mul 1; a window one for each of its elements and one for the result; a function of rows 4
/// passes over the row (maximum, exponential and sum, reciprocal, scale; mean, squares, scale, gamma and
/// beta; of blocks alignment, sum, maximum, shift) and one for each further element of a window; a resized
/// element 1, or 4 where it blends four.
[[nodiscard]] VectorCost vector_cost(const VectorTile& tile);
/// The same of `elements` elements of an output.
[[nodiscard]] VectorCost vector_cost(const VectorProblem& problem, std::int64_t elements);

/// Cycles that work occupies lanes and ports for; they work side by side, behind the pipeline.
struct VectorCycles {
  std::int64_t lanes = 0, reads = 0, writes = 0;
  std::int64_t latency = 0;
  [[nodiscard]] std::int64_t total() const;
};
/// A chip without lanes is reckoned to have one.
[[nodiscard]] VectorCycles vector_cycles(const VectorCost& work, const VectorUnitConfig& unit,
                                         const BufferConfig& buffer);

/// Reads the tile's inputs from the buffer and writes its outputs there.
void compute_vector_tile(const VectorTile& tile, BufferStorage& storage);

}  // namespace qsim

// The vector unit: pooling, elementwise operations, table lookups, softmax, moves.
#pragma once

#include <cstdint>
#include <systemc>
#include <vector>

#include "hw_models/core/chip_context.h"
#include "hw_models/core/commands.h"
#include "hw_models/core/completions.h"
#include "hw_models/core/sram_buffer.h"
#include "hw_models/hardware_config.h"

namespace qsim {

/// What one tile costs, counted in lane operations.
struct VectorCost {
  std::int64_t adds = 0, multiplies = 0, lookups = 0;
  std::int64_t read_bytes = 0, write_bytes = 0;
  std::int64_t lane_operations = 0;  ///< What occupies the lanes: one a lane and cycle.
};

/// Runs tiles in order, one at a time: latency + the longest of lanes, read port and write port. Costs an
/// output element (lane operations): move or lookup 1; add 3 (two rescales and the sum, pipelined: 1 lane
/// slot), mul 1; a window one for each of its elements and one for the result; softmax 4 passes over the row
/// (maximum, exponential and sum, reciprocal, scale), layer normalization 4 (mean, squares, scale, gamma and
/// beta); a resized element 1, or 4 where it blends four.
class VectorUnit : public sc_core::sc_module {
 public:
  VectorUnit(sc_core::sc_module_name name, const VectorUnitConfig& config, SramBuffer& activation_buffer,
             Completions& completions, ChipContext& context);
  VectorUnit(const VectorUnit&) = delete;
  VectorUnit& operator=(const VectorUnit&) = delete;

  sc_core::sc_fifo<VectorTile> tiles;  ///< In order; bounded.

  [[nodiscard]] VectorCost cost(const VectorTile& tile) const;

 private:
  void run();
  void take_dependencies(const VectorTile& tile);
  void count(const VectorTile& tile, const VectorCost& cost);
  void compute(const VectorTile& tile);
  void compute_rows(const VectorTile& tile);
  /// One row of an input; the constants of a row function are the same for every row.
  [[nodiscard]] std::vector<std::int64_t> read_row(const VectorTile& tile, std::size_t input, Dims at) const;
  [[nodiscard]] std::int64_t compute_mean(const VectorTile& tile,
                                          const arithmetic::OnnxMeanFunction& function,
                                          const Dims& position) const;
  [[nodiscard]] std::int64_t compute_resized(const VectorTile& tile,
                                             const arithmetic::ResizeFunction& function,
                                             const Dims& position) const;
  [[nodiscard]] std::int64_t compute_element(const VectorTile& tile, const Dims& position) const;
  [[nodiscard]] std::int64_t read_input(const VectorTile& tile, std::size_t input, const Dims& position,
                                        const Dims& window, bool& inside) const;
  void write_output(const VectorTile& tile, const Dims& position, std::int64_t value);

  VectorUnitConfig config_;
  SramBuffer& activation_buffer_;
  Completions& completions_;
  ChipContext& context_;
};

}  // namespace qsim

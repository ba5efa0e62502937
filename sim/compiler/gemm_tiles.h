// Sizes of the tiles that a mapping of a product makes.
#pragma once

#include <cstdint>
#include <vector>

#include "hw_models/gemm.h"

namespace qsim {

/// Extents of the largest input tile.
[[nodiscard]] Dims gemm_input_tile(const GemmProblem& problem, const GemmMapping& mapping);
/// Extents of the largest output tile.
[[nodiscard]] Dims gemm_output_tile(const GemmProblem& problem, const GemmMapping& mapping);

/// Bytes of one slot of the input and output tiles (0 where resident).
struct TileBytes {
  std::int64_t input = 0, output = 0;
};
[[nodiscard]] TileBytes gemm_tile_bytes(const GemmProblem& problem, const GemmMapping& mapping);

/// Contiguous bytes in DRAM of a full tile of a tensor.
[[nodiscard]] std::int64_t run_bytes(const TensorView& tensor, const Dims& tile);
/// The same of a mapping's input tile (gemm_input_tile()), of which rows and columns may be skipped.
[[nodiscard]] std::int64_t input_run_bytes(const GemmProblem& problem, const GemmMapping& mapping,
                                           const Dims& tile);

/// ceil(size / k) for k = 1, 2, ... without repetition, descending: the sizes that tile evenly, the larger
/// 512 of them and then halves down to 1.
[[nodiscard]] std::vector<std::int64_t> tile_sizes(std::int64_t size);

}  // namespace qsim

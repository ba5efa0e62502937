// Sizes of the tiles that a mapping of a product makes.
#pragma once

#include <cstdint>
#include <vector>

#include "hw_models/core/nest_cursor.h"
#include "hw_models/gemm.h"
#include "sim/compiler/mapping_cost.h"

namespace qsim {

/// Extents of the largest input tile; `cursor` is of the two.
[[nodiscard]] Dims gemm_input_tile(const GemmProblem& problem, const GemmMapping& mapping,
                                   const GemmCursor& cursor);
[[nodiscard]] Dims gemm_input_tile(const GemmProblem& problem, const GemmMapping& mapping);
/// Extents of the largest output tile, likewise.
[[nodiscard]] Dims gemm_output_tile(const GemmMapping& mapping, const GemmCursor& cursor);
[[nodiscard]] Dims gemm_output_tile(const GemmProblem& problem, const GemmMapping& mapping);

/// Bytes of one slot of the tiles (0 where resident).
struct TileBytes {
  std::int64_t input = 0, output = 0;
  std::int64_t addend = 0;  ///< 0 where there is none, too.
};
[[nodiscard]] TileBytes gemm_tile_bytes(const GemmProblem& problem, const GemmMapping& mapping,
                                        const GemmCursor& cursor);

/// Of the largest output tile what is written: of a pooling on the way out the windows that are complete.
[[nodiscard]] Dims gemm_written_tile(const GemmProblem& problem, const GemmMapping& mapping,
                                     const GemmCursor& cursor);
/// Of so many outputs, on the average.
[[nodiscard]] std::int64_t written_outputs(const GemmProblem& problem, std::int64_t outputs);
/// Bytes of a full tile of what is written, wherever it lies.
[[nodiscard]] std::int64_t gemm_output_bytes(const GemmProblem& problem, const GemmMapping& mapping,
                                             const GemmCursor& cursor);

/// Bytes of the sums of a full tile of pixels and a block, where they wait in the activation buffer; else 0.
[[nodiscard]] std::int64_t waiting_sum_bytes(const GemmMapping& mapping, const GemmCursor& cursor,
                                             const AccumulatorConfig& accumulators);

/// Contiguous pieces in DRAM of a full tile of a tensor.
[[nodiscard]] Runs runs_of(const TensorView& tensor, const Dims& tile);
/// The same of a mapping's input tile, of which rows and columns may be skipped.
[[nodiscard]] Runs input_runs(const GemmProblem& problem, const GemmMapping& mapping,
                              const GemmCursor& cursor);

/// ceil(size / k) for k = 1, 2, ... without repetition, descending: the sizes that tile evenly, the larger
/// 512 of them and then halves down to 1.
[[nodiscard]] std::vector<std::int64_t> tile_sizes(std::int64_t size);
/// Some of them, the largest and the smallest included: about six an octave of k.
[[nodiscard]] std::vector<std::int64_t> few_tile_sizes(std::int64_t size);
/// Columns of tiles of `rows` rows that are about square (neither side more than twice the other), some of
/// those that cut `columns` in equal parts: of windows that overlap both ways such tiles read the least
/// twice.
[[nodiscard]] std::vector<std::int64_t> box_columns(std::int64_t rows, std::int64_t columns);

}  // namespace qsim

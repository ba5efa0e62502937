#include "sim/compiler/gemm_tiles.h"

#include <algorithm>
#include <numeric>

#include "hw_models/arithmetic/bit_packing.h"
#include "hw_models/core/pooling.h"
#include "sim/compiler/schedule.h"

namespace qsim {

namespace {

/// Of dimensions above about 65,536 not all sizes are tried: from here on each is half the one before.
constexpr std::size_t kManyTileSizes = 512;

}  // namespace

std::vector<std::int64_t> tile_sizes(std::int64_t size) {
  std::vector<std::int64_t> sizes;
  for (std::int64_t k = 1; k <= size;) {
    const std::int64_t tile = ceil_div(size, k);
    sizes.push_back(tile);
    if (tile == 1) break;
    const std::int64_t next = ceil_div(size, tile - 1);  // the next k that gives a smaller tile
    k = sizes.size() < kManyTileSizes ? next : std::min(std::max(next, 2 * k), size);
  }
  return sizes;
}

std::vector<std::int64_t> few_tile_sizes(std::int64_t size) {
  std::vector<std::int64_t> sizes;
  for (std::int64_t k = 1; k <= size; k += std::max<std::int64_t>(1, k / 8)) {
    const std::int64_t tile = ceil_div(size, k);
    if (sizes.empty() || tile < sizes.back()) sizes.push_back(tile);
  }
  if (sizes.back() > 1) sizes.push_back(1);
  return sizes;
}

std::vector<std::int64_t> box_columns(std::int64_t rows, std::int64_t columns) {
  std::vector<std::int64_t> sizes;
  for (std::int64_t k = 2; k < columns; k += std::max<std::int64_t>(1, k / 2)) {
    const std::int64_t tile = ceil_div(columns, k);
    if (tile > 2 * rows || rows > 2 * tile) continue;
    if (sizes.empty() || tile < sizes.back()) sizes.push_back(tile);
  }
  return sizes;
}

Dims gemm_input_tile(const GemmProblem& problem, const GemmMapping& mapping, const GemmCursor& cursor) {
  const ConvolutionGeometry& g = problem.geometry;
  std::int64_t channels = 0;
  cursor.visit_blocks([&](std::int64_t block, std::int64_t /*alike*/) {
    const std::int64_t first = cursor.column_tile(cursor.column_tile_begin(block)).group_begin;
    const std::int64_t last = cursor.column_tile(cursor.column_tile_end(block) - 1).group_end;
    channels = std::max(channels, (last - 1 - first) * g.group_channels() + mapping.part_channels);
  });
  return {
      1, most_positions(input_rows(g), mapping.tile_rows, mapping.part_kernel_h, cursor.skips().rows),
      most_positions(input_columns(g), mapping.tile_columns, mapping.part_kernel_w, cursor.skips().columns),
      problem.stored_channels(std::min(channels, g.input[kChannel]))};
}

Dims gemm_input_tile(const GemmProblem& problem, const GemmMapping& mapping) {
  return gemm_input_tile(problem, mapping, GemmCursor(problem, mapping));
}

Dims gemm_output_tile(const GemmMapping& mapping, const GemmCursor& cursor) {
  std::int64_t channels = 0;
  cursor.visit_blocks([&](std::int64_t block, std::int64_t /*alike*/) {
    const auto [begin, end] = cursor.block_channels(block);
    channels = std::max(channels, end - begin);
  });
  return {1, mapping.tile_rows, mapping.tile_columns, channels};
}

Dims gemm_output_tile(const GemmProblem& problem, const GemmMapping& mapping) {
  return gemm_output_tile(mapping, GemmCursor(problem, mapping));
}

Dims gemm_written_tile(const GemmProblem& problem, const GemmMapping& mapping, const GemmCursor& cursor) {
  Dims tile = gemm_output_tile(mapping, cursor);
  const VectorProblem* pooling = problem.pooling();
  tile[kChannel] = problem.stored_channels(tile[kChannel]);
  if (pooling == nullptr) return tile;
  // Tiles are whole strides, so all between the first and the last are alike.
  const PoolWindows rows = pool_windows(*pooling, kRow);
  const std::int64_t last = (rows.size - 1) / mapping.tile_rows * mapping.tile_rows;
  tile[kRow] = rows.count - rows.completed(last);
  if (last > 0)
    tile[kRow] = std::max({tile[kRow], rows.completed(mapping.tile_rows), mapping.tile_rows / rows.stride});
  tile[kColumn] = pooling->extent[kColumn];
  return tile;
}

std::int64_t written_outputs(const GemmProblem& problem, std::int64_t outputs) {
  const VectorProblem* pooling = problem.pooling();
  const Dims& all = problem.geometry.output;
  if (problem.in_blocks) return ceil_div(outputs * problem.output.dims[kChannel], all[kChannel]);
  if (pooling == nullptr) return outputs;
  return ceil_div(outputs * pooling->extent[kRow] * pooling->extent[kColumn], all[kRow] * all[kColumn]);
}

Runs runs_of(const TensorView& tensor, const Dims& tile) {
  const int bits = tensor.layout.format.bits;
  const std::int64_t channels = arithmetic::packed_bytes(tile[kChannel], bits);
  const auto [image, row, pixel] = tensor.layout.strides;
  if (tile[kChannel] < tensor.dims[kChannel]) {
    const std::int64_t pitch =
        tensor.pitch_bytes > 0 ? ceil_div(pixel, tensor.pitch_bytes) * tensor.pitch_bytes : pixel;
    return {channels, std::gcd(pitch, channels)};
  }
  if (channels < pixel) return {channels, pixel};
  if (tile[kColumn] < tensor.dims[kColumn]) return {tile[kColumn] * channels, std::gcd(row, pixel)};
  return {tile[kRow] * tile[kColumn] * channels, row};
}

std::int64_t gemm_output_bytes(const GemmProblem& problem, const GemmMapping& mapping,
                               const GemmCursor& cursor) {
  return dense_bytes(gemm_written_tile(problem, mapping, cursor), problem.output.layout.format,
                     problem.output.pixel_granule);
}

std::int64_t waiting_sum_bytes(const GemmMapping& mapping, const GemmCursor& cursor,
                               const AccumulatorConfig& accumulators) {
  if (!cursor.sums_leave()) return 0;
  const Dims tile = gemm_output_tile(mapping, cursor);
  return tile[kRow] * tile[kColumn] * tile[kChannel] * accumulators.sum_bytes();
}

Runs input_runs(const GemmProblem& problem, const GemmMapping& mapping, const GemmCursor& cursor) {
  const InputSkips skips = cursor.skips();
  Dims run = gemm_input_tile(problem, mapping, cursor);
  if (skips.columns) {
    run[kRow] = 1;
    run[kColumn] =
        run_positions(input_columns(problem.geometry), mapping.tile_columns, mapping.part_kernel_w);
  } else if (skips.rows) {
    run[kRow] = run_positions(input_rows(problem.geometry), mapping.tile_rows, mapping.part_kernel_h);
  }
  return runs_of(problem.input, run);
}

TileBytes gemm_tile_bytes(const GemmProblem& problem, const GemmMapping& mapping, const GemmCursor& cursor) {
  TileBytes bytes;
  if (!mapping.input_resident)
    bytes.input = dense_bytes(gemm_input_tile(problem, mapping, cursor), problem.input.layout.format,
                              problem.input.pixel_granule);
  if (!mapping.output_resident) bytes.output = gemm_output_bytes(problem, mapping, cursor);
  if (const TensorView* addend = problem.addend(); addend != nullptr && !mapping.addend_resident)
    bytes.addend =
        dense_bytes(gemm_output_tile(mapping, cursor), addend->layout.format, addend->pixel_granule);
  return bytes;
}

}  // namespace qsim

#include "sim/compiler/gemm_cost.h"

#include <algorithm>

#include "hw_models/arithmetic/bit_packing.h"
#include "hw_models/core/nest_cursor.h"
#include "sim/compiler/gemm_tiles.h"
#include "sim/compiler/schedule.h"
#include "sim/compiler/tile_sums.h"

namespace qsim {

namespace {

/// Sum of the input extents of all tiles of `tile` outputs and all kernel parts of `part` taps in one
/// dimension, halos included.
std::int64_t input_extents(std::int64_t outputs, std::int64_t tile, std::int64_t kernel, std::int64_t part,
                           const InputDimension& input, bool skips) {
  const auto& [stride, pad, dilation, input_dilation, size] = input;
  std::int64_t sum = 0;
  for (std::int64_t k = 0; k < kernel; k += part) {
    const std::int64_t k_end = std::min(kernel, k + part);
    // Inserted zeros make tiles differ by their phase.
    const TileRange inside =
        input_dilation > 1
            ? TileRange{}
            : tiles_inside({outputs, tile, stride, k * dilation - pad, (k_end - 1 - k) * dilation + 1, size});
    sum += sum_over_tiles(ceil_div(outputs, tile), inside, [&](std::int64_t i) {
      return input_reach(input, i * tile, std::min(outputs, (i + 1) * tile), k, k_end, skips).count;
    });
  }
  return sum;
}

/// Bytes of all input tiles of one pass over the output. The tiles are boxes: rows, columns and channels are
/// cut independently of each other, so the sum of the products is the product of the sums.
std::int64_t input_bytes(const GemmProblem& problem, const GemmMapping& mapping) {
  const ConvolutionGeometry& g = problem.geometry;
  const InputSkips skips = GemmCursor(problem, mapping).skips();
  const std::int64_t rows = input_extents(g.output[kRow], mapping.tile_rows, g.kernel_h,
                                          mapping.part_kernel_h, input_rows(g), skips.rows);
  const std::int64_t columns = input_extents(g.output[kColumn], mapping.tile_columns, g.kernel_w,
                                             mapping.part_kernel_w, input_columns(g), skips.columns);
  std::int64_t pixel_bytes = 0;
  if (mapping.part_channels == g.group_channels()) {
    pixel_bytes = arithmetic::packed_bytes(g.input[kChannel], problem.input.layout.format.bits);
  } else {
    for (std::int64_t c = 0; c < g.group_channels(); c += mapping.part_channels) {
      const std::int64_t channels = std::min(mapping.part_channels, g.group_channels() - c);
      pixel_bytes += g.groups * arithmetic::packed_bytes(channels, problem.input.layout.format.bits);
    }
  }
  return g.output[kBatch] * rows * columns * pixel_bytes;
}

/// What is stored when computing is over: the last tile, or the last pass of it.
std::int64_t exposed_output_bytes(const GemmMapping& mapping, std::int64_t tile_bytes) {
  if (!mapping.store_output) return 0;
  return mapping.stores_each_pass ? std::min(tile_bytes, mapping.pixels_per_pass * mapping.column_tile)
                                  : tile_bytes;
}

/// Contiguous bytes of the weights of a block in DRAM: all of them where a run is a whole line of the tensor.
std::int64_t weight_run_bytes(const GemmProblem& problem, const GemmMapping& mapping,
                              std::int64_t block_bytes) {
  if (!problem.activation_weights) return block_bytes;
  const std::int64_t element = problem.activation_weights->layout.format.bits / 8;
  const ConvolutionGeometry& g = problem.geometry;
  const bool transposed = problem.activation_weights->transposed;
  const std::int64_t line = transposed ? g.group_channels() : g.group_outputs();
  const std::int64_t run =
      transposed ? mapping.part_channels : mapping.column_tile * mapping.column_tiles_per_block;
  return run >= line ? block_bytes : run * element;
}

/// Cycles that the array is occupied with one column tile of one tile of pixels, all parts of the reduction,
/// with passes of full size throughout.
std::int64_t column_tile_cycles(const GemmProblem& problem, const GemmMapping& mapping,
                                const GemmCursor& cursor, const HardwareConfig& hardware) {
  const MacArrayConfig& array = hardware.mac_array;
  const DataflowModel& dataflow = dataflow_of(mapping);
  const std::int64_t pixels = mapping.tile_rows * mapping.tile_columns;
  const std::int64_t passes = PassCut(pixels, mapping.pixels_per_pass, mapping.pass_order).count();
  PassShape pass;
  pass.groups = mapping.groups_per_tile;
  pass.channels = mapping.column_tile / mapping.groups_per_tile;
  pass.pixels = mapping.pixels_per_pass;
  pass.weight_bits = problem.weight_format.bits;
  pass.activation_bits = problem.activation_format.bits;
  std::int64_t cycles = 0;
  for (std::int64_t p = 0; p < cursor.parts(); ++p) {
    const ReductionPart part = cursor.part(p);
    pass.depth = part.depth();
    pass.chunks = ChunkCut(part, mapping.chunk_rows, mapping.reduction);
    cycles += dataflow.occupied_cycles(array, pass, pixels, passes, hardware.accumulators.update_cycles);
  }
  return cycles;
}

}  // namespace

MappingCost gemm_cost(const GemmProblem& problem, const GemmMapping& mapping, const HardwareConfig& hardware,
                      const MappingLimits& limits) {
  const ConvolutionGeometry& g = problem.geometry;
  const GemmCursor cursor(problem, mapping);
  const std::int64_t pixel_tiles = g.output[kBatch] * ceil_div(g.output[kRow], mapping.tile_rows) *
                                   ceil_div(g.output[kColumn], mapping.tile_columns);
  const std::int64_t blocks = cursor.blocks();
  const std::int64_t parts = cursor.parts();
  const bool weights_outer = mapping.order == LoopOrder::weights_outer;
  const std::int64_t matrices = problem.activation_weights ? g.output[kBatch] * g.output[kRow] : 1;
  const std::int64_t weight_passes =
      (weights_outer ? parts == 1 : blocks * parts == 1) ? matrices : pixel_tiles;
  const std::int64_t parameter_passes = (weights_outer || blocks == 1) ? 1 : pixel_tiles;
  std::int64_t input_passes = blocks;
  if (g.groups > 1) {
    // Each block reads the channels of its own groups.
    input_passes = std::max<std::int64_t>(1, blocks / g.groups);
  } else if (parts == 1 && (!weights_outer || pixel_tiles == 1)) {
    input_passes = 1;
  }
  MappingCost cost;
  const std::int64_t burst = limits.burst_bytes;
  if (!mapping.weights_resident) {
    // Without groups all blocks are alike but the last.
    const bool are_alike = g.groups == 1 && !problem.activation_weights;
    const std::int64_t step = are_alike ? std::max<std::int64_t>(1, blocks - 1) : 1;
    for (std::int64_t block = 0; block < blocks; block += step) {
      const std::int64_t alike = std::min(step, blocks - block);
      for (std::int64_t part = 0; part < parts; ++part) {
        const std::int64_t bytes = cursor.block_bytes(block, part);
        cost.add_traffic(alike * weight_passes * bytes, weight_run_bytes(problem, mapping, bytes), burst);
      }
    }
    const std::int64_t parameters =
        parameter_passes * (blocks * problem.parameters.header_bytes() +
                            g.output[kChannel] * problem.parameters.channel_bytes());
    cost.add_traffic(parameters, parameters, burst);
    cost.transfers += weight_passes * blocks * parts + parameter_passes * blocks;
  }
  const Dims input_tile = gemm_input_tile(problem, mapping);
  const Dims output_tile = gemm_output_tile(problem, mapping);
  if (!mapping.input_resident) {
    cost.add_traffic(input_passes * input_bytes(problem, mapping),
                     input_run_bytes(problem, mapping, input_tile), burst);
    cost.transfers += input_passes * pixel_tiles * parts;
  }
  if (mapping.store_output) {
    cost.add_traffic(dense_bytes(g.output, problem.output.layout.format),
                     run_bytes(problem.output, output_tile), burst);
    cost.transfers += pixel_tiles * blocks;
  }
  cost.occupied_cycles =
      pixel_tiles * cursor.column_tiles() * column_tile_cycles(problem, mapping, cursor, hardware);
  const TileBytes tile = gemm_tile_bytes(problem, mapping);
  const bool overlaps_loads = limits.activation_slots > 1;
  const std::int64_t loaded = mapping.input_resident ? 0 : input_passes * input_bytes(problem, mapping);
  cost.exposed_bytes = (overlaps_loads ? tile.input : loaded) + exposed_output_bytes(mapping, tile.output);
  // In a ring all parts of a column tile load one behind the other.
  const std::int64_t first_parts = hardware.dma.weight_prefetch == WeightPrefetch::ring ? parts : 1;
  for (std::int64_t part = 0; part < first_parts && !mapping.weights_resident; ++part) {
    cost.exposed_bytes += cursor.block_bytes(0, part);
  }
  return cost;
}

}  // namespace qsim

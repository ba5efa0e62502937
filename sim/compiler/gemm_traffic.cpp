#include "sim/compiler/gemm_traffic.h"

#include <algorithm>
#include <numeric>

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
std::int64_t input_bytes(const GemmProblem& problem, const GemmMapping& mapping, const InputSkips& skips) {
  const ConvolutionGeometry& g = problem.geometry;
  const std::int64_t rows = input_extents(g.output[kRow], mapping.tile_rows, g.kernel_h,
                                          mapping.part_kernel_h, input_rows(g), skips.rows);
  const std::int64_t columns = input_extents(g.output[kColumn], mapping.tile_columns, g.kernel_w,
                                             mapping.part_kernel_w, input_columns(g), skips.columns);
  std::int64_t pixel_bytes = 0;
  if (mapping.part_channels == g.group_channels()) {
    pixel_bytes = arithmetic::packed_bytes(problem.stored_channels(g.input[kChannel]),
                                           problem.input.layout.format.bits);
  } else {
    const int bits = problem.input.layout.format.bits;
    pixel_bytes =
        g.groups *
        (g.group_channels() / mapping.part_channels *
             arithmetic::packed_bytes(problem.stored_channels(mapping.part_channels), bits) +
         arithmetic::packed_bytes(problem.stored_channels(g.group_channels() % mapping.part_channels), bits));
  }
  return g.output[kBatch] * rows * columns * pixel_bytes;
}

/// Contiguous pieces of the weights of a block in DRAM: all of them where a run is a whole line of the
/// tensor.
Runs weight_runs(const GemmProblem& problem, const GemmMapping& mapping, std::int64_t block_bytes) {
  if (!problem.activation_weights) return {block_bytes, block_bytes};
  const std::int64_t element = problem.activation_weights->layout.format.bits / 8;
  const ConvolutionGeometry& g = problem.geometry;
  const bool transposed = problem.activation_weights->transposed;
  const std::int64_t line = transposed ? g.group_channels() : g.group_outputs();
  const std::int64_t run =
      transposed ? mapping.part_channels : mapping.column_tile * mapping.column_tiles_per_block;
  if (run >= line) return {block_bytes, std::gcd(block_bytes, line * element)};
  return {run * element, std::gcd(run, line) * element};
}

/// Of the longest request for runs of so many bytes.
std::int64_t request_bytes(const HardwareConfig& hardware, const MemoryRate& memory, std::int64_t run_bytes) {
  const std::int64_t longest = std::min(hardware.dma.transaction_bytes, run_bytes);
  return ceil_div(longest, memory.burst_bytes()) * memory.burst_bytes();
}

}  // namespace

RowCost gemm_traffic(const GemmProblem& problem, const GemmMapping& mapping, const GemmCursor& cursor,
                     const HardwareConfig& hardware, const MappingLimits& limits) {
  const ConvolutionGeometry& g = problem.geometry;
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
  RowCost cost;
  const MemoryRate& memory = limits.memory;
  const std::int64_t burst = memory.burst_bytes();
  // Weights that stay are loaded once, as far ahead as they may come.
  const std::int64_t weight_loads = mapping.weights_resident ? 1 : weight_passes;
  const std::int64_t parameter_loads = mapping.weights_resident ? 1 : parameter_passes;
  if (!mapping.weights_resident || limits.loads_resident_weights) {
    // Without groups all blocks are alike but the last.
    const bool are_alike = g.groups == 1 && !problem.activation_weights;
    cursor.visit_blocks([&](std::int64_t block, std::int64_t alike) {
      cursor.visit_parts([&](std::int64_t part, std::int64_t alike_parts) {
        const std::int64_t bytes = cursor.block_bytes(block, part);
        const std::int64_t together = are_alike ? alike : 1;
        const Runs runs = weight_runs(problem, mapping, bytes);
        cost.weights.request_bytes =
            std::max(cost.weights.request_bytes, request_bytes(hardware, memory, runs.bytes));
        cost.weights.add(together * weight_loads * bytes, runs, burst, alike / together * alike_parts);
      });
    });
    const std::int64_t parameters =
        parameter_loads * (blocks * problem.parameters.header_bytes() +
                           g.output[kChannel] * problem.parameters.channel_bytes());
    cost.weights.add(parameters, {parameters, burst}, burst);
    cost.weights.turns = weight_loads * blocks * parts;
    const bool in_slots = !mapping.weights_resident && hardware.dma.weight_prefetch != WeightPrefetch::ring;
    cost.weights.slots = in_slots ? limits.weight_slots : 0;
    cost.weights.transfers = cost.weights.turns + parameter_loads * blocks;
  }
  if (mapping.fetch_input) {
    cost.inputs.add(dense_bytes(problem.input.dims, problem.input.layout.format, problem.input.pixel_granule),
                    runs_of(problem.input, gemm_input_tile(problem, mapping, cursor)), burst);
    cost.inputs.transfers += pixel_tiles * cursor.fetched_parts();
  } else if (!mapping.input_resident) {
    cost.inputs.add(input_passes * input_bytes(problem, mapping, cursor.skips()),
                    input_runs(problem, mapping, cursor), burst);
    cost.inputs.transfers = cost.inputs.turns = input_passes * pixel_tiles * parts;
    cost.inputs.slots = mapping.input_slots;
  }
  if (cost.inputs.bytes > 0) {
    const Dims tile = gemm_input_tile(problem, mapping, cursor);
    const Runs runs =
        mapping.fetch_input ? runs_of(problem.input, tile) : input_runs(problem, mapping, cursor);
    cost.inputs.request_bytes = request_bytes(hardware, memory, runs.bytes);
    const std::int64_t pixel = arithmetic::packed_bytes(tile[kChannel], problem.input.layout.format.bits);
    cost.inputs.pause_cycles = input_pauses(hardware.dma, memory, cost.inputs.bytes, pixel, tile[kColumn]);
  }
  if (const TensorView* addend = problem.addend(); addend != nullptr && !mapping.addend_resident) {
    cost.inputs.add(dense_bytes(addend->dims, addend->layout.format, addend->pixel_granule),
                    runs_of(*addend, gemm_output_tile(mapping, cursor)), burst);
    cost.inputs.transfers += pixel_tiles * blocks;
  }
  if (mapping.store_output) {
    const Runs runs = runs_of(problem.output, gemm_written_tile(problem, mapping, cursor));
    cost.stores.request_bytes = request_bytes(hardware, memory, runs.bytes);
    cost.stores.add(dense_bytes(problem.output.dims, problem.output.layout.format), runs, burst);
    cost.stores.transfers = cost.stores.turns = pixel_tiles * blocks;
    // A pass that is stored by itself has the other passes of its tile beside it.
    cost.stores.slots = mapping.stores_each_pass ? 0 : mapping.output_slots;
  }
  return cost;
}

}  // namespace qsim

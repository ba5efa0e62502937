#include "sim/compiler/gemm_cost.h"

#include <algorithm>
#include <numeric>

#include "hw_models/arithmetic/bit_packing.h"
#include "hw_models/core/nest_cursor.h"
#include "sim/compiler/gemm_cycles.h"
#include "sim/compiler/gemm_events.h"
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
    pixel_bytes = arithmetic::packed_bytes(g.input[kChannel], problem.input.layout.format.bits);
  } else {
    const int bits = problem.input.layout.format.bits;
    pixel_bytes = g.groups * (g.group_channels() / mapping.part_channels *
                                  arithmetic::packed_bytes(mapping.part_channels, bits) +
                              arithmetic::packed_bytes(g.group_channels() % mapping.part_channels, bits));
  }
  return g.output[kBatch] * rows * columns * pixel_bytes;
}

/// What is stored when computing is over: the last tile, or the last pass of it.
std::int64_t exposed_output_bytes(const GemmMapping& mapping, std::int64_t tile_bytes) {
  if (!mapping.store_output) return 0;
  return mapping.stores_each_pass ? std::min(tile_bytes, mapping.pixels_per_pass * mapping.column_tile)
                                  : tile_bytes;
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

/// What loads and stores move, and how often.
RowCost gemm_traffic(const GemmProblem& problem, const GemmMapping& mapping, const GemmCursor& cursor,
                     const MappingLimits& limits) {
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
  if (!mapping.weights_resident) {
    // Without groups all blocks are alike but the last.
    const bool are_alike = g.groups == 1 && !problem.activation_weights;
    cursor.visit_blocks([&](std::int64_t block, std::int64_t alike) {
      cursor.visit_parts([&](std::int64_t part, std::int64_t alike_parts) {
        const std::int64_t bytes = cursor.block_bytes(block, part);
        const std::int64_t together = are_alike ? alike : 1;
        cost.weights.add(together * weight_passes * bytes, weight_runs(problem, mapping, bytes), burst,
                         alike / together * alike_parts);
      });
    });
    const std::int64_t parameters =
        parameter_passes * (blocks * problem.parameters.header_bytes() +
                            g.output[kChannel] * problem.parameters.channel_bytes());
    cost.weights.add(parameters, {parameters, burst}, burst);
    cost.weights.turns = weight_passes * blocks * parts;
    cost.weights.slots = limits.weight_slots;
    cost.weights.transfers = cost.weights.turns + parameter_passes * blocks;
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
  if (const TensorView* addend = problem.addend(); addend != nullptr && !mapping.addend_resident) {
    cost.inputs.add(dense_bytes(addend->dims, addend->layout.format, addend->pixel_granule),
                    runs_of(*addend, gemm_output_tile(mapping, cursor)), burst);
    cost.inputs.transfers += pixel_tiles * blocks;
  }
  if (mapping.store_output) {
    cost.stores.add(dense_bytes(g.output, problem.output.layout.format),
                    runs_of(problem.output, gemm_output_tile(mapping, cursor)), burst);
    cost.stores.transfers = cost.stores.turns = pixel_tiles * blocks;
    cost.stores.slots = mapping.output_slots;
  }
  return cost;
}

/// Cycles of a product whose reduction is cut into P parts. Each step loads its own weights, and inputs that
/// do not stay, while the step before computes; there is no more room to be ahead. So where the last part is
/// smaller, its step is too short for the loads of the next full one:
///
///   (P - 2) max(A, M) + max(A, M') + max(A', M)    A, A' cycles of the array, M, M' of the loads of a full
///   and
///                                                  of the last part
///
/// for each tile of pixels and block. What else passes the bus, `beside` cycles, is spread over all steps.
std::int64_t cycles_of_parts(const GemmProblem& problem, const GemmMapping& mapping, const GemmCursor& cursor,
                             const GemmCycles& cycles, const MemoryRate& memory, std::int64_t beside) {
  const std::int64_t parts = cursor.parts();
  const std::int64_t input = gemm_tile_bytes(problem, mapping, cursor).input;
  const std::int64_t full_depth = cursor.part(0).depth();
  const auto load_cycles = [&](std::int64_t part) {
    const std::int64_t weights = mapping.weights_resident ? 0 : cursor.block_bytes(0, part);
    return memory.cycles(weights + input * cursor.part(part).depth() / full_depth) + beside / cursor.steps();
  };
  const std::int64_t full = load_cycles(0);
  const std::int64_t last = load_cycles(parts - 1);
  const std::int64_t step = (parts - 2) * std::max(cycles.first_step, full) +
                            std::max(cycles.first_step, last) + std::max(cycles.last_step, full);
  return cursor.steps() / parts * step;
}

/// Cycles that steps wait for a slot of outputs while a tile of inputs is loaded. Channels take turns request
/// by request: a store of short runs stands behind a long request of the loads each time, until they are
/// done, which began as long before the store as the step's outputs take to drain. With two slots it has to
/// be over before the step after the next, which is a step's array cycles later than where its own drain
/// began.
std::int64_t store_waits(const GemmProblem& problem, const GemmMapping& mapping, const GemmCursor& cursor,
                         const HardwareConfig& hardware, const GemmCycles& cycles, const RowCost& cost,
                         const MemoryRate& memory) {
  if (cost.stores.turns == 0 || cost.inputs.turns == 0 || mapping.output_resident) return 0;
  // An output tile of sums that leave has all parts of the next one to be stored.
  if (cursor.sums_leave()) return 0;
  const std::int64_t loads = cost.inputs.turns;
  const std::int64_t load = memory.cycles(cost.inputs.bus_bytes / loads);
  const std::int64_t store = memory.cycles(cost.stores.bus_bytes / cost.stores.turns);
  const Runs runs = runs_of(problem.output, gemm_output_tile(mapping, cursor));
  const std::int64_t request = std::min<std::int64_t>(hardware.dma.transaction_bytes, runs.bytes);
  const std::int64_t requests = ceil_div(gemm_output_bytes(problem, mapping, cursor), request);
  const std::int64_t behind = requests * memory.cycles(hardware.dma.transaction_bytes);
  const std::int64_t step = cycles.array / (cursor.steps() / cursor.parts());
  const std::int64_t late = cycles.drain + memory.latency_cycles() + memory.setup_cycles() + store +
                            std::clamp<std::int64_t>(load - cycles.drain, 0, behind) -
                            (mapping.output_slots - 1) * step;
  return loads * std::clamp<std::int64_t>(late, 0, load);
}

/// Bytes that are there before the first pass: a tile of inputs, and weights that nobody had time to load
/// before.
std::int64_t first_bytes(const GemmProblem& problem, const GemmMapping& mapping, const GemmCursor& cursor,
                         const HardwareConfig& hardware, const MappingLimits& limits) {
  std::int64_t bytes = 0;
  if (mapping.fetch_input || !mapping.input_resident) {
    GemmMapping streamed = mapping;
    streamed.input_resident = false;
    if (mapping.fetch_input) {
      streamed.part_kernel_h = problem.geometry.kernel_h;
      streamed.part_kernel_w = problem.geometry.kernel_w;
    }
    bytes += gemm_tile_bytes(problem, streamed, GemmCursor(problem, streamed)).input;
  }
  if (limits.weights_ahead) return bytes;
  // In a ring all parts of a column tile load one behind the other.
  const std::int64_t parts = hardware.dma.weight_prefetch == WeightPrefetch::ring ? cursor.parts() : 1;
  if (parts == 1) return bytes + cursor.block_bytes(0, 0);
  cursor.visit_parts(
      [&](std::int64_t part, std::int64_t alike) { bytes += alike * cursor.block_bytes(0, part); });
  return bytes;
}

}  // namespace

MappingCost gemm_cost(const GemmProblem& problem, const GemmMapping& mapping, const HardwareConfig& hardware,
                      const MappingLimits& limits, const EventRates* rates) {
  const GemmCursor cursor(problem, mapping);
  const MemoryRate& memory = limits.memory;
  RowCost cost = gemm_traffic(problem, mapping, cursor, limits);
  const GemmCycles cycles = gemm_cycles(problem, mapping, cursor, hardware);
  cost.busy_cycles = std::max({cycles.array, cycles.requantizer, cycles.accumulators});
  cost.spill_cycles = 2 * cycles.spilled;
  if (cursor.parts() > 1) {
    const std::int64_t beside =
        memory.cycles(cost.stores.bus_bytes + (mapping.fetch_input ? cost.inputs.bus_bytes : 0));
    cost.busy_cycles =
        std::max(cost.busy_cycles, cycles_of_parts(problem, mapping, cursor, cycles, memory, beside));
  }
  cost.busy_cycles = std::max(
      cost.busy_cycles, cycles.array + store_waits(problem, mapping, cursor, hardware, cycles, cost, memory));
  if (mapping.fetch_input) {
    // The first block of weights meets all of an input that is fetched, or its first tile.
    const std::int64_t tiles =
        mapping.order == LoopOrder::weights_outer ? 1 : cursor.steps() / (cursor.blocks() * cursor.parts());
    cost.busy_cycles =
        std::max(cost.busy_cycles, memory.cycles(cost.inputs.bus_bytes) / tiles + cycles.array -
                                       cycles.array / (cursor.blocks() * tiles));
  }
  // What has nothing beside it to overlap with.
  if (limits.activation_slots == 1 && !mapping.input_resident)
    cost.busy_cycles += memory.cycles(cost.inputs.bus_bytes);
  if (limits.weight_slots == 1 && !mapping.weights_resident)
    cost.busy_cycles += memory.cycles(cost.weights.bus_bytes);
  const std::int64_t first = first_bytes(problem, mapping, cursor, hardware, limits);
  if (first > 0) cost.first_cycles = memory.cycles(first) + memory.latency_cycles() + memory.setup_cycles();
  cost.last_cycles = cycles.drain;
  // The last loads are a block of weights that all pixels pass by, or what a single step needs.
  const bool block_is_last = mapping.order == LoopOrder::weights_outer && cursor.parts() == 1;
  const std::int64_t last_array = block_is_last ? cycles.array / cursor.blocks() : cycles.last_step;
  cost.tail_cycles = memory.latency_cycles() + cycles.drain + std::min(last_array, cycles.array);
  if (mapping.store_output) {
    const std::int64_t stored = exposed_output_bytes(mapping, gemm_output_bytes(problem, mapping, cursor));
    cost.last_cycles += memory.cycles(stored) + memory.latency_cycles() + memory.setup_cycles();
  }
  MappingCost found(cost, memory);
  if (rates != nullptr)
    found.energy_pj = rates->energy_pj(gemm_events(problem, mapping, cursor, hardware, cost), found.cycles);
  return found;
}

}  // namespace qsim

#include "sim/compiler/gemm_cuts.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "sim/compiler/gemm_tiles.h"
#include "sim/compiler/reduction_parts.h"
#include "sim/compiler/schedule.h"

namespace qsim {

PassBounds pass_bounds(const GemmProblem& problem, const GemmMapping& mapping, const HardwareConfig& hardware,
                       std::int64_t groups) {
  const ConvolutionGeometry& g = problem.geometry;
  LayerShape layer;
  layer.groups = groups;
  layer.outputs = g.group_outputs();
  layer.pixels = g.output[kRow] * g.output[kColumn];
  layer.taps = g.kernel_h * g.kernel_w;
  layer.channels = g.group_channels();
  layer.weight_bits = problem.weight_format.bits;
  layer.activation_bits = problem.activation_format.bits;
  return dataflow_of(mapping).bounds(hardware.mac_array, layer, hardware.accumulators.entries_per_slot());
}

std::int64_t whole_blocks(const GemmProblem& problem, const GemmMapping& mapping,
                          const HardwareConfig& hardware, std::int64_t channels) {
  if (!problem.in_blocks) return channels;
  const DataflowModel& dataflow = dataflow_of(mapping);
  const std::int64_t most =
      dataflow.stays() == Stays::inputs
          ? hardware.accumulators.entries_per_slot()
          : dataflow.extent(hardware.mac_array, problem.weight_format.bits, problem.activation_format.bits)
                .columns;
  const std::int64_t blocks = std::min(ceil_div(channels, arithmetic::kMxBlock), most / arithmetic::kMxBlock);
  return blocks * arithmetic::kMxBlock;
}

bool cuts_fall_on_bytes(const GemmProblem& problem, GemmMapping mapping, std::int64_t size,
                        std::int64_t tiles) {
  mapping.column_tiles_per_block = size;
  const TensorView* addend = problem.addend();
  const std::int64_t granule = std::max(
      byte_granule(problem.output.layout.format.bits),
      byte_granule(addend == nullptr ? problem.output.layout.format.bits : addend->layout.format.bits));
  const std::int64_t input_granule = byte_granule(problem.input.layout.format.bits);
  if (granule == 1 && input_granule == 1) return true;
  const GemmCursor cursor(problem, mapping);
  // Where blocks begin comes again after as many as a period of them has elements of a byte.
  const std::int64_t period = cursor.block_period() * granule * input_granule;
  for (std::int64_t block = 1; block <= period && block * size < tiles; ++block) {
    if (cursor.block_channels(block).first % granule != 0) return false;
    const std::int64_t group = cursor.column_tile(cursor.column_tile_begin(block)).group_begin;
    if (group * problem.geometry.group_channels() % input_granule != 0) return false;
  }
  return true;
}

bool is_one_of_few(std::int64_t tile, std::int64_t size) {
  const std::vector<std::int64_t> few = few_tile_sizes(size);
  return std::ranges::find(few, tile) != few.end();
}

std::vector<std::int64_t> tile_column_sizes(const GemmProblem& problem, const GemmMapping& mapping,
                                            const HardwareConfig& hardware, std::int64_t rows, bool streams) {
  const ConvolutionGeometry& g = problem.geometry;
  const std::int64_t columns = g.output[kColumn];
  if (streams && rows == 1) return tile_sizes(columns);
  std::vector<std::int64_t> sizes{columns};
  if (hardware.mapper.largest_tiles) return sizes;
  const PartSize part{mapping.part_kernel_h, mapping.part_kernel_w, mapping.part_channels};
  const std::int64_t held = hardware.accumulators.entries_per_slot() / mapping.column_tiles_per_block;
  if (part != whole_reduction(problem) && held >= rows && held < rows * columns) {
    const std::int64_t across = ceil_div(columns, held / rows);
    const std::int64_t all_rows = g.output[kRow];
    const std::int64_t otherwise =
        held >= columns ? ceil_div(all_rows, held / columns) : all_rows * ceil_div(columns, held);
    if (ceil_div(all_rows, rows) * across < otherwise) sizes.push_back(ceil_div(columns, across));
  }
  const bool overlaps = (g.kernel_h - 1) * g.dilation_h + 1 > g.stride_h;
  if (!mapping.input_resident && overlaps)
    std::ranges::copy(box_columns(rows, columns), std::back_inserter(sizes));
  return sizes;
}

std::int64_t most_passes(const GemmProblem& problem, const GemmMapping& mapping) {
  const auto edge = [](std::int64_t size, std::int64_t tile) { return (size - 1) % tile + 1; };
  const Dims& output = problem.geometry.output;
  std::int64_t most = 0;
  for (const std::int64_t rows : {mapping.tile_rows, edge(output[kRow], mapping.tile_rows)}) {
    for (const std::int64_t columns : {mapping.tile_columns, edge(output[kColumn], mapping.tile_columns)})
      most = std::max(most, PassCut(rows * columns, mapping.pixels_per_pass, mapping.pass_order).count());
  }
  return most;
}

std::int64_t room_beside_residents(const GemmProblem& problem, const GemmMapping& residency,
                                   const HardwareConfig& hardware) {
  std::int64_t room = hardware.activation_buffer.capacity_bytes();
  const auto take = [&room](const TensorView& resident) {
    const std::int64_t bytes = dense_bytes(resident.dims, resident.layout.format, resident.pixel_granule);
    if (bytes < room) room -= bytes;
  };
  if (residency.input_resident) take(problem.input);
  if (residency.output_resident) take(problem.output);
  return room;
}

int gemm_kind(const GemmProblem& problem, const GemmMapping& mapping, const GemmCursor& cursor,
              const HardwareConfig& hardware) {
  constexpr int kMostHalves = 3;
  int halves = 0;
  for (std::int64_t used = 2 * cursor.pass_entries();
       halves < kMostHalves && used <= hardware.accumulators.entries_per_slot(); used *= 2)
    ++halves;
  const int order = mapping.order == LoopOrder::weights_outer ? 1 : 0;
  const int dataflow = static_cast<int>(mapping.dataflow);
  const Dims& output = problem.geometry.output;
  const bool is_cut = mapping.tile_rows < output[kRow] || mapping.tile_columns < output[kColumn];
  return 32 * dataflow + (is_cut ? 16 : 0) + 4 * halves + (cursor.parts() > 1 ? 2 : 0) + order;
}

}  // namespace qsim

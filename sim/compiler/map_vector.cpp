#include <algorithm>
#include <cstdlib>
#include <utility>

#include "hw_models/arithmetic/bit_packing.h"
#include "hw_models/core/nest_cursor.h"
#include "sim/compiler/mapping.h"
#include "sim/compiler/schedule.h"
#include "sim/compiler/tile_sums.h"

namespace qsim {

namespace {

bool works_on_rows(const VectorNest& nest) {
  return std::holds_alternative<arithmetic::RowFunction>(nest.function);
}

/// A cut along output dimension `d` is possible: rows stay whole, and where elements are narrower than a byte
/// the channels that it maps to stay whole in every memory.
bool may_cut(const VectorNest& nest, std::size_t d) {
  if (d == kChannel && works_on_rows(nest)) return false;
  if (d == kChannel && nest.output.dram.format.bits % 8 != 0) return false;
  return std::ranges::all_of(nest.inputs, [&](const VectorInput& input) {
    return input.source[kChannel] != d || input.placement.dram.format.bits % 8 == 0;
  });
}

/// A function of the same kind without its tables.
VectorFunction stand_in(const VectorNest& nest) {
  if (std::holds_alternative<arithmetic::ResizeFunction>(nest.function)) return nest.function;  // geometry
  if (works_on_rows(nest)) return arithmetic::RowFunction{};
  return arithmetic::UnaryFunction{arithmetic::CopyFunction{}};
}

bool streams(const VectorNest& nest) {
  return !nest.output.resident ||
         std::ranges::any_of(nest.inputs, [](const VectorInput& input) { return !input.placement.resident; });
}

std::int64_t tile_bytes(const VectorNest& nest) {
  std::int64_t bytes = nest.output.resident ? 0 : dense_bytes(nest.tile, nest.output.dram.format);
  for (std::size_t i = 0; i < nest.inputs.size(); ++i) {
    const Placement& placement = nest.inputs[i].placement;
    if (!placement.resident) bytes += dense_bytes(vector_input_tile(nest, i), placement.dram.format);
  }
  return bytes;
}

/// Sum over the tiles of output dimension `from` of the input extents that they reach in dimension `d`; for
/// channels in packed bytes.
std::int64_t input_extents(const VectorNest& nest, const VectorInput& input, std::size_t d) {
  const std::size_t from = input.source[d];
  VectorNest line = nest;  // the tiles of this dimension alone
  for (std::size_t other = 0; other < kDims; ++other) {
    if (other != from) line.extent[other] = line.tile[other] = 1;
  }
  const VectorCursor cursor(line);
  const TileRange inside = tiles_inside({line.extent[from], line.tile[from], input.stride[d], input.offset[d],
                                         nest.window[d], input.placement.dims[d]});
  return sum_over_tiles(cursor.steps(), inside, [&](std::int64_t i) {
    const std::int64_t extent = cursor.input_box(input, cursor.step(i).output).extent(d);
    return d == kChannel ? arithmetic::packed_bytes(extent, input.placement.dram.format.bits) : extent;
  });
}

/// The tiles are boxes cut independently in each dimension, so the sum of the products is the product of the
/// sums.
std::int64_t input_bytes(const VectorNest& nest, const VectorInput& input) {
  std::int64_t bytes = 1;
  for (std::size_t d = 0; d < kDims; ++d) bytes *= input_extents(nest, input, d);
  return bytes;
}

MappingCost cost_of(const VectorNest& nest, std::int64_t burst_bytes) {
  MappingCost cost;
  const std::int64_t tiles = VectorCursor(nest).steps();
  cost.occupied_cycles = tiles;
  if (nest.store_output) {
    cost.add_traffic(dense_bytes(nest.extent, nest.output.dram.format), run_bytes(nest.output, nest.tile),
                     burst_bytes);
    cost.exposed_bytes += dense_bytes(nest.tile, nest.output.dram.format);
    cost.transfers += tiles;
  }
  for (std::size_t i = 0; i < nest.inputs.size(); ++i) {
    const Placement& placement = nest.inputs[i].placement;
    if (placement.resident) continue;
    const Dims tile = vector_input_tile(nest, i);
    cost.add_traffic(input_bytes(nest, nest.inputs[i]), run_bytes(placement, tile), burst_bytes);
    cost.exposed_bytes += dense_bytes(tile, placement.dram.format);
    cost.transfers += tiles;
  }
  return cost;
}

}  // namespace

Dims vector_input_tile(const VectorNest& nest, std::size_t input) {
  const VectorInput& source = nest.inputs[input];
  Dims tile{};
  if (std::holds_alternative<arithmetic::ResizeFunction>(nest.function)) {
    const VectorCursor cursor(nest);
    tile = nest.tile;
    for (const std::size_t d : {std::size_t{kRow}, std::size_t{kColumn}}) {
      tile[d] = 0;
      for (std::int64_t begin = 0; begin < nest.extent[d]; begin += nest.tile[d]) {
        Box box{{}, {1, 1, 1, 1}};
        box.begin[d] = begin;
        box.end[d] = std::min(nest.extent[d], begin + nest.tile[d]);
        tile[d] = std::max(tile[d], cursor.input_box(source, box).extent(d));
      }
    }
    return tile;
  }
  for (std::size_t d = 0; d < kDims; ++d) {
    const std::int64_t reach =
        (nest.tile[source.source[d]] - 1) * std::abs(source.stride[d]) + nest.window[d];
    tile[d] = std::min(source.placement.dims[d], reach);
  }
  return tile;
}

MappingOptions<VectorNest> map_vector(const VectorNest& problem, const MappingLimits& limits) {
  MappingOptions<VectorNest> found;
  VectorNest nest = problem;
  // The candidates are many and a table is large.
  nest.function = stand_in(problem);
  nest.tile = nest.extent;
  // Cut the batch first, then rows, columns, channels: each only once the ones before are down to one.
  for (std::size_t d = 0; d < kDims; ++d) {
    if (nest.extent[d] > 1 && !may_cut(nest, d)) continue;
    for (const std::int64_t size : tile_sizes(nest.extent[d])) {
      nest.tile[d] = size;
      // A single tile needs no second slot.
      const std::int64_t slots = VectorCursor(nest).steps() == 1 ? 1 : limits.activation_slots;
      const std::int64_t needed = tile_bytes(nest) * slots;
      add_needed(found.needed, {0, 0, needed});
      found.options.push_back({nest, cost_of(nest, limits.burst_bytes), needed});
      if (!streams(nest)) break;  // nothing passes through slots: one tile
    }
    if (!streams(nest)) break;
  }
  keep_worthwhile(found.options);
  return found;
}

}  // namespace qsim

#include "hw_models/pass_timing.h"

#include <algorithm>

#include "hw_models/arithmetic/bit_packing.h"

namespace qsim {

namespace {

std::int64_t weight_read_cycles(const SramBuffer& buffer, const MacTile& tile, std::int64_t elements) {
  return buffer.read_cycles(arithmetic::packed_bytes(elements, tile.nest->weight_format.bits));
}

std::int64_t activation_read_cycles(const SramBuffer& buffer, const MacTile& tile, std::int64_t elements) {
  return buffer.read_cycles(arithmetic::packed_bytes(elements, tile.nest->activation_format.bits));
}

std::int64_t load_cycles(const MacArrayConfig& array, const MacTile& tile, const SramBuffer& weights,
                         const SramBuffer& activations) {
  const std::int64_t least = array.organization == Organization::systolic ? array.rows : array.columns;
  switch (tile.nest->dataflow) {
    case Dataflow::weight_stationary:
      return std::max(least, weight_read_cycles(weights, tile, tile.chunk_depth * tile.channels()));
    case Dataflow::input_stationary:
      return std::max(least,
                      activation_read_cycles(activations, tile, tile.chunk_depth * tile.columns_used()));
    case Dataflow::output_stationary:
      break;
  }
  return 0;
}

}  // namespace

std::int64_t step_read_cycles(const MacTile& tile, const SramBuffer& weights, const SramBuffer& activations) {
  switch (tile.nest->dataflow) {
    case Dataflow::weight_stationary:
      return activation_read_cycles(activations, tile, tile.rows_used());
    case Dataflow::input_stationary:
      return weight_read_cycles(weights, tile, tile.rows_used());
    case Dataflow::output_stationary:
      break;
  }
  const bool is_systolic = tile.nest->organization == Organization::systolic;
  const std::int64_t step_weights =
      is_systolic ? tile.columns_used() : tile.rows_used() * tile.group_channels();
  return std::max(activation_read_cycles(activations, tile, tile.rows_used()),
                  weight_read_cycles(weights, tile, step_weights));
}

PassTiming pass_timing(const MacArrayConfig& array, const MacTile& tile, const SramBuffer& weight_buffer,
                       const SramBuffer& activation_buffer) {
  const GemmNest& nest = *tile.nest;
  const std::int64_t product = array.cycles_per_mac(nest.weight_format.bits, nest.activation_format.bits);
  PassTiming timing;
  timing.interval = std::max(product, step_read_cycles(tile, weight_buffer, activation_buffer));
  timing.stream_cycles = tile.steps() * timing.interval;
  timing.load_cycles = load_cycles(array, tile, weight_buffer, activation_buffer);
  // Until the first PE has done its last product.
  const std::int64_t entered = (tile.steps() - 1) * timing.interval + product;
  if (array.organization == Organization::dot_product) {
    timing.compute_cycles = entered;
    timing.drain_cycles = entered + array.tree_cycles();
    return timing;
  }
  // Data-dependent sums have adders of their own: of what streams past a further column (of inputs) or, where
  // weights stream down the columns, a further row.
  const bool sums_inputs = nest.parameters.asymmetric_weights;
  const bool inputs_stream_past = nest.dataflow != Dataflow::input_stationary;
  const bool weights_stream_past = nest.dataflow != Dataflow::weight_stationary;
  const std::int64_t further =
      (sums_inputs && inputs_stream_past ? 1 : 0) + (nest.sums_weights && weights_stream_past ? 1 : 0);
  timing.compute_cycles = entered + tile.rows_used() + tile.columns_used() - 2;
  timing.drain_cycles = entered + array.rows + array.columns + further - 2;
  if (nest.dataflow == Dataflow::output_stationary) {
    timing.first_sum_cycle = entered - 1;
    timing.bus_free_cycle = entered - 1 + tile.rows_used();
  }
  return timing;
}

}  // namespace qsim

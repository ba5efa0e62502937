#include "hw_models/dataflow/dataflow_model.h"

#include <algorithm>
#include <bit>

namespace qsim {

ArrayExtent DataflowModel::extent(const MacArrayConfig& array, int weight_bits, int activation_bits) const {
  if (!reduces_along_rows()) return {array.rows, array.columns};
  return {array.rows * array.macs_a_pe(weight_bits, activation_bits), array.columns};
}

std::int64_t DataflowModel::peak_macs_per_cycle(const MacArrayConfig& array, int weight_bits,
                                                int activation_bits) const {
  return ceil_div(array.rows * array.columns * array.macs_a_pe(weight_bits, activation_bits),
                  array.cycles_per_mac(weight_bits, activation_bits));
}

std::int64_t DataflowModel::steps_a_sum(const PassShape& /*pass*/) const {
  return 1;
}

std::int64_t DataflowModel::weight_sweeps(const PassShape& /*pass*/) const {
  return 1;
}

std::int64_t DataflowModel::lines(const ArrayExtent& extent) const {
  if (stays() == Stays::sums) return 0;
  return is_systolic() ? extent.rows : extent.columns;
}

std::int64_t DataflowModel::lines_a_cycle(const PassShape& pass) const {
  return is_systolic() ? pass.macs_a_pe : 1;
}

std::optional<OperandBox> DataflowModel::line(const PassShape& pass, std::int64_t index) const {
  if (index >= (is_systolic() ? rows_used(pass) : columns_used(pass))) return std::nullopt;
  // Operands of a group beside each other in a line, and lines of a group.
  const std::int64_t width = columns_used(pass) / pass.groups;
  const std::int64_t lines_a_group = is_systolic() ? pass.depth : width;
  const std::int64_t group = index / lines_a_group;
  const std::int64_t at = index % lines_a_group;
  OperandBox box{{group, group + 1}, {0, pass.pixels}, {0, pass.depth}, {0, pass.channels}};
  if (is_systolic()) {
    box.k = {at, at + 1};
  } else {
    (stays() == Stays::weights ? box.channels : box.pixels) = {at, at + 1};
  }
  return box;
}

std::int64_t DataflowModel::step_cycles(const MacArrayConfig& array, const PassShape& pass,
                                        std::int64_t update_cycles) const {
  return std::max(array.cycles_per_mac(pass.weight_bits, pass.activation_bits),
                  ceil_div(update_cycles, steps_a_sum(pass)));
}

PassCycles DataflowModel::timing(const MacArrayConfig& array, const PassShape& pass,
                                 const StreamCycles& stream, std::int64_t update_cycles) const {
  PassCycles cycles;
  cycles.stream_cycles = stream.stream_cycles;
  cycles.last_step_cycle = stream.last_step_cycle;
  cycles.first_sum_cycle = stream.first_sum_cycle;
  // Until the first PE has done its last product.
  const std::int64_t entered =
      stream.last_step_cycle + array.cycles_per_mac(pass.weight_bits, pass.activation_bits);
  if (!is_systolic()) {
    cycles.compute_cycles = entered;
    cycles.drain_cycles = entered + array.tree_cycles();
    cycles.bus_cycles = stream.last_step_cycle + update_cycles - stream.first_sum_cycle;
    return cycles;
  }
  // Data-dependent sums have adders of their own: of what streams past a further column (of inputs) or, where
  // weights stream down the columns, a further row.
  const std::int64_t further =
      (pass.sums_inputs && streams_inputs() ? 1 : 0) + (pass.sums_weights && streams_weights() ? 1 : 0);
  const std::int64_t rows = ceil_div(rows_used(pass), reduces_along_rows() ? pass.macs_a_pe : 1);
  cycles.compute_cycles = entered + rows + columns_used(pass) - 2;
  cycles.drain_cycles = entered + array.rows + array.columns + further - 2;
  return cycles;
}

int DataflowModel::moving_bits(int weight_bits, int activation_bits) const {
  if (!is_systolic()) return 0;
  return (streams_weights() ? weight_bits : 0) + (streams_inputs() ? activation_bits : 0);
}

int DataflowModel::sum_bits(const MacArrayConfig& array, int accumulator_bits, int weight_bits,
                            int activation_bits) const {
  if (is_systolic()) return accumulator_bits;
  const std::int64_t rows = extent(array, weight_bits, activation_bits).rows;
  return weight_bits + activation_bits +
         static_cast<int>(std::bit_width(static_cast<std::uint64_t>(rows - 1)));
}

}  // namespace qsim

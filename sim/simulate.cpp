#include "sim/simulate.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <stdexcept>

#include "hw_models/core/nest_cursor.h"
#include "hw_models/dataflow/dataflow_table.h"
#include "hw_models/dataflow/precision_style.h"
#include "hw_models/run_chip.h"
#include "sim/chip_values.h"
#include "sim/compiler/compile.h"
#include "sim/layer_values.h"
#include "sim/run_memory.h"
#include "workloads/execute/worst_case_sums.h"
#include "workloads/graph/blocks.h"

namespace qsim {

namespace {

void describe_precision(LayerResult& layer, const Graph& graph, const Node& node, const CompiledRow& row,
                        const HardwareConfig& hardware) {
  const Tensor& input = graph.tensor(node.inputs[0]);
  if (input.quantization) {
    layer.activation_bits = input.quantization->bits;
    layer.activations_signed = input.quantization->is_signed;
  }
  if (!row.mac) return;
  const Quantization& weights = *graph.tensor(node.inputs[1]).quantization;
  layer.weight_bits = weights.bits;
  layer.weights_signed = weights.is_signed;
  const GemmMapping& mapping = std::get<GemmLayerMapping>(row.mapping).mapping;
  layer.peak_macs_per_cycle =
      dataflow_of(mapping).peak_macs_per_cycle(hardware.mac_array, weights.bits, layer.activation_bits);
  layer.is_array_built_for_it = precision_model(hardware.mac_array).is_built_for_layer();
  if (hardware.mac_array.dataflows.size() > 1) layer.chosen_dataflow = mapping.dataflow;
  layer.accumulator_bits = hardware.accumulators.width_bits;
  layer.accumulator_bits_any_weights = row.accumulator_bits_any_weights;
  layer.rounding_profile = row.mac->rounding_profile;
  if (multiplies_blocks(graph, node))
    layer.blocks = {weights.block_size, block_reference(graph, node, hardware.accumulators.width_bits), {}};
  if (!weights.has_groups()) return;
  layer.groups = {weights.group_size,
                  *std::max_element(weights.group_multipliers.begin(), weights.group_multipliers.end()),
                  weights.group_scale_error};
}

/// Layers that do not compute with the scales that the model has.
void add_group_notes(RunResult& result) {
  for (const LayerResult& layer : result.layers) {
    if (!layer.groups || layer.groups->scale_error == 0.0) continue;
    result.notes.push_back(fmt::format(
        "{}: scales of groups are approximated by integer multiples, by {:.2g} % at most, so that "
        "its outputs are not bit-exact",
        layer.name, 100.0 * layer.groups->scale_error));
  }
}

LayerResult describe_row(const Graph& graph, const CompiledRow& row, const HardwareConfig& hardware) {
  const Node& node = graph.nodes[row.node];
  LayerResult layer;
  for (const std::size_t i : row.nodes) layer.nodes.push_back(graph.nodes[i].name);
  layer.name = layer.nodes.back();
  layer.op = op_name(graph, node);
  layer.on_host = row.on_host;
  layer.converts_for_host = row.converts_for_host;
  (row.on_host ? layer.host_macs : layer.macs) = mac_count(graph, node);
  layer.peak_macs_per_cycle = hardware.mac_array.rows * hardware.mac_array.columns;
  layer.mapping = row.mapping;
  layer.estimated_cycles = row.cost.cycles;
  describe_precision(layer, graph, node, row, hardware);
  return layer;
}

/// Adds what one part of a row took but its cycles.
void add_part(LayerResult& layer, const ChipRun& run, std::size_t row) {
  layer.span_cycles += run.span_cycles[row];
  for (std::size_t c = 0; c < kCycleClassCount; ++c) layer.cycles_breakdown[c] += run.breakdown[row][c];
  layer.activity += run.activity[row];
  layer.unit_cycles += run.unit_cycles[row];
}

/// Rows, cycles and events of the first inference, rows in the order in which their last parts, and of those
/// the last stripes, were complete. By row, its place among them.
std::vector<std::size_t> add_layers(RunResult& result, const Graph& graph, const CompiledProgram& compiled,
                                    const ChipRun& run) {
  std::vector<LayerResult> layers;
  std::vector<std::size_t> places(compiled.rows.size());
  for (const CompiledRow& row : compiled.rows) {
    layers.push_back(describe_row(graph, row, result.hardware));
    // Of a network: the most that any of its layers could do.
    result.peak_macs_per_cycle = std::max(result.peak_macs_per_cycle, layers.back().peak_macs_per_cycle);
  }
  const std::size_t last_part = static_cast<std::size_t>(compiled.program.rows) - layers.size();
  std::int64_t completed = 0;
  // Of the first inference: with one core, which retires its rows in order, these are the first ones.
  for (const Completion& completion : run.completions) {
    const auto r = static_cast<std::size_t>(completion.row);
    if (completion.row >= compiled.program.rows) continue;
    LayerResult& layer = layers[r % layers.size()];
    layer.cycles += completion.cycle - completed;  // from the completion before, of whatever row
    completed = completion.cycle;
    if (completion.cycle < run.rows[r].completed) continue;
    add_part(layer, run, r);
    if (r < last_part) continue;
    // A row on a product's way out takes no cycles of its own.
    const bool is_on_way_out = std::holds_alternative<WayOutLayerMapping>(layer.mapping);
    layer.bound = is_on_way_out ? result.layers.back().bound : bound_of(layer.cycles_breakdown);
    for (std::size_t c = 0; c < kCycleClassCount; ++c) result.cycles[c] += layer.cycles_breakdown[c];
    result.activity += layer.activity;
    result.macs += layer.macs;
    places[r % layers.size()] = result.layers.size();
    result.layers.push_back(std::move(layer));
  }
  result.total_cycles = completed;
  return places;
}

void add_steady_state(RunResult& result, const Program& program, const ChipRun& run,
                      std::int64_t inferences) {
  const auto rows = static_cast<std::size_t>(program.rows);
  if (inferences < 2 || rows == 0) return;
  SteadyState steady;
  steady.inferences = inferences;
  const std::size_t last = rows * static_cast<std::size_t>(inferences);
  steady.cycles = run.rows[last - 1].completed - run.rows[last - 1 - rows].completed;
  for (std::size_t r = last - rows; r < last; ++r) steady.activity += run.activity[r];
  result.steady_state = steady;
}

/// What the accumulators of each row saw, and where those that trap overflowed first.
struct RowSums {
  std::vector<std::optional<arithmetic::AccumulatorStats>> seen;
  std::vector<std::optional<arithmetic::OverflowPlace>> traps;
};

/// `places`: of add_layers().
void add_accumulators(RunResult& result, const Graph& graph, const CompiledProgram& compiled,
                      const std::vector<std::size_t>& places, const RowSums& sums) {
  for (std::size_t r = 0; r < places.size(); ++r) {
    const CompiledRow& row = compiled.rows[r];
    LayerResult& layer = result.layers[places[r]];
    layer.accumulator = sums.seen[r];
    layer.trap = sums.traps[r];
    if (!row.mac || !result.values_computed) continue;
    if (layer.blocks && layer.accumulator) {
      layer.blocks->rounded_sums = layer.accumulator->rounded_sums;
      layer.activity[Event::block_sums_rounded] = layer.accumulator->rounded_sums;
      result.activity[Event::block_sums_rounded] += layer.accumulator->rounded_sums;
    } else {
      layer.accumulator_worst_case = worst_case_sums(graph, graph.nodes[row.node], *row.mac);
    }
    const bool traps = result.hardware.accumulators.overflow == arithmetic::Overflow::trap;
    if (traps && layer.accumulator) result.trapped_overflows += layer.accumulator->overflows;
  }
}

ChipRun run_cost(const HardwareConfig& hardware, const CompiledProgram& compiled,
                 const SimulateOptions& options) {
  ChipOptions chip;
  chip.inferences = options.inferences;
  chip.fidelity = options.fidelity;
  chip.waveform = options.waveform;
  return run_chip(hardware, compiled.program, chip);
}

/// Time from the chip, values from the fast kernels; side by side where there are threads for both.
ChipRun run_with_layer_values(RunResult& result, const Graph& graph, const CompiledProgram& compiled,
                              const std::vector<TensorData>& inputs, const SimulateOptions& options,
                              RowSums& sums) {
  LayerRunner runner(graph, compiled, options.threads, options.dump_tensors);
  auto values = std::async(options.threads > 1 ? std::launch::async : std::launch::deferred,
                           [&] { return runner.run(inputs); });
  ChipRun run = run_cost(result.hardware, compiled, options);
  LayerValues computed = values.get();
  sums = {std::move(computed.accumulators), runner.traps()};
  result.outputs = std::move(computed.outputs);
  result.dump = std::move(computed.dump);
  return run;
}

ChipRun run_with_chip_values(RunResult& result, const Graph& graph, CompiledProgram& compiled,
                             const std::vector<TensorData>& inputs, const SimulateOptions& options,
                             RowSums& sums) {
  for (std::size_t i = 0; i < inputs.size(); ++i) add_input_image(compiled, graph.inputs[i], inputs[i]);
  ChipValues values(graph, compiled);
  ChipOptions chip;
  chip.inferences = options.inferences;
  chip.fidelity = options.fidelity;
  chip.waveform = options.waveform;
  chip.moves_values = true;
  chip.on_row_complete = [&](std::int32_t row, RowWindow window, const ChipMemory& memory) {
    values.collect(row, window, memory);
  };
  ChipRun run = run_chip(result.hardware, compiled.program, chip);
  const std::size_t rows = compiled.rows.size();
  for (std::size_t r = 0; r < static_cast<std::size_t>(compiled.program.rows); ++r) {
    if (!compiled.rows[r % rows].mac) continue;
    std::optional<arithmetic::AccumulatorStats>& seen = sums.seen[r % rows];
    if (!seen) seen.emplace();
    seen->merge(run.accumulators[r]);
  }
  const bool traps = result.hardware.accumulators.overflow == arithmetic::Overflow::trap;
  if (traps && std::ranges::any_of(sums.seen, [](const auto& seen) { return seen && seen->overflows > 0; })) {
    LayerRunner runner(graph, compiled, options.threads, false);  // the same values, layer by layer
    (void)runner.run(inputs);
    sums.traps = runner.traps();
  }
  result.outputs = values.outputs(inputs);
  if (options.dump_tensors) result.dump = values.dump(inputs);
  return run;
}

}  // namespace

RunResult simulate(const HardwareConfig& hardware, const Graph& graph, const std::vector<TensorData>& inputs,
                   const SimulateOptions& options) {
  check_value_memory(graph, options);
  const CostMapper cheapest;
  CompiledProgram compiled = compile(graph, hardware, options.mapper != nullptr ? *options.mapper : cheapest,
                                     options.values == Values::tile);
  return simulate(hardware, graph, compiled, inputs, options);
}

RunResult simulate(const HardwareConfig& hardware, const Graph& graph, CompiledProgram& compiled,
                   const std::vector<TensorData>& inputs, const SimulateOptions& options) {
  check_value_memory(graph, options);
  check_record_memory(graph, compiled, options);
  RunResult result;
  result.hardware = hardware;
  result.workload_name = graph.name;
  result.workload_source = graph.source;
  result.folded_nodes = graph.folded_nodes;
  result.notes = graph.provenance;
  result.peak_macs_per_cycle = hardware.mac_array.rows * hardware.mac_array.columns;
  result.values_computed = options.values != Values::none;

  RowSums sums{{compiled.rows.size(), std::nullopt}, {compiled.rows.size(), std::nullopt}};
  ChipRun run;
  switch (options.values) {
    case Values::none:
      run = run_cost(hardware, compiled, options);
      break;
    case Values::layer:
      run = run_with_layer_values(result, graph, compiled, inputs, options, sums);
      break;
    case Values::tile:
      run = run_with_chip_values(result, graph, compiled, inputs, options, sums);
      break;
  }
  std::vector<std::size_t> places = add_layers(result, graph, compiled, run);
  add_accumulators(result, graph, compiled, places, sums);
  add_group_notes(result);
  result.memory_map = compiled.memory_map;
  add_steady_state(result, compiled.program, run, options.inferences);
  result.timeline = {compiled.program.parts, std::move(run.intervals),   std::move(run.fills),
                     std::move(run.rows),    std::move(run.completions), std::move(run.bus),
                     std::move(places)};
  return result;
}

}  // namespace qsim

#include "sim/explain/accumulators.h"

#include <algorithm>

#include "sim/compiler/mapper.h"
#include "sim/report/summary.h"

namespace qsim {
namespace {

AccumulatorRow row_of(const LayerResult& layer) {
  return {layer.name,
          layer.op,
          layer.weight_bits,
          layer.activation_bits,
          *layer.accumulator,
          layer.accumulator_worst_case,
          layer.accumulator_bits_any_weights,
          layer.blocks ? layer.blocks->rounded_sums : std::nullopt};
}

AccumulatorWidth width_of(const RunResult& run, const EnergyModel& energy, std::string why) {
  const RunSummary summary = summarize(run, energy, 1);
  AccumulatorWidth width{run.hardware.accumulators.width_bits, std::move(why), run.total_cycles,
                         summary.totals.energy_total_pj,
                         summary.totals.energy_pj[static_cast<std::size_t>(Component::accumulators)]};
  width.block_sums = run.activity[Event::block_shifts];
  for (const LayerResult& layer : run.layers) {
    if (layer.blocks) width.rounded_sums += layer.blocks->rounded_sums.value_or(0);
  }
  return width;
}

}  // namespace

AccumulatorAnalysis analyze_accumulators(const ChipWith& chip_with, const EnergyOf& energy_of,
                                         const MapperFor& mapper_for, const Graph& graph,
                                         const std::vector<TensorData>& inputs, int threads) {
  const auto run_on = [&](const HardwareConfig& chip, Values values) {
    const std::unique_ptr<const Mapper> mapper = mapper_for(chip);
    SimulateOptions how;
    how.values = values;
    how.threads = threads;
    how.mapper = mapper.get();
    return simulate(chip, graph, values == Values::none ? std::vector<TensorData>{} : inputs, how);
  };
  const HardwareConfig chip = chip_with({});
  const RunResult run = run_on(chip, Values::layer);
  AccumulatorAnalysis analysis{chip.name, graph.name, chip.accumulators.width_bits, {}, 0, 0, {}};
  for (const LayerResult& layer : run.layers) {
    if (!layer.accumulator || (!layer.accumulator_worst_case && !layer.blocks)) continue;
    analysis.rows.push_back(row_of(layer));
    analysis.bits_used = std::max(analysis.bits_used, analysis.rows.back().bits_used());
    if (const auto& worst = analysis.rows.back().worst_case)
      analysis.bits_worst_case = std::max(analysis.bits_worst_case, worst->bits());
  }
  analysis.widths.push_back(width_of(run, energy_of(chip), "as configured"));
  // Accumulators hold a product of the array's operands at least.
  const int narrowest = std::max(8, chip.mac_array.weight_bits + chip.mac_array.activation_bits);
  const bool has_blocks =
      std::ranges::any_of(run.layers, [](const LayerResult& l) { return l.blocks.has_value(); });
  const auto add = [&](int needed, const char* why) {
    const int bits = std::max(needed, narrowest);
    const bool is_there = std::ranges::any_of(
        analysis.widths, [&](const AccumulatorWidth& width) { return width.bits == bits; });
    if (is_there || analysis.rows.empty()) return;
    const HardwareConfig other = chip_with({set_of("accumulators.width_bits", bits)});
    analysis.widths.push_back(
        width_of(run_on(other, has_blocks ? Values::layer : Values::none), energy_of(other), why));
  };
  if (has_blocks) {
    add(chip.accumulators.width_bits * 3 / 4, "three quarters");
    add(chip.accumulators.width_bits / 2, "half");
    return analysis;
  }
  add(analysis.bits_worst_case, "no input overflows");
  add(analysis.bits_used, "held the sums of this run");
  return analysis;
}

}  // namespace qsim

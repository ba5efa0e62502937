#include "sim/explain/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/error.h"
#include "sim/compiler/mapper.h"

namespace qsim {
namespace {

/// Runs the graph, without values, on variants of a chip.
class Runner {
 public:
  Runner(const ChipWith& chip_with, const Graph& graph, const MapperFor& mapper_for)
      : chip_with_(chip_with), graph_(graph), mapper_for_(mapper_for) {}

  [[nodiscard]] RunResult run(const std::vector<std::string>& sets) const {
    const HardwareConfig chip = chip_with_(sets);
    const std::unique_ptr<const Mapper> mapper = mapper_for_ ? mapper_for_(chip) : nullptr;
    SimulateOptions options;
    options.values = Values::none;
    options.mapper = mapper.get();
    return simulate(chip, graph_, {}, options);
  }
  /// Nothing where the chip or the network on it is not possible.
  [[nodiscard]] std::optional<std::int64_t> cycles(const std::vector<std::string>& sets) const {
    try {
      return run(sets).total_cycles;
    } catch (const InputError&) {
      return std::nullopt;
    }
  }

 private:
  const ChipWith& chip_with_;
  const Graph& graph_;
  const MapperFor& mapper_for_;
};

StepRun run_step(const Runner& runner, const RunResult& before, Step step) {
  StepRun done{std::move(step), 0, {}, ""};
  try {
    const RunResult run = runner.run(done.step.sets);
    done.cycles = run.total_cycles;
    if (run.layers.size() != before.layers.size()) return done;
    for (const LayerResult& layer : run.layers) done.layer_cycles.push_back(layer.cycles);
  } catch (const InputError& error) {
    done.error = error.what();
  }
  return done;
}

std::int64_t lost_cycles(const LayerResult& layer) {
  if (layer.macs == 0) return layer.cycles;
  const std::int64_t peak = std::max<std::int64_t>(1, layer.peak_macs_per_cycle);
  return std::max<std::int64_t>(0, layer.cycles - (layer.macs + peak - 1) / peak);
}

void find_slow_layers(ExplainResult& result, std::size_t most) {
  for (std::size_t i = 0; i < result.run.layers.size(); ++i) {
    result.slow.push_back({i, lost_cycles(result.run.layers[i])});
    result.lost_cycles += result.slow.back().lost_cycles;
  }
  std::ranges::stable_sort(result.slow, std::ranges::greater{}, &SlowLayer::lost_cycles);
  std::size_t count = 0;
  for (std::int64_t sum = 0; count < std::min(most, result.slow.size()); ++count) {
    if (sum * 5 >= result.lost_cycles * 4) break;
    sum += result.slow[count].lost_cycles;
  }
  result.slow.resize(count);
}

/// The least power of two below a setting's value with which the run takes no more cycles.
std::optional<std::int64_t> enough_of(const Runner& runner, const Amount& amount, std::int64_t cycles) {
  std::optional<std::int64_t> enough;
  if (amount.value < 2) return enough;
  auto next = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(amount.value - 1)));
  for (; next >= 1; next /= 2) {
    const std::optional<std::int64_t> with = runner.cycles({set_of(amount.path, next)});
    if (!with || *with > cycles) break;
    enough = next;
  }
  return enough;
}

void find_remarks(ExplainResult& result, const Runner& runner) {
  const HardwareConfig& hardware = result.run.hardware;
  const DramConfig& dram = hardware.dram;
  if (dram.kind != DramKind::none && dram.outstanding_requests < requests_for_bandwidth(hardware)) {
    const std::int64_t need = requests_for_bandwidth(hardware);
    result.remarks.push_back(
        {"dram.outstanding_requests", dram.outstanding_requests, need,
         fmt::format("dram.outstanding_requests={} are fewer than bandwidth x latency: with less than {} "
                     "bursts in flight more bandwidth has no effect on reads that wait for nothing else",
                     dram.outstanding_requests, need)});
  }
  for (const Amount& amount : amounts_of(hardware)) {
    const std::optional<std::int64_t> enough = enough_of(runner, amount, result.run.total_cycles);
    if (!enough) continue;
    result.remarks.push_back(
        {amount.path, amount.value, enough,
         fmt::format("{}={} is more than this run needs: with {} it takes no more cycles", amount.path,
                     amount.value, *enough)});
  }
}

}  // namespace

std::int64_t gain_of(const ExplainResult& result, const StepRun& step, std::size_t layer) {
  return result.run.layers[layer].cycles - step.layer_cycles[layer];
}

std::int64_t gain_of(const ExplainResult& result, const StepRun& step) {
  return result.run.total_cycles - step.cycles;
}

ExplainResult explain_run(const ChipWith& chip_with, const Graph& graph, const ExplainOptions& options) {
  const Runner runner(chip_with, graph, options.mapper_for);
  ExplainResult result;
  result.run = runner.run({});
  result.limits = limits_of(result.run);
  find_slow_layers(result, options.layers);
  for (const Step& step : next_steps(result.run.hardware)) {
    result.steps.push_back(run_step(runner, result.run, step));
  }
  std::ranges::stable_sort(result.steps, [](const StepRun& a, const StepRun& b) {
    return a.error.empty() == b.error.empty() ? a.cycles < b.cycles : a.error.empty();
  });
  find_remarks(result, runner);
  return result;
}

}  // namespace qsim

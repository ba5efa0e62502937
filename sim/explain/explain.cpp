#include "sim/explain/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>

#include "base/error.h"
#include "sim/compiler/mapper.h"

namespace qsim {
namespace {

/// What a run is judged by.
struct Cycles {
  std::int64_t first = 0;
  std::int64_t steady = 0;  ///< 0 where there is one inference.

  [[nodiscard]] bool are_no_more_than(const Cycles& other) const {
    return first <= other.first && steady <= other.steady;
  }
};

Cycles cycles_of(const RunResult& run) {
  return {run.total_cycles, run.steady_state ? run.steady_state->cycles : 0};
}

/// Runs the graph, without values, on variants of a chip.
class Runner {
 public:
  Runner(const ChipWith& chip_with, const Graph& graph, const ExplainOptions& options)
      : chip_with_(chip_with), graph_(graph), options_(options) {}

  [[nodiscard]] RunResult run(const std::vector<std::string>& sets) const {
    const HardwareConfig chip = chip_with_(sets);
    const std::unique_ptr<const Mapper> mapper = options_.mapper_for ? options_.mapper_for(chip) : nullptr;
    SimulateOptions how;
    how.values = Values::none;
    how.inferences = options_.inferences;
    how.mapper = mapper.get();
    return simulate(chip, graph_, {}, how);
  }
  /// Nothing where the chip or the network on it is not possible.
  [[nodiscard]] std::optional<Cycles> cycles(const std::vector<std::string>& sets) const {
    try {
      return cycles_of(run(sets));
    } catch (const InputError&) {
      return std::nullopt;
    }
  }

 private:
  const ChipWith& chip_with_;
  const Graph& graph_;
  const ExplainOptions& options_;
};

/// Of each of `before`, by name, which chains may complete in another order; empty where one is not there.
std::vector<std::int64_t> layer_cycles(const RunResult& run, const std::vector<LayerResult>& before) {
  std::multimap<std::string, std::int64_t> of_name;  // Of equal names the first one goes first.
  for (const LayerResult& layer : run.layers) of_name.emplace(layer.name, layer.cycles);
  std::vector<std::int64_t> cycles;
  for (const LayerResult& layer : before) {
    const auto found = of_name.lower_bound(layer.name);
    if (found == of_name.end() || found->first != layer.name) return {};
    cycles.push_back(found->second);
    of_name.erase(found);
  }
  return cycles;
}

StepRun run_step(const Runner& runner, const RunResult& before, Step step) {
  StepRun done{std::move(step), 0, {}, {}, ""};
  try {
    const RunResult run = runner.run(done.step.sets);
    done.cycles = run.total_cycles;
    if (run.steady_state) done.steady_cycles = run.steady_state->cycles;
    done.layer_cycles = layer_cycles(run, before.layers);
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

struct Enough {
  std::int64_t value = 0, cycles = 0;
};

/// The least power of two below a setting's value with which the run takes no more cycles.
std::optional<Enough> enough_of(const Runner& runner, const Amount& amount, const Cycles& before) {
  std::optional<Enough> enough;
  if (amount.value < 2) return enough;
  auto next = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(amount.value - 1)));
  for (; next >= 1; next /= 2) {
    const std::optional<Cycles> with = runner.cycles({set_of(amount.path, next)});
    if (!with || !with->are_no_more_than(before)) break;
    enough = {next, with->first};
  }
  return enough;
}

/// A request is in flight for the latency and its time on the bus, so that the bus is busy for no more than
/// requests / requests_for_bandwidth() of the time.
void add_request_remark(ExplainResult& result, const Runner& runner) {
  constexpr const char* kPath = "dram.outstanding_requests";
  const DramConfig& dram = result.run.hardware.dram;
  if (dram.kind == DramKind::none) return;
  const std::int64_t need = requests_for_bandwidth(result.run.hardware);
  if (dram.outstanding_requests >= need) return;
  const std::optional<Cycles> with = runner.cycles({set_of(kPath, need)});
  if (!with) return;
  result.remarks.push_back(
      {kPath, dram.outstanding_requests, need, with->first,
       fmt::format(
           "{}={} are fewer than bandwidth x latency: reads use the bus for at most {:.0f}% of the "
           "time, and more bandwidth has hardly an effect on those that wait for nothing else; with {} this "
           "run takes {} cycles",
           kPath, dram.outstanding_requests,
           100.0 * static_cast<double>(dram.outstanding_requests) / static_cast<double>(need), need,
           with->first)});
}

void find_remarks(ExplainResult& result, const Runner& runner) {
  add_request_remark(result, runner);
  for (const Amount& amount : amounts_of(result.run.hardware)) {
    const std::optional<Enough> enough = enough_of(runner, amount, cycles_of(result.run));
    if (!enough) continue;
    result.remarks.push_back({amount.path, amount.value, enough->value, enough->cycles,
                              fmt::format("{}={} is more than this run needs: with {} it takes {}",
                                          amount.path, amount.value, enough->value,
                                          enough->cycles == result.run.total_cycles
                                              ? "as many cycles"
                                              : fmt::format("fewer cycles, {}", enough->cycles))});
  }
}

}  // namespace

std::string command_with(const ExplainResult& result, const std::vector<std::string>& sets) {
  std::string text = result.command;
  for (const std::string& set : sets) text += " --set " + set;
  return text;
}

std::int64_t gain_of(const ExplainResult& result, const StepRun& step, std::size_t layer) {
  return result.run.layers[layer].cycles - step.layer_cycles[layer];
}

std::int64_t gain_of(const ExplainResult& result, const StepRun& step) {
  return result.run.total_cycles - step.cycles;
}

ExplainResult explain_run(const ChipWith& chip_with, const Graph& graph, const ExplainOptions& options) {
  const Runner runner(chip_with, graph, options);
  ExplainResult result;
  result.command = options.command;
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

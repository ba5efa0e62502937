#include "sim/explain/explain_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/check/text_layout.h"

namespace qsim {
namespace {

constexpr std::size_t kColumns = 100;
constexpr std::size_t kNameColumns = 27;
constexpr std::size_t kStepsALayer = 3;
constexpr double kLeastGain = 0.005;  ///< What rounds to less than a percent is not worth a line.

double percent(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0.0;
}

std::string flags_of(const Step& step) {
  std::string text;
  for (const std::string& set : step.sets) text += (text.empty() ? "--set " : " --set ") + set;
  return text;
}

std::string step_table(const ExplainResult& result) {
  std::string text = fmt::format("{:<{}}{:>11}{:>8}  {}\n", "the next step of each setting", kNameColumns + 2,
                                 "cycles", "gain", "with that command and");
  std::string without;
  for (const StepRun& step : result.steps) {
    if (!step.error.empty()) {
      text += wrapped("  " + step.step.name + ": ", "not possible: " + step.error, kColumns);
    } else if (gain_of(result, step) == 0) {
      without += (without.empty() ? "" : ", ") + step.step.name;
    } else {
      text += fmt::format("  {:<{}}{:>11}{:>7.1f}%  {}\n", step.step.name, kNameColumns, step.cycles,
                          percent(gain_of(result, step), result.run.total_cycles), flags_of(step.step));
    }
  }
  return without.empty() ? text : text + wrapped("  no effect: ", without, kColumns);
}

/// The steps that gain most in a layer.
std::string best_steps(const ExplainResult& result, std::size_t layer) {
  std::vector<const StepRun*> best;
  for (const StepRun& step : result.steps) {
    if (step.error.empty() && !step.layer_cycles.empty()) best.push_back(&step);
  }
  const std::int64_t cycles = result.run.layers[layer].cycles;
  std::ranges::stable_sort(best, std::ranges::greater{},
                           [&](const StepRun* step) { return gain_of(result, *step, layer); });
  std::string text;
  for (std::size_t i = 0; i < std::min(kStepsALayer, best.size()); ++i) {
    const std::int64_t gain = gain_of(result, *best[i], layer);
    if (static_cast<double>(gain) < kLeastGain * static_cast<double>(cycles)) break;
    text += fmt::format("{}{} {:.0f}%", i == 0 ? "" : ", ", best[i]->step.name, percent(gain, cycles));
  }
  return text.empty() ? "no step gains a percent" : text;
}

std::string slow_layers(const ExplainResult& result) {
  std::string text = "layers with the most cycles beyond their MACs at the array's peak\n";
  for (const SlowLayer& slow : result.slow) {
    const LayerResult& layer = result.run.layers[slow.index];
    const Limits& limits = result.limits[slow.index];
    text += fmt::format("  {} {:>11} cycles, {:>5.1f}% of the run, limited by {}\n",
                        to_columns(layer.name, kNameColumns), layer.cycles,
                        percent(layer.cycles, result.run.total_cycles), limit_name(limits.limited_by));
    text += wrapped("      gains: ", best_steps(result, slow.index), kColumns);
  }
  return text;
}

}  // namespace

std::string explain_text(const ExplainResult& result) {
  std::string text = fmt::format("{} on {}: {} cycles, {:.1f}% of them beyond the MACs at the array's peak\n",
                                 result.run.workload_name, result.run.hardware.name, result.run.total_cycles,
                                 percent(result.lost_cycles, result.run.total_cycles));
  if (result.run.steady_state) {
    text += fmt::format("{} cycles an inference after the first ones\n", result.run.steady_state->cycles);
  }
  text += "\n  " + result.command + "\n\n";
  text += step_table(result) + "\n" + slow_layers(result);
  if (!result.remarks.empty()) text += "\nremarks\n";
  for (const EffectRemark& remark : result.remarks) {
    text += wrapped("  ", fmt::format("{} (--set {})", remark.text, set_of(remark.path, remark.enough)),
                    kColumns);
  }
  return text;
}

}  // namespace qsim

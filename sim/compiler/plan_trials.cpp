#include "sim/compiler/plan_trials.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include "hw_models/core/nest_cursor.h"
#include "hw_models/run_chip.h"
#include "sim/compiler/buffer_placement.h"
#include "sim/compiler/compile.h"
#include "sim/compiler/program_builder.h"

namespace qsim {
namespace {

/// Passes of the array and tiles of the vector unit that all simulations may take together.
constexpr std::int64_t kMostPasses = 1 << 15;
/// Rivals of a row, and other plans, that are tried at most.
constexpr std::size_t kMostRivals = 8;
constexpr std::size_t kMostOthers = 6;
/// A plan that moves more is worth it where it costs less by more than this part.
constexpr double kWorthMoving = 32.0;

std::int64_t passes_of(const GemmProblem& problem, const GemmMapping& mapping) {
  const GemmCursor cursor(problem, mapping);
  const std::int64_t pixels = mapping.tile_rows * mapping.tile_columns;
  const std::int64_t passes = PassCut(pixels, mapping.pixels_per_pass, mapping.pass_order).count();
  return cursor.steps() * mapping.column_tiles_per_block * passes * cursor.chunks(cursor.part(0)).count();
}

/// One simulation.
struct Trial {
  std::int64_t cycles = 0;
  std::vector<std::int64_t> row_cycles;  ///< From the completion of the rows before to its own.
};

class PlanTrials {
 public:
  PlanTrials(const Graph& graph, const Schedule& schedule, const std::vector<LoweredRow>& lowered,
             const HardwareConfig& hardware, const CostMeasure& measure)
      : graph_(graph), schedule_(schedule), lowered_(lowered), hardware_(hardware), measure_(measure) {}

  /// With a budget for three simulations at least: of the plan, with a rival of each row, and with what was
  /// found. Otherwise the plan as it is.
  MemoryPlan settle(MemoryPlan plan, std::vector<MemoryPlan> others) {
    if (3 * passes(plan) > passes_left_) return plan;
    const std::optional<Trial> first = run(plan);
    if (!first) return plan;
    MemoryPlan planned = with_costs(plan, *first);
    std::optional<MemoryPlan> better;
    // Fewer weights that stay have to be worth it, and so has what moves more: a few cycles in one place are
    // within what rows gain from their neighbours in another.
    const auto staying = [](const MemoryPlan& each) { return std::ranges::count(each.weights.stays, true); };
    const auto total = [&](const MemoryPlan& each) {
      const double own = measure_(each.cost);
      const bool is_larger = each.cost.dram_bytes * 32 > plan.cost.dram_bytes * 33;
      return own + (staying(each) < staying(plan) ? own / kWorthKeeping : 0.0) +
             (is_larger ? own / kWorthMoving : 0.0);
    };
    std::ranges::stable_sort(others, {}, [&](const MemoryPlan& other) { return measure_(other.cost); });
    std::size_t tried = 0;
    for (MemoryPlan& other : others) {
      if (!is_close(other, plan) || tried++ == kMostOthers || 2 * passes(other) > passes_left_) continue;
      const std::optional<Trial> trial = run(other);
      if (!trial) continue;
      other = with_costs(std::move(other), *trial);
      if (total(other) < total(better ? *better : planned)) better = std::move(other);
    }
    if (!better) return with_rivals(std::move(planned));
    // What is better as it is may have the weaker rivals.
    better = with_rivals(std::move(*better));
    planned = with_rivals(std::move(planned));
    return total(*better) < total(planned) ? std::move(*better) : std::move(planned);
  }

 private:
  [[nodiscard]] bool is_close(const MemoryPlan& other, const MemoryPlan& plan) const {
    return measure_(other.cost) < measure_(plan.cost) * (1.0 + 4.0 / kSure);
  }

  /// A simulated plan, or what is better.
  MemoryPlan with_rivals(MemoryPlan plan) {
    MemoryPlan mixed = plan;
    bool has_found = false;
    // What was found is simulated too.
    const std::int64_t reserve = passes(plan);
    for (std::size_t k = 0; k < kMostRivals && passes_left_ > reserve; ++k) {
      MemoryPlan tried = plan;
      if (!take_rivals(tried, k)) break;
      const std::optional<Trial> trial = run(tried);
      if (!trial) continue;
      for (std::size_t row = 0; row < plan.nests.size(); ++row) {
        if (k >= plan.rivals[row].size()) continue;
        MappingCost cost = plan.rivals[row][k].cost;
        cost.cycles = trial->row_cycles[row];
        if (measure_(cost) >= measure_(mixed.row_costs[row])) continue;
        mixed.nests[row] = tried.nests[row];
        mixed.row_costs[row] = cost;
        has_found = true;
      }
    }
    if (!has_found) return plan;
    const std::optional<Trial> trial = run(mixed);
    if (!trial) return plan;
    mixed = with_costs(std::move(mixed), *trial);
    return measure_(mixed.cost) < measure_(plan.cost) ? mixed : plan;
  }

  /// Nothing where weights that stay do not fit, or the budget is spent.
  std::optional<Trial> run(MemoryPlan plan) {
    const std::int64_t weights = place_resident_weights(lowered_, plan.nests);
    if (weights > room_for_weights(plan)) return std::nullopt;
    passes_left_ -= passes(plan);
    if (passes_left_ < 0) return std::nullopt;
    CompiledProgram compiled;
    compiled.schedule = schedule_;
    build_program(graph_, lowered_, std::move(plan), hardware_, false, compiled);
    const ChipRun run = run_chip(hardware_, compiled.program, {});
    Trial trial;
    for (const RowTimes& row : run.rows) {
      const std::int64_t completed = std::max(trial.cycles, row.completed);
      trial.row_cycles.push_back(completed - trial.cycles);
      trial.cycles = completed;
    }
    return trial;
  }

  [[nodiscard]] std::int64_t room_for_weights(const MemoryPlan& plan) const {
    return plan.weights.slots > 0 ? plan.weights.slots_begin : hardware_.weight_buffer.capacity_bytes();
  }

  [[nodiscard]] std::int64_t passes(const MemoryPlan& plan) const {
    std::int64_t count = 0;
    for (std::size_t row = 0; row < plan.nests.size(); ++row) {
      const GemmProblem* gemm = lowered_[row].gemm();
      count += gemm != nullptr ? passes_of(*gemm, std::get<GemmPlan>(plan.nests[row][0]).mapping) : 1;
    }
    return count;
  }

  /// False where no row has so many.
  static bool take_rivals(MemoryPlan& plan, std::size_t k) {
    bool has_any = false;
    for (std::size_t row = 0; row < plan.nests.size(); ++row) {
      if (k >= plan.rivals[row].size()) continue;
      plan.nests[row] = {plan.rivals[row][k].nest};
      has_any = true;
    }
    return has_any;
  }

  [[nodiscard]] MemoryPlan with_costs(MemoryPlan plan, const Trial& trial) const {
    static_cast<void>(place_resident_weights(lowered_, plan.nests));
    plan.cost = {};
    for (std::size_t row = 0; row < trial.row_cycles.size(); ++row) {
      plan.row_costs[row].cycles = trial.row_cycles[row];
      plan.cost += plan.row_costs[row];
    }
    return plan;
  }

  const Graph& graph_;
  const Schedule& schedule_;
  const std::vector<LoweredRow>& lowered_;
  const HardwareConfig& hardware_;
  CostMeasure measure_;
  std::int64_t passes_left_ = kMostPasses;
};

}  // namespace

MemoryPlan settle_by_simulation(const Graph& graph, const Schedule& schedule,
                                const std::vector<LoweredRow>& lowered, const HardwareConfig& hardware,
                                const CostMeasure& measure, MemoryPlan plan, std::vector<MemoryPlan> others) {
  return PlanTrials(graph, schedule, lowered, hardware, measure).settle(std::move(plan), std::move(others));
}

}  // namespace qsim

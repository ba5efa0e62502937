#include "sim/compiler/plan_trials.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <variant>

#include "hw_models/core/nest_cursor.h"
#include "hw_models/run_chip.h"
#include "sim/compiler/buffer_placement.h"
#include "sim/compiler/plan_equality.h"
#include "sim/compiler/simulated_cost.h"

namespace qsim {
namespace {

/// Passes of the array and tiles of the vector unit that all simulations may take together.
constexpr std::int64_t kMostPasses = 1 << 15;
/// Rivals of a row, and other plans, that are tried at most.
constexpr std::size_t kMostRivals = 8;
constexpr std::size_t kMostOthers = 12;
/// Plans of which rivals of the rows are tried: the fastest, as far as they are close.
constexpr std::size_t kMostSettled = 3;
/// A plan that moves more is worth it where it costs less by more than this part.
constexpr double kWorthMoving = 32.0;
/// Cycles that differ by less than this part are hardly different.
constexpr double kHardlyLonger = 200.0;

std::int64_t passes_of(const GemmProblem& problem, const GemmMapping& mapping) {
  const GemmCursor cursor(problem, mapping);
  const std::int64_t pixels = mapping.tile_rows * mapping.tile_columns;
  const std::int64_t passes = PassCut(pixels, mapping.pixels_per_pass, mapping.pass_order).count();
  return cursor.steps() * mapping.column_tiles_per_block * passes * cursor.chunks(cursor.part(0)).count();
}

class PlanTrials {
 public:
  PlanTrials(const Graph& graph, const Schedule& schedule, const std::vector<LoweredRow>& lowered,
             const HardwareConfig& hardware, const CostMeasure& measure)
      : graph_(graph), schedule_(schedule), lowered_(lowered), hardware_(hardware), measure_(measure) {}

  /// With a budget for three simulations at least: of the plan, with a rival of each row, and with what was
  /// found. Otherwise the plan as it is.
  MemoryPlan settle(MemoryPlan plan, std::vector<MemoryPlan> others) {
    if (3 * passes(plan) > passes_left_ || is_settled(plan, others) || !try_plan(plan)) return plan;
    std::ranges::stable_sort(others, {}, [&](const MemoryPlan& other) { return measure_(other.cost); });
    for (MemoryPlan& other : others) {
      if (tried_.size() > kMostOthers) break;
      if (is_close(other, plan) && 2 * passes(other) <= passes_left_) try_plan(std::move(other));
    }
    const std::vector<MemoryPlan> to_settle = worth_rivals();
    for (const MemoryPlan& each : to_settle) try_rivals(each);
    return std::move(tried_[best_of(tried_, &MemoryPlan::cost,
                                    [&](const MemoryPlan& each) { return price(each, plan); })]);
  }

 private:
  /// It has been simulated, and there is nothing else to choose.
  [[nodiscard]] static bool is_settled(const MemoryPlan& plan, const std::vector<MemoryPlan>& others) {
    return plan.simulated && others.empty() &&
           std::ranges::all_of(plan.rivals, [](const auto& rivals) { return rivals.empty(); });
  }

  [[nodiscard]] bool is_close(const MemoryPlan& other, const MemoryPlan& plan) const {
    return measure_(other.cost) < measure_(plan.cost) * (1.0 + 4.0 / kSure);
  }

  /// What is best with a rival may be a little slower without: the cheapest of the plans that were tried, the
  /// cheapest of those with the fewest weights that stay, whose slots allow other rivals, and the next.
  [[nodiscard]] std::vector<MemoryPlan> worth_rivals() const {
    const auto measure_of = [&](const MemoryPlan& each) { return measure_(each.cost); };
    std::vector<MemoryPlan> found = tried_;
    std::ranges::stable_sort(found, {}, measure_of);
    const double close = measure_of(found[0]) * (1.0 + 1.0 / kSure);
    std::erase_if(found, [&](const MemoryPlan& each) { return measure_of(each) > close; });
    const auto least = std::ranges::min_element(found, {}, staying);
    std::rotate(found.begin() + (least == found.begin() ? 0 : 1), least, least + 1);
    found.resize(std::min(found.size(), kMostSettled));
    return found;
  }

  [[nodiscard]] static std::int64_t staying(const MemoryPlan& plan) {
    return std::ranges::count(plan.weights.stays, true);
  }

  /// Fewer weights that stay have to be worth it, and so has what moves more: a few cycles in one place are
  /// within what rows gain from their neighbours in another.
  [[nodiscard]] double price(const MemoryPlan& each, const MemoryPlan& plan) const {
    const double own = measure_(each.cost);
    return own * moving(each.cost, plan.cost) + (staying(each) < staying(plan) ? own / kWorthKeeping : 0.0);
  }

  /// What moves more has to be worth it.
  [[nodiscard]] static double moving(const MappingCost& each, const MappingCost& first) {
    return each.dram_bytes * 32 > first.dram_bytes * 33 ? 1.0 + 1.0 / kWorthMoving : 1.0;
  }

  /// The cheapest; where the fewest cycles are wanted, of those that take hardly longer than the fastest,
  /// what moves more than the first entry beside. So nothing that is possible on a smaller chip as well, and
  /// simulated, is missed but for its traffic.
  template <typename Entry, typename Price>
  [[nodiscard]] std::size_t best_of(const std::vector<Entry>& entries, MappingCost Entry::*cost,
                                    const Price& price) const {
    const auto cycles = [&](const Entry& entry) {
      return static_cast<double>((entry.*cost).cycles) * moving(entry.*cost, entries.front().*cost);
    };
    double fastest = std::numeric_limits<double>::infinity();
    for (const Entry& entry : entries) fastest = std::min(fastest, cycles(entry));
    const double most = measure_.is_latency() ? fastest * (1.0 + 1.0 / kHardlyLonger)
                                              : std::numeric_limits<double>::infinity();
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (cycles(entries[i]) > most) continue;
      if (!best || price(entries[i]) < price(entries[*best])) best = i;
    }
    return *best;
  }

  /// One way to execute a row, simulated.
  struct TriedRow {
    std::vector<NestPlan> nests;
    MappingCost cost;
  };

  /// The plan with the first rival of each row, the second, ..; and with what was best in the place of each.
  void try_rivals(const MemoryPlan& plan) {
    std::vector<std::vector<TriedRow>> rows;
    for (std::size_t row = 0; row < plan.nests.size(); ++row)
      rows.push_back({{plan.nests[row], plan.row_costs[row]}});
    // What was found is simulated too.
    const std::int64_t reserve = passes(plan);
    for (std::size_t k = 0; k < kMostRivals && passes_left_ > reserve; ++k) {
      MemoryPlan with = plan;
      if (!take_rivals(with, k)) break;
      const MemoryPlan* tried = try_plan(std::move(with));
      if (tried == nullptr) continue;
      for (std::size_t row = 0; row < rows.size(); ++row) {
        if (k < plan.rivals[row].size()) rows[row].push_back({tried->nests[row], tried->row_costs[row]});
      }
    }
    MemoryPlan mixed = plan;
    bool has_found = false;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const std::size_t best = best_of(rows[row], &TriedRow::cost, [&](const TriedRow& each) {
        return measure_(each.cost) * moving(each.cost, rows[row].front().cost);
      });
      has_found |= best > 0;
      mixed.nests[row] = rows[row][best].nests;
      mixed.row_costs[row] = rows[row][best].cost;
    }
    if (has_found) try_plan(std::move(mixed));
  }

  /// Simulates a plan, unless that is known, and adds it to those that were tried. nullptr where weights that
  /// stay do not fit, or the budget is spent.
  const MemoryPlan* try_plan(MemoryPlan plan) {
    const std::int64_t weights = place_resident_weights(lowered_, plan.nests);
    if (weights > room_for_weights(plan)) return nullptr;
    const auto is_known = [&](const MemoryPlan& tried) { return are_executed_alike(tried, plan); };
    if (const auto known = std::ranges::find_if(tried_, is_known); known != tried_.end()) return &*known;
    passes_left_ -= passes(plan);
    if (passes_left_ < 0) return nullptr;
    const std::vector<std::int64_t> cycles = row_cycles(plan);
    plan.cost = {};
    for (std::size_t row = 0; row < cycles.size(); ++row) {
      plan.row_costs[row].cycles = cycles[row];
      plan.cost += plan.row_costs[row];
    }
    plan.simulated.reset();
    if (measure_.is_latency()) plan.simulated = SimulatedCost{plan.cost.cycles, 0.0};
    tried_.push_back(std::move(plan));
    return &tried_.back();
  }

  /// By simulation: from the completion of the rows before to each row's own.
  [[nodiscard]] std::vector<std::int64_t> row_cycles(MemoryPlan plan) const {
    const Program program = trial_program({graph_, schedule_, lowered_, hardware_}, std::move(plan));
    const ChipRun run = run_chip(hardware_, program, {});
    std::vector<std::int64_t> cycles;
    std::int64_t completed = 0;
    for (const RowTimes& row : run.rows) {
      const std::int64_t before = std::exchange(completed, std::max(completed, row.completed));
      cycles.push_back(completed - before);
    }
    return cycles;
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
      plan.row_costs[row] = plan.rivals[row][k].cost;
      has_any = true;
    }
    return has_any;
  }

  const Graph& graph_;
  const Schedule& schedule_;
  const std::vector<LoweredRow>& lowered_;
  const HardwareConfig& hardware_;
  CostMeasure measure_;
  std::int64_t passes_left_ = kMostPasses;
  std::vector<MemoryPlan> tried_;  ///< With the cycles that they took; each once.
};

}  // namespace

MemoryPlan settle_by_simulation(const Graph& graph, const Schedule& schedule,
                                const std::vector<LoweredRow>& lowered, const HardwareConfig& hardware,
                                const CostMeasure& measure, MemoryPlan plan, std::vector<MemoryPlan> others) {
  return PlanTrials(graph, schedule, lowered, hardware, measure).settle(std::move(plan), std::move(others));
}

}  // namespace qsim

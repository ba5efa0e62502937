#include "sim/compiler/way_out_plan.h"

#include <algorithm>
#include <utility>

#include "sim/compiler/fused_plan.h"
#include "sim/compiler/plan_trials.h"
#include "sim/compiler/simulated_cost.h"
#include "sim/compiler/weight_plan.h"

namespace qsim {

namespace {

class JoinPlanner {
 public:
  JoinPlanner(const Graph& graph, const Schedule& schedule, const std::vector<LoweredRow>& lowered,
              const HardwareConfig& hardware, MappingMemo& mapper, const std::vector<RowPin>& given)
      : graph_(graph),
        schedule_(schedule),
        lowered_(lowered),
        hardware_(hardware),
        mapper_(mapper),
        given_(given) {}

  /// What is wrong with what is given, where no plan can have it.
  [[nodiscard]] std::vector<Problem> take_problems() { return std::move(problems_); }

  std::optional<JoinedPlan> run(const std::vector<WayOut>& longest) {
    std::vector<WayOut> least, most, unpooled;
    for (const WayOut& found : longest) {
      const WayOut way_out = possible(found);
      least.push_back(way_out.shortened(given_length(way_out, false)));
      most.push_back(way_out.shortened(given_length(way_out, true)));
      const std::size_t pooled_rows = most.back().pools ? 1 : 0;
      unpooled.push_back(way_out.shortened(std::max(least.back().length, most.back().length - pooled_rows)));
    }
    std::optional<JoinedPlan> apart = plan(least);
    if (least == most) return apart;
    std::optional<JoinedPlan> added;  // without poolings
    std::optional<JoinedPlan> pooled;
    if (unpooled != least) added = plan(unpooled);
    if (unpooled != most) pooled = plan(most);
    std::vector<Choice> choices;
    if (apart) choices.push_back({least, *apart});
    if (added) choices.push_back({unpooled, *added});
    std::optional<JoinedPlan> some_added = plan_cheapest(choices, most);
    if (pooled) choices.push_back({most, *pooled});
    std::optional<JoinedPlan> some_pooled = pooled ? plan_cheapest(choices, most) : std::nullopt;
    added = cheaper(std::move(added), std::move(some_added));
    pooled = cheaper(std::move(pooled), std::move(some_pooled));
    std::vector<JoinedPlan> plans;
    for (std::optional<JoinedPlan>* made : {&pooled, &added, &apart}) {
      if (*made) plans.push_back(std::move(**made));
    }
    return fastest(std::move(plans));
  }

 private:
  /// Without a pooling whose windows do not fit the pooler's lines.
  [[nodiscard]] WayOut possible(const WayOut& way_out) const {
    if (!way_out.pools) return way_out;
    const JoinedRows rows = join_rows(schedule_, lowered_, {way_out});
    const GemmProblem& problem = *rows.lowered[way_out.product].gemm();
    return mapping_on_chip(problem, hardware_, mapper_) == nullptr ? way_out.shortened(way_out.length - 1)
                                                                   : way_out;
  }

  struct Choice {
    const std::vector<WayOut>& ways_out;
    const JoinedPlan& plan;
  };

  /// Of each way out what costs least in the plans of the choices; nothing where that is one of them.
  [[nodiscard]] std::optional<JoinedPlan> plan_cheapest(const std::vector<Choice>& choices,
                                                        const std::vector<WayOut>& most) {
    if (choices.empty()) return std::nullopt;
    std::vector<WayOut> chosen;
    for (std::size_t i = 0; i < most.size(); ++i) {
      const auto cheapest = std::ranges::min_element(
          choices, {}, [&](const Choice& choice) { return cost(choice.plan.plan, most[i]); });
      chosen.push_back(cheapest->ways_out[i]);
    }
    const bool is_one =
        std::ranges::any_of(choices, [&](const Choice& choice) { return choice.ways_out == chosen; });
    return is_one ? std::nullopt : plan(chosen);
  }

  /// Rows on a way out: as few, or as many, as what is given allows.
  [[nodiscard]] std::size_t given_length(const WayOut& longest, bool most) const {
    std::size_t length = most ? longest.length : 0;
    for (std::size_t i = 0; i < longest.length && !given_.empty(); ++i) {
      const std::optional<RowUnit>& unit = given_[longest.product + 1 + i].unit;
      if (unit == RowUnit::requantizer) length = std::max(length, i + 1);
      if (unit == RowUnit::vector_unit) return std::min(length, i);
    }
    return length;
  }

  [[nodiscard]] std::optional<JoinedPlan> plan(const std::vector<WayOut>& ways_out) {
    JoinedPlan made;
    made.rows = join_rows(schedule_, lowered_, ways_out);
    std::vector<Problem> found;
    made.pins =
        check_pins(made.rows.schedule, made.rows.lowered, hardware_, mapper_, given_beside(ways_out), found);
    if (!found.empty()) {
      problems_ = std::move(found);
      return std::nullopt;
    }
    PlanOutcome outcome =
        make_plan(made.rows.schedule, made.rows.lowered, hardware_, mapper_, made.pins, made.pins.chains);
    if (!outcome.plan) return std::nullopt;
    made.plan = std::move(*outcome.plan);
    made.others = std::move(outcome.others);
    if (!made.pins.any())
      made.fused = make_fused_plans(made.rows.schedule, made.rows.lowered, hardware_, mapper_, made.plan);
    return made;
  }

  /// What is given, but for the names of rows that run together on a way out: they are no chains.
  [[nodiscard]] std::vector<RowPin> given_beside(const std::vector<WayOut>& ways_out) const {
    std::vector<RowPin> pins = given_;
    for (const WayOut& way_out : ways_out) {
      if (pins.empty() || way_out.length == 0) continue;
      for (std::size_t row = way_out.product; row <= way_out.product + way_out.length; ++row)
        pins[row].fused_with.clear();
    }
    return pins;
  }

  /// Of a product and all rows that are, or might be, on its way out.
  [[nodiscard]] static std::int64_t cost(const MemoryPlan& plan, const WayOut& way_out) {
    MappingCost sum;
    for (std::size_t row = way_out.product; row <= way_out.product + way_out.length; ++row)
      sum += plan.row_costs[row];
    return sum.total();
  }

  /// Of equal ones the first.
  [[nodiscard]] static std::optional<JoinedPlan> cheaper(std::optional<JoinedPlan> first,
                                                         std::optional<JoinedPlan> second) {
    if (!second) return first;
    if (!first || second->cost().total() < first->cost().total()) return second;
    return first;
  }

  /// The cheapest, of equal ones the first; those behind it that cost about the same are simulated with it,
  /// and the fastest is taken. All are as they were estimated: what was settled costs what was simulated.
  [[nodiscard]] std::optional<JoinedPlan> fastest(std::vector<JoinedPlan> plans) const {
    if (plans.empty()) return std::nullopt;
    const auto cheapest =
        std::ranges::min_element(plans, {}, [](const JoinedPlan& made) { return made.cost().total(); });
    plans.erase(plans.begin(), cheapest);
    const MappingCost least = plans.front().cost();
    std::erase_if(plans, [&](const JoinedPlan& made) { return !is_close(least, made.cost()); });
    if (plans.size() < 2) return std::move(plans.front());
    std::vector<std::int64_t> cycles;
    for (JoinedPlan& made : plans) {
      settle(made);
      cycles.push_back(simulated_cycles(made));
    }
    return std::move(plans[static_cast<std::size_t>(std::ranges::min_element(cycles) - cycles.begin())]);
  }

  /// Estimates differ by less than a sixteenth, or are of so short a run that little decides.
  [[nodiscard]] static bool is_close(const MappingCost& less, const MappingCost& more) {
    constexpr std::int64_t kSimilar = 16;
    constexpr std::int64_t kShortCycles = 1 << 17;
    return more.cycles < kShortCycles || more.total() - less.total() < more.total() / kSimilar;
  }

  /// Compared is what either can be made; nothing is tried again then.
  void settle(JoinedPlan& made) const {
    made.plan = settle_by_simulation(graph_, made.rows.schedule, made.rows.lowered, hardware_,
                                     mapper_.measure(), std::move(made.plan), std::move(made.others));
    made.others.clear();
    for (std::vector<RivalPlan>& rivals : made.plan.rivals) rivals.clear();
  }

  [[nodiscard]] std::int64_t simulated_cycles(JoinedPlan& made) const {
    const PlannedRows rows{graph_, made.rows.schedule, made.rows.lowered, hardware_};
    std::int64_t cycles = simulated_cost(rows, mapper_, made.plan).cycles;
    for (MemoryPlan& fused : made.fused)
      cycles = std::min(cycles, simulated_cost(rows, mapper_, fused).cycles);
    return cycles;
  }

  const Graph& graph_;
  const Schedule& schedule_;
  const std::vector<LoweredRow>& lowered_;
  const HardwareConfig& hardware_;
  MappingMemo& mapper_;
  const std::vector<RowPin>& given_;
  std::vector<Problem> problems_;
};

}  // namespace

std::optional<JoinedPlan> plan_joined(const Graph& graph, const Schedule& schedule,
                                      const std::vector<LoweredRow>& lowered,
                                      const std::vector<WayOut>& longest, const HardwareConfig& hardware,
                                      MappingMemo& mapper, const std::vector<RowPin>& given,
                                      std::vector<Problem>& problems) {
  JoinPlanner planner(graph, schedule, lowered, hardware, mapper, given);
  std::optional<JoinedPlan> joined = planner.run(longest);
  const bool is_given =
      std::ranges::any_of(given, [](const RowPin& row) { return row.unit == RowUnit::requantizer; });
  if (!joined && is_given) problems = planner.take_problems();
  return joined;
}

}  // namespace qsim

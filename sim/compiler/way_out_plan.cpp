#include "sim/compiler/way_out_plan.h"

#include <algorithm>
#include <utility>

#include "sim/compiler/batch_parts.h"
#include "sim/compiler/fused_plan.h"
#include "sim/compiler/plan_trials.h"
#include "sim/compiler/program_builder.h"

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

  std::optional<JoinedPlan> run(const std::vector<WayOut>& longest) {
    std::vector<WayOut> least;
    std::vector<WayOut> most;
    for (const WayOut& way_out : longest) {
      least.push_back({way_out.product, given_length(way_out, false)});
      most.push_back({way_out.product, given_length(way_out, true)});
    }
    std::optional<JoinedPlan> apart = plan(least);
    if (least == most) return apart;
    std::optional<JoinedPlan> joined = plan(most);
    if (apart && joined) {
      std::vector<WayOut> chosen = most;
      for (std::size_t i = 0; i < most.size(); ++i) {
        if (cost(joined->plan, most[i]) >= cost(apart->plan, most[i])) chosen[i] = least[i];
      }
      if (chosen != most && chosen != least) joined = cheaper(std::move(joined), plan(chosen));
    }
    return faster(std::move(joined), std::move(apart));
  }

 private:
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

  [[nodiscard]] std::optional<JoinedPlan> plan(const std::vector<WayOut>& ways_out) const {
    JoinedPlan made;
    made.rows = join_rows(schedule_, lowered_, ways_out);
    std::vector<Problem> found;
    made.pins =
        check_pins(made.rows.schedule, made.rows.lowered, hardware_, mapper_, given_beside(ways_out), found);
    if (!found.empty()) return std::nullopt;
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

  /// The same, by simulation where what they cost is close.
  [[nodiscard]] std::optional<JoinedPlan> faster(std::optional<JoinedPlan> first,
                                                 std::optional<JoinedPlan> second) const {
    if (!first || !second || first->cost().total() > second->cost().total() ||
        !is_close(first->cost(), second->cost()))
      return cheaper(std::move(first), std::move(second));
    settle(*first);
    settle(*second);
    return simulated_cycles(*second) < simulated_cycles(*first) ? std::move(second) : std::move(first);
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

  [[nodiscard]] std::int64_t simulated_cycles(const JoinedPlan& made) const {
    std::int64_t cycles = simulated_cycles(made, made.plan);
    for (const MemoryPlan& fused : made.fused) cycles = std::min(cycles, simulated_cycles(made, fused));
    return cycles;
  }
  [[nodiscard]] std::int64_t simulated_cycles(const JoinedPlan& made, const MemoryPlan& plan) const {
    CompiledProgram built;
    built.schedule = made.rows.schedule;
    build_program(graph_, made.rows.lowered, plan, hardware_, false, built);
    return cycles_of_parts(hardware_, built.program, 1);
  }

  const Graph& graph_;
  const Schedule& schedule_;
  const std::vector<LoweredRow>& lowered_;
  const HardwareConfig& hardware_;
  MappingMemo& mapper_;
  const std::vector<RowPin>& given_;
};

}  // namespace

std::optional<JoinedPlan> plan_joined(const Graph& graph, const Schedule& schedule,
                                      const std::vector<LoweredRow>& lowered,
                                      const std::vector<WayOut>& longest, const HardwareConfig& hardware,
                                      MappingMemo& mapper, const std::vector<RowPin>& given) {
  return JoinPlanner(graph, schedule, lowered, hardware, mapper, given).run(longest);
}

}  // namespace qsim

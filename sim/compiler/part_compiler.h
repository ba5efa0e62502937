// Compiles for one part of a batch, or for all of it: the other parts are alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "hw_models/hardware_config.h"
#include "sim/compiler/compile.h"
#include "sim/compiler/lower.h"
#include "sim/compiler/mapper.h"
#include "sim/compiler/mapping_memo.h"
#include "sim/compiler/plan.h"
#include "sim/compiler/plan_pins.h"
#include "sim/compiler/way_out.h"

namespace qsim {

/// lower(), plan_with(), build(), one after the other as far as they come; then take() or fail().
class PartCompiler {
 public:
  /// `graph` is that of a part.
  PartCompiler(const Graph& graph, HardwareConfig hardware, MappingMemo& mapper, bool with_images,
               std::int64_t parts)
      : graph_(graph), hardware_(std::move(hardware)), mapper_(mapper), with_images_(with_images) {
    out_.program.parts = static_cast<std::int32_t>(parts);
  }

  void lower();
  /// What the mapper gives of each row beforehand; nothing where that is wrong.
  std::optional<std::vector<RowPin>> given();
  /// False where there is no plan. There may be problems even so.
  bool plan_with(std::vector<RowPin> given);
  /// After plan_with(); false where there are problems.
  bool build();
  CompileOutcome take() { return {std::move(out_), {}}; }
  [[nodiscard]] Program& program() { return out_.program; }
  CompileOutcome fail() { return {std::nullopt, std::move(problems_)}; }

  [[nodiscard]] std::size_t rows() const { return out_.schedule.rows.size(); }
  [[nodiscard]] bool has_problems() const { return !problems_.empty(); }
  [[nodiscard]] const MappingCost& part_cost() const {
    const bool is_cheaper = !fused_.empty() && fused_.front().cost.total() < plan_.cost.total();
    return is_cheaper ? fused_.front().cost : plan_.cost;
  }
  void report_given(std::vector<Problem> found) {
    for (Problem& problem : found) problems_.push_back({std::nullopt, std::move(problem)});
  }

 private:
  void report(std::size_t row, Problem problem);
  /// Rows that want a memory beside the buffers. Where there is none, compilation goes on with one.
  void look_for_dram();
  void report_dram(std::size_t row);
  void report_group_multipliers(std::size_t row);
  void report_blocks(std::size_t row);
  /// Rows that no chip can run get no nests.
  void lower_rows();
  [[nodiscard]] std::vector<RowId> row_ids() const;
  /// Plans with the rows on ways out that cost least, as far as what is given leaves that open; false where
  /// there is nothing to choose, or no plan.
  bool plan_ways_out(const std::vector<RowPin>& given);
  /// False where what is given cannot be had.
  bool read_pins(std::vector<RowPin> given);
  void report_misfit(const PinMisfit& misfit);
  void check_given_values();
  /// Where something does not fit, compilation goes on with a chip on which it would, to find what else is
  /// missing. False where there is no going on.
  bool plan_memory();
  [[nodiscard]] PlanOutcome plan(const PlanPins& pins);
  void check_dram();
  /// Of the plans that take no more cycles than the one without chains that of least cost, with the cycles
  /// that they do take.
  void choose_plan();
  /// A plan's cost with cycles, and energy where that counts, as simulated.
  [[nodiscard]] MappingCost simulated(MemoryPlan& plan) const;

  const Graph& graph_;
  HardwareConfig hardware_;
  MappingMemo& mapper_;
  bool with_images_;
  std::vector<bool> lacks_dram_;  ///< By row.
  bool is_lowered_ = true;
  std::vector<CompileProblem> problems_;
  CompiledProgram out_;
  std::vector<LoweredRow> lowered_;
  std::vector<WayOut> ways_out_;  ///< The longest.
  PlanPins pins_;
  MemoryPlan plan_;
  std::vector<MemoryPlan> fused_;   ///< Other plans, with chains, the cheapest first.
  std::vector<MemoryPlan> others_;  ///< PlanOutcome.
};

}  // namespace qsim

#include "sim/compiler/part_compiler.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>
#include <utility>

#include "base/error.h"
#include "hw_models/core/nest_cursor.h"
#include "sim/compiler/batch_parts.h"
#include "sim/compiler/fit.h"
#include "sim/compiler/fused_plan.h"
#include "sim/compiler/mapping_file.h"
#include "sim/compiler/plan_trials.h"
#include "sim/compiler/program_builder.h"
#include "sim/compiler/simulated_cost.h"
#include "sim/compiler/way_out_plan.h"
#include "workloads/graph/blocks.h"
#include "workloads/graph/graph_memory.h"

namespace qsim {

void PartCompiler::lower() {
  check_run_bytes(graph_, table_bytes(graph_), "lookup tables",
                  "use fewer layers of 16-bit activations, or 8 bits");
  out_.schedule = make_schedule(graph_, hardware_.dma.pixel_granule_bytes, hardware_.dram.burst_bytes);
  look_for_dram();
  lower_rows();
  if (is_lowered_) ways_out_ = find_ways_out(out_.schedule, lowered_, hardware_);
}

std::optional<std::vector<RowPin>> PartCompiler::given() {
  if (!is_lowered_) return std::vector<RowPin>{};
  try {
    return mapper_.mapper().pins(row_ids());
  } catch (const InputError& error) {
    report_given(error.problems());
    return std::nullopt;
  }
}

bool PartCompiler::plan_with(std::vector<RowPin> given) {
  const std::size_t problems = problems_.size();
  const bool is_planned = !ways_out_.empty() && plan_ways_out(given);
  if (problems_.size() > problems) return false;
  if (!is_planned && (!read_pins(std::move(given)) || !plan_memory())) return false;
  out_.cost = batch_cost({graph_.batch, out_.program.parts, part_cost()});
  return true;
}

bool PartCompiler::plan_ways_out(const std::vector<RowPin>& given) {
  std::vector<Problem> found;
  std::optional<JoinedPlan> joined =
      plan_joined(graph_, out_.schedule, lowered_, ways_out_, hardware_, mapper_, given, found);
  report_given(std::move(found));
  if (!joined) return false;
  out_.schedule = std::move(joined->rows.schedule);
  lowered_ = std::move(joined->rows.lowered);
  pins_ = std::move(joined->pins);
  plan_ = std::move(joined->plan);
  others_ = std::move(joined->others);
  fused_ = std::move(joined->fused);
  return true;
}

MappingCost PartCompiler::simulated(MemoryPlan& plan) const {
  const SimulatedCost& found = simulated_cost({graph_, out_.schedule, lowered_, hardware_}, mapper_, plan);
  MappingCost cost = plan.cost;
  cost.cycles = found.cycles;
  if (!mapper_.measure().is_latency()) cost.energy_pj = found.energy_pj;
  return cost;
}

void PartCompiler::choose_plan() {
  if (fused_.empty()) return;
  const CostMeasure& measure = mapper_.measure();
  MappingCost best = simulated(plan_);
  const std::int64_t most = best.cycles;
  for (MemoryPlan& fused : fused_) {
    const MappingCost cost = simulated(fused);
    if (measure.is_latency() && cost.cycles > most) continue;
    if (measure(cost) >= measure(best)) continue;
    best = cost;
    plan_ = std::move(fused);
  }
  fused_.clear();
}

bool PartCompiler::build() {
  if (hardware_.dram.kind != DramKind::none && problems_.empty())
    plan_ = settle_by_simulation(graph_, out_.schedule, lowered_, hardware_, mapper_.measure(),
                                 std::move(plan_), std::move(others_));
  choose_plan();
  out_.cost = batch_cost({graph_.batch, out_.program.parts, plan_.cost});
  build_program(graph_, lowered_, std::move(plan_), hardware_, with_images_, out_);
  check_dram();
  check_given_values();
  return problems_.empty();
}

void PartCompiler::report(std::size_t row, Problem problem) {
  const std::size_t node = out_.schedule.rows[row].node;
  problem.file = graph_.source;
  problem.place = graph_.nodes[node].place.empty() ? graph_.nodes[node].name : graph_.nodes[node].place;
  problems_.push_back({node, std::move(problem)});
}

void PartCompiler::look_for_dram() {
  lacks_dram_.assign(out_.schedule.rows.size(), false);
  if (hardware_.dram.kind != DramKind::none) return;
  for (std::size_t r = 0; r < lacks_dram_.size(); ++r) {
    const ScheduledOp& row = out_.schedule.rows[r];
    lacks_dram_[r] = row.on_host || std::holds_alternative<MatMulOp>(graph_.nodes[row.node].op);
  }
  if (std::ranges::count(lacks_dram_, true) > 0) hardware_.dram.kind = DramConfig{}.kind;
}

void PartCompiler::report_dram(std::size_t row) {
  const ScheduledOp& scheduled = out_.schedule.rows[row];
  const std::string op(op_name(graph_, graph_.nodes[scheduled.node]));
  if (scheduled.on_host) {
    report(row, {{},
                 {},
                 op + " on floats, which the host computes",
                 "a chip with a memory that the host reaches",
                 "set dram.kind to simple, or quantize the operation"});
  } else {
    report(row, {{},
                 {},
                 op + " of two activations",
                 "a chip with DRAM, through which the second operand becomes weights",
                 "set dram.kind to simple"});
  }
}

void PartCompiler::report_group_multipliers(std::size_t row) {
  const Node& node = graph_.nodes[out_.schedule.rows[row].node];
  const Quantization& weights = *graph_.tensor(node.inputs[1]).quantization;
  if (!weights.has_groups()) return;
  const std::int32_t largest =
      *std::max_element(weights.group_multipliers.begin(), weights.group_multipliers.end());
  const int bits = std::bit_width(static_cast<std::uint32_t>(largest));
  const int there_are = hardware_.requantizer.group_multiplier_bits;
  if (bits <= there_are) return;
  report(row, {{},
               {},
               "weights with a scale a group, of multipliers up to " + std::to_string(largest) +
                   " (requantizer.group_multiplier_bits of " + std::to_string(there_are) + ")",
               "requantizer.group_multiplier_bits of " + std::to_string(bits) + " or more",
               "set requantizer.group_multiplier_bits to " + std::to_string(bits) +
                   ", or quantize with one scale a channel"});
}

void PartCompiler::report_blocks(std::size_t row) {
  if (!multiplies_blocks(graph_, graph_.nodes[out_.schedule.rows[row].node])) return;
  if (!hardware_.requantizer.block_exponents) {
    report(row, {{},
                 {},
                 "blocks of 32 with shared exponents, MXINT8 (requantizer.block_exponents is false)",
                 "a chip that shifts sums by exponents, and makes blocks of outputs",
                 "set requantizer.block_exponents to true, take --hw npu_mx, or leave format=mxint out"});
  }
  // Compilation goes on with a chip that makes a block at once.
  if (hardware_.mac_array.columns < arithmetic::kMxBlock) {
    report(row,
           {{},
            {},
            "blocks of 32 outputs on an array of " + std::to_string(hardware_.mac_array.columns) + " columns",
            "mac_array.columns of 32 or more, which make a block at once",
            "set mac_array.columns to 32"});
    hardware_.mac_array.columns = arithmetic::kMxBlock;
  }
  if (hardware_.accumulators.entries_per_slot() < arithmetic::kMxBlock) {
    const std::int64_t entries = arithmetic::kMxBlock * hardware_.accumulators.slots();
    report(row, {{},
                 {},
                 "blocks of 32 outputs with accumulators.entries of " +
                     std::to_string(hardware_.accumulators.entries),
                 "accumulators.entries of " + std::to_string(entries) + " or more, which hold a block",
                 "set accumulators.entries to " + std::to_string(entries)});
    hardware_.accumulators.entries = entries;
  }
}

void PartCompiler::lower_rows() {
  for (std::size_t r = 0; r < out_.schedule.rows.size(); ++r) {
    const ScheduledOp& row = out_.schedule.rows[r];
    if (lacks_dram_[r]) report_dram(r);
    if (!row.on_mac_array && !row.on_host && hardware_.vector_unit.lanes == 0) {
      report(r, {{},
                 {},
                 "no vector unit (vector_unit.lanes of 0)",
                 "one, where " + std::string(op_name(graph_, graph_.nodes[row.node])) + " runs",
                 "set vector_unit.lanes to 1 or more, or fold the operation into others in the model"});
    }
    if (row.on_mac_array) report_group_multipliers(r);
    if (row.on_mac_array) report_blocks(r);
    try {
      lowered_.push_back(qsim::lower(graph_, out_.schedule, static_cast<std::int32_t>(r), hardware_));
    } catch (const InputError& error) {
      for (const Problem& problem : error.problems()) report(r, problem);
      lowered_.emplace_back();
      is_lowered_ = false;
    }
  }
}

// What the mapper gives beforehand.

std::vector<RowId> PartCompiler::row_ids() const {
  std::vector<RowId> ids;
  for (std::size_t r = 0; r < lowered_.size(); ++r) {
    const ScheduledOp& row = out_.schedule.rows[r];
    RowId id;
    id.name = graph_.nodes[row.nodes.back()].name;
    id.op = op_name(graph_, graph_.nodes[row.node]);
    id.unit = row.on_mac_array ? RowUnit::mac_array : row.on_host ? RowUnit::host : RowUnit::vector_unit;
    id.nests = lowered_[r].problems.size();
    id.inputs = lowered_[r].inputs[0].size();
    for (const WayOut& way_out : ways_out_) {
      id.may_have_addend |= r == way_out.product;
      id.may_be_joined |= r > way_out.product && r <= way_out.product + way_out.length;
    }
    ids.push_back(std::move(id));
  }
  return ids;
}

bool PartCompiler::read_pins(std::vector<RowPin> given) {
  if (!is_lowered_) return true;
  std::vector<Problem> found;
  pins_ = check_pins(out_.schedule, lowered_, hardware_, mapper_, std::move(given), found);
  const bool is_possible = found.empty();
  report_given(std::move(found));
  return is_possible;
}

void PartCompiler::report_misfit(const PinMisfit& misfit) {
  Problem problem;
  for (const RowPin& row : pins_.rows) problem.file = row.file;
  problem.place = "weights_in";
  if (misfit.row) problem.place = "layer " + graph_.nodes[out_.schedule.rows[*misfit.row].nodes.back()].name;
  problem.value = misfit.value;
  problem.expected = misfit.expected;
  problem.hint = "give smaller tiles or blocks, or let fewer tensors stay";
  report_given({problem});
}

void PartCompiler::check_given_values() {
  std::vector<Problem> found;
  for (std::size_t r = 0; r < pins_.rows.size(); ++r)
    report_contradictions(pins_.rows[r], out_.rows[r].mapping, found);
  report_given(std::move(found));
}

bool PartCompiler::plan_memory() {
  PlanOutcome outcome;
  if (is_lowered_) outcome = plan(pins_);
  if (outcome.misfit && plan({}).plan) {
    report_misfit(*outcome.misfit);
    return false;
  }
  if (!outcome.plan) {
    Misfits misfits = find_misfits(out_.schedule, lowered_, hardware_, mapper_);
    for (RowMisfit& misfit : misfits.rows) report(misfit.row, std::move(misfit.problem));
    hardware_ = std::move(misfits.mended);
    pins_ = {};
    if (is_lowered_) outcome = plan({});
  }
  if (outcome.plan) plan_ = std::move(*outcome.plan);
  others_ = std::move(outcome.others);
  if (outcome.plan && !pins_.any())
    fused_ = make_fused_plans(out_.schedule, lowered_, hardware_, mapper_, plan_);
  return outcome.plan.has_value();
}

PlanOutcome PartCompiler::plan(const PlanPins& pins) {
  return make_plan(out_.schedule, lowered_, hardware_, mapper_, pins, pins.chains);
}

void PartCompiler::check_dram() {
  if (hardware_.dram.kind == DramKind::none) return;
  const std::int64_t capacity = hardware_.dram.capacity_mib;
  const std::int64_t needed = ceil_div(out_.program.dram_bytes, std::int64_t{1} << 20);
  if (needed > capacity) {
    problems_.push_back({std::nullopt,
                         {graph_.source, "dram.capacity_mib", std::to_string(capacity) + " MiB",
                          "at least " + std::to_string(needed) + " MiB for weights and activations",
                          "raise dram.capacity_mib to " + std::to_string(needed)}});
  }
}

}  // namespace qsim

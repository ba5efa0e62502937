#include "sim/compiler/compile.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/error.h"
#include "hw_models/core/nest_cursor.h"
#include "sim/compiler/fit.h"
#include "sim/compiler/images.h"
#include "sim/compiler/lower.h"
#include "sim/compiler/mapping_file.h"
#include "sim/compiler/plan.h"
#include "sim/compiler/plan_pins.h"
#include "sim/compiler/program_builder.h"
#include "workloads/graph/graph_memory.h"

namespace qsim {

namespace {

class Compiler {
 public:
  Compiler(const Graph& graph, HardwareConfig hardware, const Mapper& mapper, bool with_images)
      : graph_(graph), hardware_(std::move(hardware)), mapper_(mapper), with_images_(with_images) {}

  CompileOutcome run() {
    check_run_bytes(graph_, table_bytes(graph_), "lookup tables",
                    "use fewer layers of 16-bit activations, or 8 bits");
    out_.schedule = make_schedule(graph_, hardware_.dma.pixel_granule_bytes);
    look_for_dram();
    lower_rows();
    if (!read_pins() || !plan_memory()) return {std::nullopt, std::move(problems_)};
    out_.cost = plan_.cost;
    build_program(graph_, lowered_, std::move(plan_), hardware_, with_images_, out_);
    check_dram();
    check_given_values();
    if (!problems_.empty()) return {std::nullopt, std::move(problems_)};
    return {std::move(out_), {}};
  }

 private:
  void report(std::size_t row, Problem problem) {
    const std::size_t node = out_.schedule.rows[row].node;
    problem.file = graph_.source;
    problem.place = graph_.nodes[node].place.empty() ? graph_.nodes[node].name : graph_.nodes[node].place;
    problems_.push_back({node, std::move(problem)});
  }

  /// Rows that want a memory beside the buffers. Where there is none, compilation goes on with one.
  void look_for_dram() {
    lacks_dram_.assign(out_.schedule.rows.size(), false);
    if (hardware_.dram.kind != DramKind::none) return;
    for (std::size_t r = 0; r < lacks_dram_.size(); ++r) {
      const ScheduledOp& row = out_.schedule.rows[r];
      lacks_dram_[r] = row.on_host || std::holds_alternative<MatMulOp>(graph_.nodes[row.node].op);
    }
    if (std::ranges::count(lacks_dram_, true) > 0) hardware_.dram.kind = DramConfig{}.kind;
  }

  void report_dram(std::size_t row) {
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

  /// Rows that no chip can run get no nests.
  void lower_rows() {
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
      try {
        lowered_.push_back(lower(graph_, out_.schedule, static_cast<std::int32_t>(r), hardware_));
      } catch (const InputError& error) {
        for (const Problem& problem : error.problems()) report(r, problem);
        lowered_.emplace_back();
        is_lowered_ = false;
      }
    }
  }

  // What the mapper gives beforehand.

  [[nodiscard]] std::vector<RowId> row_ids() const {
    std::vector<RowId> ids;
    for (std::size_t r = 0; r < lowered_.size(); ++r) {
      const ScheduledOp& row = out_.schedule.rows[r];
      RowId id;
      id.name = graph_.nodes[row.nodes.back()].name;
      id.op = op_name(graph_, graph_.nodes[row.node]);
      id.unit = row.on_mac_array ? RowUnit::mac_array : row.on_host ? RowUnit::host : RowUnit::vector_unit;
      id.nests = lowered_[r].problems.size();
      id.inputs = lowered_[r].inputs[0].size();
      ids.push_back(std::move(id));
    }
    return ids;
  }

  /// False where what is given cannot be had.
  bool read_pins() {
    if (!is_lowered_) return true;
    std::vector<Problem> found;
    try {
      pins_ = check_pins(out_.schedule, lowered_, hardware_, mapper_, mapper_.pins(row_ids()), found);
    } catch (const InputError& error) {
      found = error.problems();
    }
    const bool is_possible = found.empty();
    report_given(std::move(found));
    return is_possible;
  }

  void report_given(std::vector<Problem> found) {
    for (Problem& problem : found) problems_.push_back({std::nullopt, std::move(problem)});
  }

  void report_misfit(const PinMisfit& misfit) {
    Problem problem;
    for (const RowPin& row : pins_.rows) problem.file = row.file;
    problem.place = "weights_in";
    if (misfit.row)
      problem.place = "layer " + graph_.nodes[out_.schedule.rows[*misfit.row].nodes.back()].name;
    problem.value = misfit.value;
    problem.expected = misfit.expected;
    problem.hint = "give smaller tiles or blocks, or let fewer tensors stay";
    report_given({problem});
  }

  void check_given_values() {
    std::vector<Problem> found;
    for (std::size_t r = 0; r < pins_.rows.size(); ++r)
      report_contradictions(pins_.rows[r], out_.rows[r].mapping, found);
    report_given(std::move(found));
  }

  /// Where something does not fit, compilation goes on with a chip on which it would, to find what else is
  /// missing. False where there is no going on.
  bool plan_memory() {
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
    return outcome.plan.has_value();
  }

  [[nodiscard]] PlanOutcome plan(const PlanPins& pins) const {
    return make_plan(out_.schedule, lowered_, hardware_, mapper_, pins);
  }

  void check_dram() {
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

  const Graph& graph_;
  HardwareConfig hardware_;
  const Mapper& mapper_;
  bool with_images_;
  std::vector<bool> lacks_dram_;  ///< By row.
  bool is_lowered_ = true;
  std::vector<CompileProblem> problems_;
  CompiledProgram out_;
  std::vector<LoweredRow> lowered_;
  PlanPins pins_;
  MemoryPlan plan_;
};

}  // namespace

CompileOutcome try_compile(const Graph& graph, const HardwareConfig& hardware, const Mapper& mapper,
                           bool with_images) {
  return Compiler(graph, hardware, mapper, with_images).run();
}

CompileOutcome try_compile(const Graph& graph, const HardwareConfig& hardware, bool with_images) {
  return try_compile(graph, hardware, CostMapper(), with_images);
}

CompiledProgram compile(const Graph& graph, const HardwareConfig& hardware, const Mapper& mapper,
                        bool with_images) {
  CompileOutcome outcome = try_compile(graph, hardware, mapper, with_images);
  if (outcome.program) return std::move(*outcome.program);
  std::vector<Problem> problems;
  for (CompileProblem& found : outcome.problems) problems.push_back(std::move(found.problem));
  throw InputError(std::move(problems));
}

CompiledProgram compile(const Graph& graph, const HardwareConfig& hardware, bool with_images) {
  return compile(graph, hardware, CostMapper(), with_images);
}

void add_input_image(CompiledProgram& compiled, TensorId id, const TensorData& value) {
  const Placement& placement = compiled.placements.at(id);
  const TensorLayout& layout = placement.resident ? placement.buffer : placement.dram;
  auto& images = placement.resident ? compiled.program.activation_buffer_image : compiled.program.dram_image;
  images.push_back({layout.base, tensor_image(value, placement.dims, layout)});
}

}  // namespace qsim

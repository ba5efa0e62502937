#include "sim/compiler/compile.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "sim/compiler/batch_parts.h"
#include "sim/compiler/images.h"
#include "sim/compiler/part_compiler.h"
#include "sim/compiler/program_parts.h"
#include "sim/compiler/simulated_cost.h"
#include "workloads/graph/batch.h"

namespace qsim {

namespace {

/// Compiles a batch in the cheapest parts (batch_parts.h).
class BatchCompiler {
 public:
  BatchCompiler(const Graph& graph, const HardwareConfig& hardware, const Mapper& mapper,
                const CostMeasure& measure, bool with_images)
      : graph_(graph), hardware_(hardware), mapper_(mapper, measure), with_images_(with_images) {}

  CompileOutcome run() {
    auto whole = std::make_unique<PartCompiler>(graph_, hardware_, mapper_, with_images_, 1);
    whole->lower();
    std::optional<std::vector<RowPin>> given = whole->given();
    if (!given) return whole->fail();
    std::vector<Problem> found;
    const auto images = take_images_together(*given, graph_.batch, hardware_, found);
    if (!found.empty()) {
      whole->report_given(std::move(found));
      return whole->fail();
    }
    const bool may_be_cut = takes_parts(hardware_) && images.value_or(1) < graph_.batch;
    if (!may_be_cut || whole->has_problems())
      return whole->plan_with(std::move(*given)) && whole->build() ? whole->take() : whole->fail();
    plan_all(std::move(whole), images, *given);
    return build_cheapest();
  }

 private:
  struct Planned {
    std::unique_ptr<PartCompiler> compiler;
    bool has_plan = false;
  };

  /// Each size of a part; all parts but the whole batch are lowered from one graph, which is brought to them.
  void plan_all(std::unique_ptr<PartCompiler> whole, const std::optional<std::int64_t>& images,
                const std::vector<RowPin>& given) {
    const std::vector<std::int64_t> sizes =
        images ? std::vector<std::int64_t>{*images} : part_sizes(graph_.batch, whole->rows());
    part_ = std::make_shared<Graph>(graph_);
    for (const std::int64_t size : sizes) {
      const std::int64_t parts = graph_.batch / size;
      Planned planned;
      if (parts == 1) {
        planned.compiler = std::move(whole);
      } else {
        set_batch(*part_, size);
        planned.compiler = std::make_unique<PartCompiler>(*part_, hardware_, mapper_, with_images_, parts);
        planned.compiler->lower();
      }
      planned.has_plan = planned.compiler->plan_with(given);
      candidates_.push_back({size, parts, planned.compiler->part_cost()});
      planned_.push_back(std::move(planned));
    }
  }

  /// The cheapest that fits the chip. What is estimated to be little cheaper than the smallest parts has to
  /// be faster as well: then N images are never slower than one after the other.
  CompileOutcome build_cheapest() {
    std::optional<std::size_t> chosen;
    for (const std::size_t i : by_cost(candidates_, mapper_.measure())) {
      if (!build(i)) continue;
      chosen = i;
      break;
    }
    if (!chosen) return planned_.front().compiler->fail();
    const std::size_t smallest = candidates_.size() - 1;
    if (mapper_.measure().is_latency() && *chosen != smallest && is_close(*chosen, smallest) &&
        build(smallest) &&
        cycles(smallest) * candidates_[*chosen].images < cycles(*chosen) * candidates_[smallest].images)
      chosen = smallest;
    settle_prefetch(*chosen);
    bring_graph_to(*chosen);
    CompileOutcome outcome = planned_[*chosen].compiler->take();
    if (candidates_[*chosen].parts > 1) outcome.program->part_graph = part_;
    return outcome;
  }

  /// Once; false where there is nothing to build, or it has failed before.
  bool build(std::size_t candidate) {
    const Planned& planned = planned_[candidate];
    if (!planned.has_plan || planned.compiler->has_problems()) return false;
    bring_graph_to(candidate);
    return planned.compiler->build();
  }
  void bring_graph_to(std::size_t candidate) {
    if (candidates_[candidate].parts > 1) set_batch(*part_, candidates_[candidate].images);
  }
  [[nodiscard]] bool is_close(std::size_t cheaper, std::size_t other) const {
    return kMuchCheaper * batch_cost(candidates_[cheaper]).total() > batch_cost(candidates_[other]).total();
  }
  [[nodiscard]] std::int64_t cycles(std::size_t candidate) const {
    return cycles_of_parts(hardware_, planned_[candidate].compiler->program(), 1);
  }

  /// Loads of the next part's weights can delay those that the present part waits for by more than they save.
  void settle_prefetch(std::size_t candidate) {
    Program& program = planned_[candidate].compiler->program();
    if (program.parts == 1 || candidates_[candidate].part_cost.cycles > kShortPartCycles) return;
    if (cycles_of_parts(hardware_, program, 2) > 2 * cycles_of_parts(hardware_, program, 1))
      hold_weights_between_parts(program);
  }

  /// Estimates that differ by less than this factor are compared by simulation.
  static constexpr std::int64_t kMuchCheaper = 2;
  /// Of longer parts what lies between two is under a thousandth.
  static constexpr std::int64_t kShortPartCycles = 1 << 19;

  const Graph& graph_;
  const HardwareConfig& hardware_;
  MappingMemo mapper_;  ///< What it knows, all parts share.
  bool with_images_;
  std::shared_ptr<Graph> part_;
  std::vector<PartCandidate> candidates_;  ///< By size, the whole batch first.
  std::vector<Planned> planned_;           ///< Likewise.
};

/// What has to be minimized for the least energy, or product with cycles, as simulated: the program for the
/// fewest cycles, those for the least energy, and for sums at the rates that the best of them has.
CostMeasure best_measure(const Graph& graph, const HardwareConfig& hardware, const Mapper& mapper) {
  CostMeasure best;
  std::optional<SimulatedCost> least;
  const auto value = [&](const SimulatedCost& cost) {
    return mapper.objective() == Objective::energy ? cost.energy_pj : cost.product();
  };
  const auto try_measure = [&](const CostMeasure& measure) {
    const CompileOutcome outcome = BatchCompiler(graph, hardware, mapper, measure, false).run();
    if (!outcome.program) return;
    const SimulatedCost cost = simulated_cost(hardware, outcome.program->program, *mapper.energies());
    if (least && value(cost) >= value(*least)) return;
    best = measure;
    least = cost;
  };
  try_measure({});
  try_measure(CostMeasure::energy());
  constexpr int kRates = 2;
  for (int rate = 0; least && rate < kRates; ++rate)
    try_measure(CostMeasure::exchange(least->energy_pj / std::max(1.0, static_cast<double>(least->cycles))));
  return best;
}

/// Of an array that offers several dataflows also the program for each alone is compiled, on a chip that has
/// only that one; of accumulators whose sums may leave the program of those whose stay. What is estimated to
/// be little dearer than the program for all is simulated, and taken if it is better: so neither ever makes a
/// network slower.
class ChipChoice {
 public:
  ChipChoice(const Graph& graph, const HardwareConfig& hardware, const Mapper& mapper,
             const CostMeasure& measure, bool with_images)
      : graph_(graph), hardware_(hardware), mapper_(mapper), measure_(measure), with_images_(with_images) {}

  CompileOutcome run() {
    CompileOutcome best = compile_for(hardware_);
    if (!best.program) return best;
    const double estimated = measure_(best.program->cost);
    std::optional<double> least;
    for (const HardwareConfig& chip : lesser_chips()) {
      CompileOutcome alone = compile_for(chip);
      if (!alone.program || measure_(alone.program->cost) > kLittleDearer * estimated) continue;
      if (!least) least = simulated(*best.program);
      const double value = simulated(*alone.program);
      if (value >= *least) continue;
      best = std::move(alone);
      least = value;
    }
    return best;
  }

 private:
  /// Chips whose programs run on this one as well.
  [[nodiscard]] std::vector<HardwareConfig> lesser_chips() const {
    std::vector<HardwareConfig> chips;
    const std::vector<Dataflow>& offered = hardware_.mac_array.dataflows;
    for (const Dataflow dataflow : offered.size() > 1 ? offered : std::vector<Dataflow>{}) {
      chips.push_back(hardware_);
      chips.back().mac_array.dataflow = dataflow;
      chips.back().mac_array.dataflows = {dataflow};
    }
    if (hardware_.accumulators.spill) {
      chips.push_back(hardware_);
      chips.back().accumulators.spill = false;
    }
    return chips;
  }
  [[nodiscard]] CompileOutcome compile_for(const HardwareConfig& chip) const {
    return BatchCompiler(graph_, chip, mapper_, measure_, with_images_).run();
  }
  [[nodiscard]] double simulated(const CompiledProgram& compiled) const {
    const Program& program = compiled.program;
    if (measure_.is_latency()) return static_cast<double>(cycles_of_parts(hardware_, program, program.parts));
    const SimulatedCost cost = simulated_cost(hardware_, program, *mapper_.energies());
    return mapper_.objective() == Objective::energy ? cost.energy_pj : cost.product();
  }

  static constexpr double kLittleDearer = 17.0 / 16.0;

  const Graph& graph_;
  const HardwareConfig& hardware_;
  const Mapper& mapper_;
  const CostMeasure& measure_;
  bool with_images_;
};

}  // namespace

CompileOutcome try_compile(const Graph& graph, const HardwareConfig& hardware, const Mapper& mapper,
                           bool with_images) {
  const CostMeasure measure = mapper.objective() == Objective::latency || mapper.energies() == nullptr
                                  ? CostMeasure()
                                  : best_measure(graph, hardware, mapper);
  return ChipChoice(graph, hardware, mapper, measure, with_images).run();
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
  const std::int32_t parts = compiled.program.parts;
  const std::size_t bytes = value.bytes.size() / static_cast<std::size_t>(parts);
  for (std::int32_t part = 0; part < parts; ++part) {
    const Placement placement = compiled.placement(id, part);
    const TensorLayout& layout = placement.resident ? placement.buffer : placement.dram;
    auto& images =
        placement.resident ? compiled.program.activation_buffer_image : compiled.program.dram_image;
    TensorData own;  // the images of this part: batch is the first dimension
    own.type = value.type;
    own.shape = {element_count(value.shape) / parts};
    const auto begin = value.bytes.begin() + static_cast<std::ptrdiff_t>(part * bytes);
    own.bytes.assign(begin, begin + static_cast<std::ptrdiff_t>(bytes));
    images.push_back({layout.base, tensor_image(own, placement.dims, layout)});
  }
}

}  // namespace qsim

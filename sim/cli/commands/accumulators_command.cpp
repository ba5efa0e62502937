#include "sim/cli/commands/accumulators_command.h"

#include <algorithm>
#include <thread>

#include "sim/cli/cost_options.h"
#include "sim/cli/inputs.h"
#include "sim/cli/output_files.h"
#include "sim/cli/picture_options.h"
#include "sim/explain/accumulators_text.h"

namespace qsim::cli {
namespace {

struct AccumulatorsOptions {
  CostOptions cost;
  std::uint64_t seed = 1;
  bool json = false;
};

int run_accumulators(const AccumulatorsOptions& options, const ShippedFiles& files) {
  const ChipWith chip_with = [&](const std::vector<std::string>& sets) {
    return hardware_of(options.cost, files, sets);
  };
  const EnergyOf energy_of = [&](const HardwareConfig& chip) {
    return energy_model_of(options.cost, chip, files);
  };
  const MapperFor mapper_for = [&](const HardwareConfig& chip) {
    return mapper_of(options.cost, energy_of(chip));
  };
  const Graph graph = graph_of(options.cost, files);
  const PreparedInputs inputs = prepare_inputs(graph, options.cost.inputs, options.seed, Values::layer);
  const int threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const AccumulatorAnalysis analysis =
      analyze_accumulators(chip_with, energy_of, mapper_for, graph, inputs.values, threads);
  write_standard_output(options.json ? json_text(accumulators_json(analysis, QSIM_VERSION))
                                     : accumulators_text(analysis));
  return 0;
}

}  // namespace

Command accumulators_command() {
  CommandTable<AccumulatorsOptions> table(
      {.name = "accumulators",
       .summary = "Says how wide a network's accumulators have to be, and what narrower ones save",
       .usage = {"--workload FILE|NAME [options]"},
       .notes = {"need: bits of this run's sums; worst case: bits that no input of the network's formats "
                 "overflows."},
       .examples = {"qsim accumulators --hw npu --workload resnet8"}});
  add_cost_options(table, &AccumulatorsOptions::cost, "what to run");
  table.add(rows::seed("what to run"), &AccumulatorsOptions::seed);
  table.add(rows::json(), &AccumulatorsOptions::json);
  return table.runs(run_accumulators);
}

}  // namespace qsim::cli

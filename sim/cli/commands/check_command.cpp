#include "sim/cli/commands/check_command.h"

#include "hw_models/arithmetic/kernel_target.h"
#include "sim/check/check.h"
#include "sim/check/check_json.h"
#include "sim/check/check_text.h"
#include "sim/cli/network_options.h"
#include "sim/cli/output_files.h"
#include "sim/cli/prepare_graph.h"
#include "sim/config/load_hardware.h"
#include "sim/energy/energy_model.h"
#include "workloads/ops/definition.h"
#include "workloads/readers/support.h"

namespace qsim::cli {
namespace {

struct CheckOptions {
  ChipOptions chip;
  NetworkOptions network;
  bool json = false;
};

/// The network as a scheme makes it: the nodes that a run would execute, and those that are no more.
WorkloadSurvey quantized_survey(const CheckOptions& options, const ShippedFiles& files,
                                WorkloadSurvey survey) {
  if (!options.network.changes_precision() || !survey.is_supported()) return survey;
  return quantized(std::move(survey), prepare_graph(options.network, files));
}

int run_check(const CheckOptions& options, const ShippedFiles& files) {
  const HardwareConfig hardware = load_hardware(options.chip.hardware, options.chip.sets, files.hardware);
  // A run would refuse a chip without its energies.
  static_cast<void>(EnergyModel(hardware, chip_energy_table(hardware, files.energy, options.chip.hardware)));
  WorkloadSurvey survey =
      survey_workload(options.network.workload, files.workloads, parse_shapes(options.network.shapes));
  const CheckResult result = check_workload(quantized_survey(options, files, std::move(survey)), hardware);
  write_standard_output(
      options.json
          ? check_json(result).dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n"
          : check_text(result, arithmetic::kernel_target_name()));
  return result.is_supported() ? 0 : 1;
}

}  // namespace

Command check_command() {
  CommandTable<CheckOptions> table(
      {.name = "check",
       .summary = "Tells for every node of a network whether and where it runs, and what to do if not",
       .usage = {"--workload FILE|NAME [options]"},
       .notes = {"Least values that it names are the least with which the nodes that can be checked fit."},
       .examples = {"qsim check --hw npu_small --workload model.tflite --set vector_unit.lanes=0"},
       .exit_1 = "something is not supported"});
  add_chip_and_workload(table, &CheckOptions::chip, &CheckOptions::network, "what to check");
  add_sets(table, &CheckOptions::chip, "what to check");
  add_precision(table, &CheckOptions::network, "what to check");
  return table
      .add({.name = "json",
            .group = "result",
            .help = "the result as JSON (configs/schemas/check.schema.json)"},
           &CheckOptions::json)
      .runs(run_check);
}

}  // namespace qsim::cli

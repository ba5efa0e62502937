#include "sim/cli/commands/explain_command.h"

#include "base/atomic_file.h"
#include "sim/cli/network_options.h"
#include "sim/cli/output_files.h"
#include "sim/cli/prepare_graph.h"
#include "sim/config/load_hardware.h"
#include "sim/energy/energy_model.h"
#include "sim/energy/event_rates.h"
#include "sim/explain/explain.h"
#include "sim/explain/explain_json.h"
#include "sim/explain/explain_text.h"
#include "sim/explain/roofline_svg.h"

namespace qsim::cli {
namespace {

struct ExplainCommandOptions {
  ChipOptions chip;
  NetworkOptions network;
  std::size_t layers = 10;
  bool json = false;
  std::string svg_path;
};

int run_explain(const ExplainCommandOptions& options, const ShippedFiles& files) {
  const ChipWith chip_with = [&](const std::vector<std::string>& sets) {
    std::vector<std::string> all = options.chip.sets;
    all.insert(all.end(), sets.begin(), sets.end());
    return load_hardware(options.chip.hardware, all, files.hardware);
  };
  const HardwareConfig hardware = chip_with({});
  const MapperFor mapper_for = [&](const HardwareConfig& chip) {
    return cost_mapper(
        objective_of(options.chip.objective),
        EnergyModel(chip, load_energy_table(chip.energy, files.energy, options.chip.hardware)));
  };
  // A run would refuse a chip without its energies.
  static_cast<void>(mapper_for(hardware));
  const ExplainResult result =
      explain_run(chip_with, prepare_graph(options.network, files), {options.layers, mapper_for});
  if (!options.svg_path.empty()) {
    write_file_atomically(options.svg_path, roofline_svg(roofline_of(result.run)));
  }
  write_standard_output(options.json
                            ? explain_json(result, QSIM_VERSION)
                                      .dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
                                  "\n"
                            : explain_text(result));
  return 0;
}

}  // namespace

Command explain_command() {
  CommandTable<ExplainCommandOptions> table(
      {.name = "explain",
       .summary = "Says what limits a network's layers, and what more of each setting would gain",
       .usage = {"--workload FILE|NAME [options]"},
       .notes = {"Gains are those of runs with the settings that are named; no values are computed."},
       .examples = {"qsim explain --hw npu --workload resnet8"}});
  add_chip_and_workload(table, &ExplainCommandOptions::chip, &ExplainCommandOptions::network, "what to run");
  add_sets(table, &ExplainCommandOptions::chip, "what to run");
  table.add(batch_option("what to run"), store_in(&ExplainCommandOptions::network, &NetworkOptions::batch));
  add_objective(table, &ExplainCommandOptions::chip, "what to run");
  add_precision(table, &ExplainCommandOptions::network, "what to run");
  return table
      .add({.name = "layers",
            .kind = ValueKind::integer,
            .value = "N",
            .min = 0,
            .max = 100'000,
            .group = "result",
            .default_text = "10",
            .help = "at most N slow layers"},
           &ExplainCommandOptions::layers)
      .add({.name = "json", .group = "result", .help = "the result as JSON (docs/explain.md)"},
           &ExplainCommandOptions::json)
      .add({.name = "svg",
            .kind = ValueKind::output_file,
            .value = "FILE.svg",
            .extensions = {".svg"},
            .group = "result",
            .help = "the picture that qsim roofline draws"},
           &ExplainCommandOptions::svg_path)
      .runs(run_explain);
}

}  // namespace qsim::cli

#include "sim/cli/commands/explain_command.h"

#include <algorithm>

#include "sim/cli/cost_options.h"
#include "sim/cli/picture_options.h"
#include "sim/explain/explain.h"
#include "sim/explain/explain_json.h"
#include "sim/explain/explain_text.h"
#include "sim/explain/roofline_svg.h"

namespace qsim::cli {
namespace {

struct ExplainCommandOptions {
  CostOptions cost;
  std::vector<std::string> arguments;  ///< Those of a run, as they were given.
  std::size_t layers = 10;
  PictureOptions pictures;
};

/// A word that a shell takes as it is.
std::string shell_word(const std::string& text) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_./=:,+@%").find(c) != std::string_view::npos;
  };
  if (!text.empty() && std::ranges::all_of(text, is_plain)) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

/// The run that is explained. Inputs are values, which --cost-only refuses.
std::string command_of(const ExplainCommandOptions& options) {
  std::string text = "qsim";
  for (const std::string& word : options.arguments) text += " " + shell_word(word);
  return options.cost.inputs.empty() ? text + " --cost-only" : text;
}

int run_explain(const ExplainCommandOptions& options, const ShippedFiles& files) {
  const ChipWith chip_with = [&](const std::vector<std::string>& sets) {
    return hardware_of(options.cost, files, sets);
  };
  const MapperFor mapper_for = [&](const HardwareConfig& chip) {
    return mapper_of(options.cost, energy_model_of(options.cost, chip, files));
  };
  // A run would refuse a chip without its energies.
  static_cast<void>(mapper_for(chip_with({})));
  const ExplainResult result =
      explain_run(chip_with, graph_of(options.cost, files),
                  {options.layers, mapper_for, options.cost.inferences, command_of(options)});
  write_forms(options.pictures,
              {result.run.workload_name + " on " + result.run.hardware.name,
               [&] { return explain_json(result, QSIM_VERSION); }, [&] { return explain_text(result); },
               [&] { return roofline_svg(roofline_of(result.run)); }});
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
  add_cost_options(table, &ExplainCommandOptions::cost, "what to run");
  add_inferences(table, &ExplainCommandOptions::cost, "what to run");
  table.records(&ExplainCommandOptions::arguments)
      .add({.name = "layers",
            .kind = ValueKind::integer,
            .value = "N",
            .min = 0,
            .max = 100'000,
            .group = "result",
            .default_text = "10",
            .help = "at most N slow layers"},
           &ExplainCommandOptions::layers);
  add_pictures(table, &ExplainCommandOptions::pictures, "the picture that qsim roofline draws");
  return table.runs(run_explain);
}

}  // namespace qsim::cli

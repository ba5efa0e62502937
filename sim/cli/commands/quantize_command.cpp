#include "sim/cli/commands/quantize_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "base/atomic_file.h"
#include "base/error.h"
#include "quantization/quantize_graph.h"
#include "sim/check/check.h"
#include "sim/cli/cost_options.h"
#include "sim/cli/network_options.h"
#include "sim/cli/output_files.h"
#include "sim/cli/prepare_graph.h"
#include "sim/config/load_hardware.h"
#include "workloads/readers/json/json_write.h"
#include "workloads/readers/onnx/onnx_write.h"

namespace qsim::cli {
namespace {

constexpr std::int64_t kInputs = 1024;
constexpr auto* kMethod = "pipeline";
constexpr std::size_t kWidestName = 40;

struct QuantizeArguments {
  QuantizeArguments() { network.calibration.default_items = kInputs; }

  ChipOptions chip;
  NetworkOptions network;
  std::uint64_t seed = 1;
  std::string output;
  bool quiet = false;
};

bool is_onnx(const std::string& path) {
  return path.ends_with(".onnx");
}

void check_arguments(const QuantizeArguments& arguments) {
  const NetworkOptions& network = arguments.network;
  if (!is_onnx(arguments.output) && !arguments.output.ends_with(".json")) {
    throw InputError({"--output", "", '"' + arguments.output + '"', "a name that ends in .json or .onnx",
                      "a workload is FILE.json with FILE.weights.safetensors beside it"});
  }
  FileArguments outputs{{"--output", arguments.output}};
  if (!is_onnx(arguments.output)) outputs.push_back({"--output", tensor_file_beside(arguments.output)});
  check_output_paths(outputs, {{"--workload", network.workload}});
}

/// The chip runs the network, or InputError with all that it lacks.
void require_chip(const QuantizeArguments& arguments, const Graph& graph, const HardwareConfig& hardware) {
  WorkloadSurvey survey;
  survey.name = graph.name;
  const CheckResult result = check_workload(quantized(std::move(survey), graph), hardware);
  std::vector<Problem> problems;
  for (const Reason& reason : result.problems) {
    problems.push_back({arguments.chip.hardware, reason.subject, reason.text, "", reason.remedy});
  }
  for (const NodeCheck& node : result.nodes) {
    for (const Reason& reason : node.reasons) {
      problems.push_back({arguments.chip.hardware, node.name, reason.text, "", reason.remedy});
    }
  }
  if (!problems.empty()) throw InputError(std::move(problems));
}

/// A row a node, a column a step.
std::string error_table(const std::vector<StepErrors>& steps) {
  std::string text = fmt::format("{:<{}}", "SQNR in dB behind", kWidestName);
  for (const StepErrors& step : steps) text += fmt::format("  {:>15}", step.step);
  text += "\n";
  for (std::size_t n = 0; n < steps.front().nodes.size(); ++n) {
    text += fmt::format("{:<{}.{}}", steps.front().nodes[n], kWidestName, kWidestName);
    for (const StepErrors& step : steps) text += fmt::format("  {:>15.1f}", step.errors[n].sqnr_db());
    text += "\n";
  }
  return text;
}

int quantize(const QuantizeArguments& arguments, const ShippedFiles& files) {
  check_arguments(arguments);
  const HardwareConfig hardware = load_hardware(arguments.chip.hardware, arguments.chip.sets, files.hardware);
  NetworkOptions network = arguments.network;
  network.calibration.seed = arguments.seed;
  network.calibration.seeds_inputs = false;
  if (network.calibration.method.empty() && network.calibration.ranges.empty())
    network.calibration.method = kMethod;
  // What the chip lacks is said before the long steps.
  NetworkOptions trial = network;
  trial.calibration.method = "minmax";
  trial.calibration.ranges.clear();
  trial.calibration.items = 1;
  require_chip(arguments, prepare_graph(trial, files), hardware);
  std::vector<StepErrors> steps;
  network.calibration.on_step = [&](const StepErrors& step) {
    steps.push_back(step);
    const bool is_watched = !arguments.quiet && isatty(STDERR_FILENO) != 0;
    if (is_watched) std::fprintf(stderr, "qsim: %s done\n", step.step.c_str());
  };
  const Graph graph = prepare_graph(network, files);
  if (is_onnx(arguments.output)) {
    write_file_atomically(arguments.output, encode_onnx(graph, OnnxStyle::qdq));
  } else {
    write_workload_json(graph, arguments.output);
  }
  if (arguments.quiet) return 0;
  std::string text = steps.empty() ? std::string() : error_table(steps);
  for (const std::string& note : graph.provenance) text += "note: " + note + "\n";
  write_standard_output(text);
  return 0;
}

}  // namespace

Command quantize_command() {
  using A = QuantizeArguments;
  const std::string group = "Network";
  CommandTable<A> table(
      {.name = "quantize",
       .summary = "Quantizes a float network for the chip after training",
       .usage = {"--workload FILE [--calibration DATA] --output FILE [options]"},
       .notes = {"The method pipeline is cle+mse+adaround; FILE.json goes with FILE.weights.safetensors.",
                 "Without --calibration: cle+absorption+mse+batch_norm+bias_correction, from batch norms."},
       .examples = {
           "qsim quantize --workload float.onnx --calibration idx:train --scheme w4a8 --output net.json"}});
  add_chip_and_workload(table, &A::chip, &A::network, group);
  add_sets(table, &A::chip, group);
  add_precision(table, &A::network, group);
  add_calibration(table, &A::network, group, kInputs, kMethod);
  table
      .add(rows::preprocess(group),
           store_in([](A& options) -> CalibrationOptions& { return options.network.calibration; },
                    &CalibrationOptions::preprocess))
      .add({.name = "seed",
            .kind = ValueKind::integer,
            .value = "N",
            .group = group,
            .default_text = "1",
            .help = "draws the inputs, and the samples of AdaRound"},
           &A::seed)
      .add({.name = "output",
            .kind = ValueKind::output_file,
            .value = "FILE",
            .extensions = {".json", ".onnx"},
            .required = true,
            .group = "Result",
            .help = "workload in JSON, or ONNX with QuantizeLinear and DequantizeLinear"},
           &A::output)
      .add({.name = "quiet", .group = "Result", .help = "no table and no progress"}, &A::quiet);
  return table.runs(quantize);
}

}  // namespace qsim::cli

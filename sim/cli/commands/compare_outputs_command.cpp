#include "sim/cli/commands/compare_outputs_command.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <thread>

#include "base/atomic_file.h"
#include "base/error.h"
#include "sim/cli/commands/run_options.h"
#include "sim/cli/inputs.h"
#include "sim/cli/output_files.h"
#include "sim/cli/prepare_graph.h"
#include "sim/compare/compare_report.h"
#include "sim/config/load_hardware.h"
#include "sim/report/json_blocks.h"
#include "sim/report/tensor_file.h"
#include "sim/simulate.h"

namespace qsim::cli {
namespace {

struct CompareArguments {
  std::vector<std::string> files;  ///< Two, or one: the reference of a run.
  ChipOptions chip;
  NetworkOptions network;
  std::vector<InputArgument> inputs;
  std::optional<std::uint64_t> seed;
  std::int64_t steps = 0;
  double relative = 0.0;
  std::string tensor;
  bool common = false;
  bool explain = false;
  std::string report_path;
  bool json = false;
};

bool is_run(const CompareArguments& arguments) {
  return arguments.files.size() == 1;
}

void check_arguments(const CompareArguments& arguments) {
  const bool has_network = !arguments.network.workload.empty();
  std::vector<Problem> problems;
  const auto refuse = [&](const char* argument, const char* value, const char* expected, const char* hint) {
    problems.push_back({argument, "", value, expected, hint});
  };
  if (arguments.files.empty() || arguments.files.size() > 2) {
    refuse("FILE", arguments.files.empty() ? "nothing" : "more than two files",
           "two files, or one and --workload", "qsim compare-outputs --help has examples");
  } else if (is_run(arguments) && !has_network) {
    refuse("--workload", "nothing", "the network to run and compare with the file", "or give two files");
  }
  if (arguments.explain && !has_network) {
    refuse("--explain", "no --workload beside it", "the network whose layers are to be explained",
           "give --workload FILE|NAME");
  }
  const bool asks_for_run = !arguments.inputs.empty() || arguments.seed || !arguments.chip.sets.empty() ||
                            arguments.chip.hardware != ChipOptions{}.hardware;
  if (arguments.files.size() == 2 && asks_for_run) {
    refuse("--hw, --set, --input, --seed", "two files", "one file, with which a run is compared",
           "with two files nothing is run");
  }
  if (!problems.empty()) throw InputError(std::move(problems));
}

/// "1e-4", finite and not negative.
void set_relative(CompareArguments& arguments, const std::string& text) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), arguments.relative);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  if (is_number && std::isfinite(arguments.relative) && arguments.relative >= 0.0) return;
  throw InputError({"--float-tolerance", "", '"' + text + '"', "a number of at least 0, such as 1e-4", ""});
}

struct Run {
  TensorSet tensors;
  std::string description;
};

Run run_network(const Graph& graph, const CompareArguments& arguments, const ShippedFiles& files) {
  const HardwareConfig hardware = load_hardware(arguments.chip.hardware, arguments.chip.sets, files.hardware);
  const std::uint64_t seed = arguments.seed.value_or(RunOptions{}.seed);
  const PreparedInputs inputs = prepare_inputs(graph, arguments.inputs, seed, Values::layer);
  SimulateOptions options;
  options.threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  options.dump_tensors = true;
  const RunResult result = simulate(hardware, graph, inputs.values, options);
  Run run{{graph.name, dumped_tensors(result)}, graph.name + " on " + hardware.name};
  for (NamedTensor& tensor : run.tensors.tensors) tensor.data = stored_form(tensor);
  for (const InputOrigin& input : inputs.origins) run.description += ", " + input.name + ": " + input.origin;
  return run;
}

/// The node that computes the first tensor with a difference; nothing for a graph input.
std::optional<std::string> node_of(const Graph& graph, const std::optional<std::string>& tensor) {
  for (const Node& node : graph.nodes) {
    if (tensor && graph.tensor(node.outputs[0]).name == *tensor) return node.name;
  }
  return std::nullopt;
}

/// Of --tensor alone, where it is given; its inputs may be tensors that are not compared.
std::optional<Explanation> explanation_of(const Graph& graph, const CompareArguments& arguments,
                                          const TensorSet& a, const TensorSet& b, TensorSet all_of_a,
                                          TensorSet all_of_b) {
  if (arguments.tensor.empty()) return explain_first_difference(graph, a, b);
  if (all_of_a.tensors.size() == 1) all_of_a = a;  // It may have got its name.
  if (all_of_b.tensors.size() == 1) all_of_b = b;
  return explain_first_difference(graph, all_of_a, all_of_b, b.tensors.front().name);
}

int compare(const CompareArguments& arguments, const ShippedFiles& files) {
  check_arguments(arguments);
  TensorSet b = read_tensor_set(arguments.files.back());
  std::optional<Graph> graph;
  if (!arguments.network.workload.empty())
    graph = prepare_graph(arguments.network, files, named_arrays(arguments.inputs));

  CompareReport report;
  TensorSet a;
  if (is_run(arguments)) {
    Run run = run_network(*graph, arguments, files);
    a = std::move(run.tensors);
    report.a = run.description;
  } else {
    a = read_tensor_set(arguments.files.front());
    report.a = base_name(arguments.files.front());
  }
  report.b = base_name(arguments.files.back());
  report.version = QSIM_VERSION;
  report.tolerance = {arguments.steps, arguments.relative};
  TensorSet all_of_a, all_of_b;
  if (!arguments.tensor.empty()) {
    if (arguments.explain) {
      all_of_a = a;
      all_of_b = b;
    }
    keep_tensor(a, arguments.tensor);
    keep_tensor(b, arguments.tensor);
  }
  name_single_tensor(a, b);

  CompareOptions options;
  options.tolerance = report.tolerance;
  // A reference need not have every tensor of a run.
  options.all_in_b = !is_run(arguments) && !arguments.common;
  options.all_in_a = !arguments.common;
  if (graph) options.order = execution_order(*graph);
  report.comparison = compare_tensor_sets(a, b, options);
  if (graph) report.first_layer = node_of(*graph, report.comparison.first_difference);
  if (graph && arguments.explain)
    report.explanation = explanation_of(*graph, arguments, a, b, std::move(all_of_a), std::move(all_of_b));

  const std::string json =
      compare_json(report).dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  if (!arguments.report_path.empty()) write_file_atomically(arguments.report_path, json);
  write_standard_output(arguments.json ? json : compare_text(report));
  return report.comparison.failures == 0 ? 0 : 1;
}

using Table = CommandTable<CompareArguments>;

void add_what(Table& table) {
  using A = CompareArguments;
  table.add({.name = "FILE",
             .kind = ValueKind::input_file,
             .extensions = {".safetensors", ".npy"},
             .positional = true,
             .repeatable = true,
             .group = "Tensors",
             .help = "tensors: two files, or the reference of a run (.safetensors, .npy)"},
            &A::files);
  table
      .add({.name = "tolerance",
            .kind = ValueKind::integer,
            .value = "N",
            .group = "Tensors",
            .default_text = "0",
            .help = "steps by which stored integers may differ"},
           &A::steps)
      .add({.name = "float-tolerance",
            .kind = ValueKind::text,
            .value = "X",
            .group = "Tensors",
            .default_text = "0",
            .help = "floats: difference / largest magnitude of the tensor"},
           set_relative)
      .add({.name = "tensor",
            .kind = ValueKind::text,
            .value = "NAME",
            .group = "Tensors",
            .help = "compare this one alone"},
           &A::tensor)
      .add({.name = "common", .group = "Tensors", .help = "leave out tensors that one side lacks"},
           &A::common);
}

void add_network(Table& table) {
  using A = CompareArguments;
  const std::string group = "Network and chip";
  table
      .add({.name = "workload",
            .kind = ValueKind::workload,
            .value = "FILE|NAME",
            .group = group,
            .help = "network: run it, or order and explain two files by its layers"},
           store_in(&A::network, &NetworkOptions::workload))
      .add({.name = "explain",
            .group = group,
            .help = "find the arithmetic that gives b in the first layer that differs"},
           &A::explain)
      .add({.name = "hw",
            .kind = ValueKind::hardware,
            .value = "FILE|NAME",
            .group = group,
            .default_text = "npu",
            .help = "chip to run it on"},
           store_in(&A::chip, &ChipOptions::hardware));
  add_sets(table, &A::chip, group);
  table
      .add({.name = "input",
            .kind = ValueKind::input_file,
            .value = "[NAME=]FILE.npy",
            .extensions = {".npy"},
            .repeatable = true,
            .group = group,
            .help = "value of an input, repeatable; without it a seeded one"},
           [](A& arguments, const std::string& text) { arguments.inputs.push_back(input_argument(text)); })
      .add({.name = "seed",
            .kind = ValueKind::integer,
            .value = "N",
            .group = group,
            .default_text = "1",
            .help = "of the seeded inputs"},
           &A::seed);
  add_precision(table, &A::network, group);
}

}  // namespace

Command compare_outputs_command() {
  Table table(
      {.name = "compare-outputs",
       .summary = "Compares tensors of two files, or of a run and a reference, value by value",
       .usage = {"A B [options]", "--workload FILE|NAME REFERENCE [options]"},
       .examples = {"qsim compare-outputs --workload model.tflite --input x.npy reference.npy --explain"},
       .exit_1 = "they differ"});
  add_what(table);
  add_network(table);
  const std::string group = "Results";
  add_report(table, &CompareArguments::report_path, group);
  table.add({.name = "json", .group = group, .help = "as JSON on standard output"}, &CompareArguments::json);
  return table.runs(compare);
}

}  // namespace qsim::cli

#include "sim/cli/commands/evaluate_command.h"

#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/atomic_file.h"
#include "sim/cli/data_options.h"
#include "sim/cli/data_spec.h"
#include "sim/cli/network_options.h"
#include "sim/cli/output_files.h"
#include "sim/cli/prepare_graph.h"
#include "sim/cli/progress_bar.h"
#include "sim/cli/trap_report.h"
#include "sim/config/load_hardware.h"
#include "sim/energy/event_rates.h"
#include "sim/evaluate/evaluate.h"
#include "sim/evaluate/evaluate_report.h"
#include "sim/report/accounting.h"
#include "sim/report/json_blocks.h"
#include "workloads/formats/npy.h"

namespace qsim::cli {
namespace {

struct EvaluateArguments {
  ChipOptions chip;
  NetworkOptions network;
  DataOptions data;
  bool strict = false;
  std::string report_path;
  std::string predictions_path;
  std::string inputs_path;
  std::string logits_path;
  bool json = false;
  bool quiet = false;
};

EvaluateReportOptions report_options(const EvaluateArguments& arguments, const std::string& energy_table) {
  EvaluateReportOptions report;
  report.version = QSIM_VERSION;
  report.data = data_without_folders(arguments.data.data);
  report.preprocess = preprocess_name(arguments.data);
  report.limit = arguments.data.limit;
  report.list = base_name(arguments.data.list);
  report.label_offset = arguments.data.label_offset;
  report.weight_bits = arguments.network.weight_bits;
  report.activation_bits = arguments.network.activation_bits;
  report.bits_file = base_name(arguments.network.bits_file);
  report.scheme = base_name(arguments.network.scheme);
  report.sets = arguments.chip.sets;
  report.energy_table = energy_table;
  return report;
}

EvaluateOptions evaluate_options(const EvaluateArguments& arguments) {
  EvaluateOptions options;
  options.jobs = jobs_of(arguments.data);
  options.strict = arguments.strict;
  options.limit = arguments.data.limit;
  options.label_offset = arguments.data.label_offset;
  options.output = arguments.data.output;
  options.keep_inputs = !arguments.inputs_path.empty();
  options.keep_logits = !arguments.logits_path.empty();
  return options;
}

Evaluation evaluate_with_progress(const HardwareConfig& hardware, const Graph& graph, const Dataset& data,
                                  const Preprocess& preprocess, const EvaluateArguments& arguments,
                                  const EnergyModel& model) {
  EvaluateOptions options = evaluate_options(arguments);
  options.rows = rows_of(arguments.data, data);
  // As a run's: where cycles are nearly equal, what moves less energy is taken.
  const std::unique_ptr<const Mapper> mapper = cost_mapper(Objective::latency, model);
  options.mapper = mapper.get();
  ProgressBar bar("images");
  if (!arguments.quiet)
    options.on_progress = [&](std::int64_t done, std::int64_t total) { bar.show(done, total); };
  return evaluate(hardware, graph, data, preprocess, options);
}

void write_results(const EvaluateArguments& arguments, const Evaluation& evaluation,
                   const RunSummary& summary, const EvaluateReportOptions& report) {
  const std::string json = evaluate_json(evaluation, summary, report)
                               .dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
                           "\n";
  if (!arguments.report_path.empty()) write_file_atomically(arguments.report_path, json);
  if (!arguments.predictions_path.empty()) {
    write_file_atomically(arguments.predictions_path, predictions_csv(evaluation));
  }
  if (evaluation.inputs) write_npy(arguments.inputs_path, *evaluation.inputs);
  if (evaluation.logits) write_npy(arguments.logits_path, *evaluation.logits);
  if (arguments.json) {
    write_standard_output(json);
  } else if (!arguments.quiet) {
    write_standard_output(evaluate_text(evaluation, summary, report));
  }
}

/// How far an evaluation came that a signal ended; nothing has been written.
int interrupted(const Evaluation& evaluation) {
  std::fprintf(stderr, "qsim: interrupted (%s) after %lld of %lld images; nothing was written\n",
               strsignal(evaluation.signal), static_cast<long long>(evaluation.done),
               static_cast<long long>(evaluation.asked));
  return 128 + evaluation.signal;
}

/// Images that are left out are named whatever else is printed.
void name_failures(const Evaluation& evaluation) {
  for (const Prediction& prediction : evaluation.predictions) {
    if (!prediction.is_read()) std::fprintf(stderr, "qsim: left out: %s\n", prediction.problem.c_str());
  }
}

int run_evaluate(const EvaluateArguments& arguments, const ShippedFiles& files) {
  const HardwareConfig hardware = load_hardware(arguments.chip.hardware, arguments.chip.sets, files.hardware);
  const EnergyModel model(hardware, chip_energy_table(hardware, files.energy, arguments.chip.hardware));
  NetworkOptions network = arguments.network;
  network.calibration.preprocess =
      arguments.data.preprocess;  // What images need, they need for calibration too.
  const Graph graph = prepare_graph(network, files);
  const Preprocess preprocess = preprocess_of(arguments.data, files);
  const std::unique_ptr<Dataset> data = open_dataset(arguments.data.data);

  const Evaluation evaluation = evaluate_with_progress(hardware, graph, *data, preprocess, arguments, model);
  if (evaluation.signal != 0) return interrupted(evaluation);
  const RunSummary summary = summarize(evaluation.inference, model, 1);
  check_accounting(evaluation.inference, summary, graph);
  name_failures(evaluation);
  write_results(arguments, evaluation, summary, report_options(arguments, model.table().name));
  return report_traps(evaluation.inference);
}

void add_results(CommandTable<EvaluateArguments>& table) {
  using A = EvaluateArguments;
  const std::string group = "Results";
  add_report(table, &A::report_path, group);
  table
      .add({.name = "predictions",
            .kind = ValueKind::output_file,
            .value = "FILE.csv",
            .extensions = {".csv"},
            .group = group,
            .help = "a line an image: its label and what the network says"},
           &A::predictions_path)
      .add({.name = "dump-inputs",
            .kind = ValueKind::output_file,
            .value = "FILE.npy",
            .extensions = {".npy"},
            .group = group,
            .help = "the input tensors of all images"},
           &A::inputs_path)
      .add({.name = "logits",
            .kind = ValueKind::output_file,
            .value = "FILE.npy",
            .extensions = {".npy"},
            .group = group,
            .help = "scores of all images as float32, in front of a final softmax",
            .detail = "A row an image in the order of the data set; of an image that cannot be read NaN. A "
                      "float network without a scheme gives its own floats."},
           &A::logits_path)
      .add({.name = "json", .group = group, .help = "the report on standard output instead of the text"},
           &A::json)
      .add({.name = "quiet", .group = group, .help = "no text and no progress"}, &A::quiet);
}

}  // namespace

Command evaluate_command() {
  const std::string group = "Network and chip";
  CommandTable<EvaluateArguments> table(
      {.name = "evaluate",
       .summary = "Runs a labelled data set on the chip: accuracy beside cycles and energy",
       .usage = {"--workload FILE|NAME --data FORMAT:PATH [options]"},
       .examples = {"qsim evaluate --workload resnet8_int8.tflite --data cifar10:test_batch.bin"},
       .exit_1 = "accumulators trapped"});
  add_chip_and_workload(table, &EvaluateArguments::chip, &EvaluateArguments::network, group);
  add_sets(table, &EvaluateArguments::chip, group);
  add_precision(table, &EvaluateArguments::network, group);
  add_calibration(table, &EvaluateArguments::network, group);
  add_data_options(table, &EvaluateArguments::data, true, "Data");
  table.add({.name = "strict", .group = "Data", .help = "an image that cannot be read ends the run"},
            &EvaluateArguments::strict);
  add_results(table);
  return table.runs(run_evaluate);
}

}  // namespace qsim::cli

#include "sim/cli/commands/run_command.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>

#include "base/atomic_file.h"
#include "base/error.h"
#include "hw_models/waveform.h"
#include "sim/cli/inputs.h"
#include "sim/cli/output_files.h"
#include "sim/cli/trap_report.h"
#include "sim/report/accounting.h"
#include "sim/report/duty_cycle.h"
#include "sim/report/json_blocks.h"
#include "sim/report/layers_csv.h"
#include "sim/report/power_profile.h"
#include "sim/report/report_json.h"
#include "sim/report/tensor_file.h"
#include "sim/report/text_report.h"
#include "sim/report/trace.h"
#include "sim/simulate.h"

namespace qsim::cli {
namespace {

SimulateOptions simulate_options(const RunOptions& options) {
  SimulateOptions simulate_options;
  simulate_options.values = options.values;
  simulate_options.inferences = options.cost.inferences;
  simulate_options.fidelity = options.fidelity;
  const int processors = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  simulate_options.threads = options.threads > 0 ? options.threads : processors;
  simulate_options.dump_tensors = !options.dump_path.empty();
  return simulate_options;
}

const char* values_name(Values values) {
  switch (values) {
    case Values::layer:
      return "layer";
    case Values::tile:
      return "tile";
    case Values::none:
      return "none";
  }
  return "";
}

ReportOptions report_options(const RunOptions& options, const std::string& energy_table,
                             std::vector<InputOrigin> origins) {
  ReportOptions report;
  report.version = QSIM_VERSION;
  report.values = values_name(options.values);
  report.fidelity = options.fidelity == Fidelity::pe ? "pe" : "tile";
  report.batch = options.cost.network.batch;
  report.inferences = options.cost.inferences;
  report.seed = options.seed;
  report.weight_bits = options.cost.network.weight_bits;
  report.activation_bits = options.cost.network.activation_bits;
  report.bits_file = base_name(options.cost.network.bits_file);
  report.scheme = base_name(options.cost.network.scheme);
  report.until = options.cost.network.until;
  report.objective = options.cost.chip.objective;
  report.rate = options.rate;
  report.sets = options.cost.chip.sets;
  report.inputs = std::move(origins);
  report.energy_table = energy_table;
  return report;
}

void write_results(const RunOptions& options, const RunResult& result, const RunSummary& summary,
                   const ReportOptions& report) {
  std::string json;
  if (options.json || !options.report_path.empty()) {
    json = report_json(result, summary, report)
               .dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
           "\n";
  }
  if (!options.report_path.empty()) write_file_atomically(options.report_path, json);
  if (!options.layers_path.empty()) write_file_atomically(options.layers_path, layers_csv(result, summary));
  if (!options.trace_path.empty())
    write_file_atomically(options.trace_path, trace_json(result, summary.power));
  if (!options.outputs_path.empty()) write_tensor_file(options.outputs_path, result.outputs);
  if (!options.dump_path.empty()) write_tensor_file(options.dump_path, dumped_tensors(result));
  if (options.json) {
    write_standard_output(json);
  } else if (!options.quiet) {
    write_standard_output(text_report(result, summary, report));
  }
}

/// A waveform on its way to its file.
struct WaveformFile {
  explicit WaveformFile(const RunOptions& options)
      : file(options.vcd_path),
        waveform(options.vcd_from, options.vcd_to, [this](std::string_view text) { file.write(text); }) {}

  AtomicFile file;
  Waveform waveform;
};

std::unique_ptr<WaveformFile> waveform_of(const RunOptions& options) {
  if (options.vcd_path.empty()) return nullptr;
  if (options.fidelity != Fidelity::pe) {
    throw InputError({"command line", "--vcd", '"' + options.vcd_path + '"',
                      "--fidelity pe, which has the PEs", "add --fidelity pe"});
  }
  return std::make_unique<WaveformFile>(options);
}

void finish(WaveformFile& waveform, const RunOptions& options, const RunResult& result) {
  waveform.waveform.finish();
  waveform.file.place();
  const std::int64_t end = result.timeline.rows.back().completed;
  if (options.vcd_from < end) return;
  std::fprintf(stderr, "qsim: note: %s shows no cycle: --vcd-cycles begins at %lld, the run ends at %lld\n",
               options.vcd_path.c_str(), static_cast<long long>(options.vcd_from),
               static_cast<long long>(end));
}

}  // namespace

int run(const RunOptions& options, const ShippedFiles& files) {
  const HardwareConfig hardware = hardware_of(options.cost, files);
  const EnergyModel model = energy_model_of(options.cost, hardware, files);
  const Graph graph = graph_of(options.cost, files);
  PreparedInputs inputs = prepare_inputs(graph, options.cost.inputs, options.seed, options.values);

  const std::unique_ptr<WaveformFile> waveform = waveform_of(options);
  SimulateOptions how = simulate_options(options);
  const std::unique_ptr<const Mapper> mapper = mapper_of(options.cost, model);
  how.mapper = mapper.get();
  if (waveform) how.waveform = &waveform->waveform;
  const RunResult result = simulate(hardware, graph, inputs.values, how);
  RunSummary summary = summarize(result, model, options.cost.network.batch);
  summary.power = power_profile(result, summary);
  if (options.rate) add_duty_cycle(summary, result, model, options.cost.network.batch, *options.rate);
  check_accounting(result, summary, graph);
  write_results(options, result, summary,
                report_options(options, model.table().name, std::move(inputs.origins)));
  if (waveform) finish(*waveform, options, result);
  return report_traps(result);
}

}  // namespace qsim::cli

#include "sim/cli/commands/compare_command.h"

#include <cstdio>
#include <cstring>
#include <memory>

#include "base/atomic_file.h"
#include "base/error.h"
#include "quantization/method.h"
#include "sim/cli/calibration.h"
#include "sim/cli/cost_options.h"
#include "sim/cli/data_options.h"
#include "sim/cli/data_spec.h"
#include "sim/cli/output_files.h"
#include "sim/cli/picture_options.h"
#include "sim/cli/prepare_graph.h"
#include "sim/cli/progress_bar.h"
#include "sim/compare_schemes/compare_page.h"
#include "sim/compare_schemes/compare_schemes.h"
#include "sim/compare_schemes/compare_text.h"
#include "sim/report/json_blocks.h"
#include "workloads/readers/load.h"

namespace qsim::cli {
namespace {

constexpr int kNothingRan = 2;

struct CompareSchemesArguments {
  std::vector<std::string> machines;
  ChipOptions chip;  ///< What all machines have in common.
  NetworkOptions network;
  std::string schemes;  ///< Empty: default_schemes().
  DataOptions data;
  bool features = false;
  bool json = false;
  bool quiet = false;
  std::string report_path, csv_path, html_path;
};

/// Names or files with commas between them.
void add_machines(CompareSchemesArguments& arguments, const std::string& text) {
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    if (end == begin) {
      throw InputError({"command line", "--hw", '"' + text + '"', "machines with commas between them",
                        "for example --hw npu,npu_small"});
    }
    arguments.machines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
}

/// Each machine's file and energies are read here once, so that what is wrong with them is said at once.
std::vector<ComparedMachine> machines_of(const CompareSchemesArguments& arguments,
                                         const ShippedFiles& files) {
  const std::vector<std::string> default_machine{arguments.chip.hardware};
  std::vector<ComparedMachine> machines;
  for (const std::string& name : arguments.machines.empty() ? default_machine : arguments.machines) {
    auto cost = std::make_shared<CostOptions>();
    cost->chip = arguments.chip;
    cost->chip.hardware = name;
    ComparedMachine machine;
    machine.name = base_name(name);
    machine.chip_with = [cost, &files](const std::vector<std::string>& sets) {
      return hardware_of(*cost, files, sets);
    };
    machine.energy_of = [cost, &files](const HardwareConfig& chip) {
      return energy_model_of(*cost, chip, files);
    };
    machine.mapper_for = [cost, &files](const HardwareConfig& chip) {
      return mapper_of(*cost, energy_model_of(*cost, chip, files));
    };
    static_cast<void>(machine.energy_of(machine.chip_with({})));
    machines.push_back(std::move(machine));
  }
  return machines;
}

CompareReportOptions report_options(const CompareSchemesArguments& arguments, const SchemeNetwork& network,
                                    const CompareSetup& setup) {
  CompareReportOptions report;
  report.version = QSIM_VERSION;
  report.data = data_without_folders(arguments.data.data);
  report.preprocess = preprocess_name(arguments.data);
  report.inputs = setup.images ? report.data : setup.inputs.description;
  report.calibration = network.calibration();
  report.ranges = std::string(name_of(network.ranges()));
  report.method = arguments.network.calibration.method;
  report.limit = arguments.data.limit;
  report.list = base_name(arguments.data.list);
  report.label_offset = arguments.data.label_offset;
  report.objective = arguments.chip.objective;
  report.sets = arguments.chip.sets;
  return report;
}

int interrupted(const SchemeComparison& comparison) {
  std::fprintf(stderr, "qsim: interrupted (%s) after %lld of %lld inferences; nothing was written\n",
               strsignal(comparison.signal), static_cast<long long>(comparison.done),
               static_cast<long long>(comparison.total));
  return 128 + comparison.signal;
}

FileContent file_of(const std::string& path, const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {path, {bytes.begin(), bytes.end()}};
}

void write_results(const CompareSchemesArguments& arguments, const SchemeComparison& comparison,
                   const CompareReportOptions& report) {
  const std::string json = json_text(compare_json(comparison, report));
  const std::string text = compare_text(comparison, report);
  std::vector<FileContent> contents;
  if (!arguments.report_path.empty()) contents.push_back(file_of(arguments.report_path, json));
  if (!arguments.csv_path.empty()) contents.push_back(file_of(arguments.csv_path, compare_csv(comparison)));
  if (!arguments.html_path.empty())
    contents.push_back(file_of(arguments.html_path, compare_page(comparison, report)));
  write_files_atomically(contents);
  if (arguments.json) {
    write_standard_output(json);
  } else if (!arguments.quiet) {
    write_standard_output(text);
  }
}

/// Where no row can run, the reasons are what is wrong with the input.
int exit_code_of(const SchemeComparison& comparison) {
  if (std::ranges::any_of(comparison.rows, &ComparedRow::runs)) return 0;
  for (const ComparedRow& row : comparison.rows) {
    std::fprintf(stderr, "qsim: %s on %s: %s\n", row.scheme.c_str(), row.hardware.c_str(), row.error.c_str());
  }
  return kNothingRan;
}

int run_compare(const CompareSchemesArguments& arguments, const ShippedFiles& files) {
  CompareSetup setup;
  setup.schemes = arguments.schemes.empty() ? default_schemes() : read_scheme_list(arguments.schemes);
  setup.machines = machines_of(arguments, files);
  setup.features = arguments.features;
  setup.jobs = jobs_of(arguments.data);

  std::unique_ptr<Dataset> data;
  if (!arguments.data.data.empty()) {
    data = open_dataset(arguments.data.data);
    setup.images = {data.get(),
                    preprocess_of(arguments.data, files),
                    arguments.data.limit,
                    rows_of(arguments.data, *data),
                    arguments.data.label_offset,
                    arguments.data.output};
  }
  CalibrationOptions calibration = arguments.network.calibration;
  calibration.preprocess = arguments.data.preprocess;
  std::vector<Scheme> schemes;
  for (const NamedScheme& scheme : setup.schemes) schemes.push_back(scheme.scheme);
  const SchemeNetwork network(load_workload(arguments.network.workload, files.workloads,
                                            {parse_shapes(arguments.network.shapes), {}}),
                              calibration, files, schemes);
  setup.reference = &network.original();
  setup.graph_with = [&](const Scheme& scheme) {
    Graph graph = network.with(scheme);
    validate(graph);
    return graph;
  };
  if (!setup.images) setup.inputs = make_calibration(network.original(), calibration, files);

  ProgressBar bar("inferences");
  if (!arguments.quiet)
    setup.on_progress = [&](std::int64_t done, std::int64_t total) { bar.show(done, total); };
  const SchemeComparison comparison = compare_schemes(setup);
  if (comparison.signal != 0) return interrupted(comparison);
  for (const std::string& image : comparison.left_out)
    std::fprintf(stderr, "qsim: left out: %s\n", image.c_str());
  write_results(arguments, comparison, report_options(arguments, network, setup));
  return exit_code_of(comparison);
}

void add_results(CommandTable<CompareSchemesArguments>& table) {
  using A = CompareSchemesArguments;
  const std::string group = "Results";
  const auto file = [&](const char* name, const char* value, const char* extension, const char* help) {
    return Option{.name = name,
                  .kind = ValueKind::output_file,
                  .value = value,
                  .extensions = {extension},
                  .group = group,
                  .help = help};
  };
  table
      .add({.name = "features",
            .group = group,
            .help = "what each feature of a scheme costs, by runs without it",
            .detail = "Zero points, scales a channel or a group, the multiplier, accumulators wider than the "
                      "sums: each the difference of two runs, with the events that differ."},
           &A::features)
      .add(file("report", "FILE.json", ".json", "what --json prints"), &A::report_path)
      .add(file("csv", "FILE.csv", ".csv", "a line a row"), &A::csv_path)
      .add(file("html", "FILE.html", ".html", "a page with pictures, for a browser"), &A::html_path)
      .add({.name = "json",
            .group = group,
            .help = "the rows as JSON on standard output instead of the table"},
           &A::json)
      .add({.name = "quiet", .group = group, .help = "no table and no progress"}, &A::quiet);
}

}  // namespace

Command compare_command() {
  using A = CompareSchemesArguments;
  const std::string group = "Networks and chips";
  CommandTable<A> table(
      {.name = "compare",
       .summary = "Compares quantization schemes: cycles, energy, bytes, and what outputs lose",
       .usage = {"--workload FILE|NAME [--hw H,H2..] [--schemes LIST|FILE.json] [options]"},
       .notes = {"Outputs are held against the float network, or against the quantized one as it is."},
       .examples = {
           "qsim compare --workload resnet8_float.onnx --schemes \"w8a8,w4a8:weights=per_tensor\""}});
  table.add({.name = "hw",
             .kind = ValueKind::hardware,
             .value = "H,H2..",
             .extensions = {".json"},
             .group = group,
             .default_text = "npu",
             .help = "hardware configurations, files or names that ship"},
            add_machines);
  add_workload(table, &A::network, group);
  add_sets(table, &A::chip, group);
  add_objective(table, &A::chip, group);
  table.add(
      {.name = "schemes",
       .kind = ValueKind::text,
       .value = "LIST|FILE.json",
       .reads_data = true,
       .group = group,
       .default_text = "ten common ones",
       .help = "such as w8a8,w4a8:weights=asymmetric",
       .detail =
           "In a list a new scheme begins where a part matches w<digits>a<digits>. A file has a list of "
           "such texts and of objects as --scheme takes them in a file, which may have a name."},
      &A::schemes);
  add_calibration(table, &A::network, group);
  add_data_options(table, &A::data, false, "Data");
  add_results(table);
  return table.runs(run_compare);
}

}  // namespace qsim::cli

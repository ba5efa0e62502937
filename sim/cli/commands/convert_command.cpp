#include "sim/cli/commands/convert_command.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "base/atomic_file.h"
#include "base/error.h"
#include "sim/cli/cost_options.h"
#include "sim/cli/network_options.h"
#include "sim/cli/output_files.h"
#include "sim/cli/prepare_graph.h"
#include "workloads/readers/json/json_write.h"
#include "workloads/readers/onnx/onnx_write.h"

namespace qsim::cli {
namespace {

struct ConvertArguments {
  NetworkOptions network;
  std::string output;
  std::string format;  ///< Empty: by the extension of `output`.
};

std::string format_of(const ConvertArguments& arguments) {
  if (!arguments.format.empty()) return arguments.format;
  std::string extension = std::filesystem::path(arguments.output).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (extension == ".json") return "json";
  if (extension == ".onnx") return "qoperator";
  throw InputError({"OUT", "", '"' + arguments.output + '"', "a name that ends in .json or .onnx",
                    "or say the format: --format json|qoperator|qdq"});
}

int convert(const ConvertArguments& arguments, const ShippedFiles& files) {
  const std::string format = format_of(arguments);
  if (format == "json") {
    check_output_paths({{"OUT", arguments.output}, {"OUT", tensor_file_beside(arguments.output)}},
                       {{"IN", arguments.network.workload}});
    write_workload_json(prepare_graph(arguments.network, files), arguments.output);
    return 0;
  }
  const Graph graph = prepare_graph(arguments.network, files);
  const OnnxStyle style = format == "qdq" ? OnnxStyle::qdq : OnnxStyle::qoperator;
  write_file_atomically(arguments.output, encode_onnx(graph, style));
  std::string notes;
  for (const std::string& note : onnx_conversion_notes(graph)) notes += "note: " + note + "\n";
  write_standard_output(notes);
  return 0;
}

}  // namespace

Command convert_command() {
  using A = ConvertArguments;
  const std::string group = "Network";
  CommandTable<A> table(
      {.name = "convert",
       .summary = "Writes a network as a workload in JSON or as an ONNX model",
       .usage = {"IN OUT [options]"},
       .notes = {"OUT.json goes with OUT.weights.safetensors and loses nothing; docs/convert.md."},
       .examples = {"qsim convert model.tflite model.json"}});
  table
      .add({.name = "IN",
            .kind = ValueKind::workload,
            .positional = true,
            .required = true,
            .group = group,
            .help = "network: a file, or the name of one that ships"},
           store_in(&A::network, &NetworkOptions::workload))
      .add({.name = "OUT",
            .kind = ValueKind::output_file,
            .extensions = {".json", ".onnx"},
            .positional = true,
            .required = true,
            .group = group,
            .help = "file to write"},
           &A::output)
      .add({.name = "format",
            .kind = ValueKind::choice,
            .value = "json|qoperator|qdq",
            .choices = {"json", "qoperator", "qdq"},
            .group = group,
            .default_text = "by OUT's name",
            .help = "workload; QLinear operators or QDQ (.onnx)"},
           &A::format);
  add_shapes(table, &A::network, group);
  add_precision(table, &A::network, group);
  add_calibration(table, &A::network, group);
  const auto calibration = [](A& arguments) -> CalibrationOptions& { return arguments.network.calibration; };
  table.add(rows::preprocess(group), store_in(calibration, &CalibrationOptions::preprocess));
  return table.runs(convert);
}

}  // namespace qsim::cli

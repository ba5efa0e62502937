#include "sim/cli/prepare_graph.h"

#include <algorithm>
#include <charconv>
#include <thread>

#include "base/error.h"
#include "quantization/quantize_graph.h"
#include "quantization/requantize_graph.h"
#include "sim/cli/calibration.h"
#include "sim/cli/truncate_graph.h"
#include "workloads/graph/batch.h"
#include "workloads/graph/bit_width.h"
#include "workloads/graph/graph_check.h"
#include "workloads/readers/load.h"

namespace qsim::cli {
namespace {

BitWidthOptions bit_widths(const NetworkOptions& options) {
  BitWidthOptions bits{{options.weight_bits, options.activation_bits}, {}, options.bits_file};
  if (!options.bits_file.empty()) bits.nodes = read_bit_widths(options.bits_file);
  return bits;
}

/// What --scheme says, or its short forms.
Scheme scheme_of(const NetworkOptions& options) {
  if (options.scheme.ends_with(".json")) return read_scheme(options.scheme);
  if (!options.scheme.empty()) return parse_scheme(options.scheme);
  Scheme scheme;
  scheme.weights.bits = options.weight_bits.value_or(8);
  scheme.activations.bits = options.activation_bits.value_or(8);
  if (options.bits_file.empty()) return scheme;
  scheme.source = options.bits_file;
  for (const auto& [name, widths] : read_bit_widths(options.bits_file)) {
    scheme.layers[name].weight_bits = widths.weights;
    scheme.layers[name].activation_bits = widths.activations;
  }
  return scheme;
}

QuantizationMethod method_of(const NetworkOptions& options) {
  const CalibrationOptions& calibration = options.calibration;
  if (!calibration.method.empty()) return parse_method(calibration.method, "--method");
  QuantizationMethod method;
  if (calibration.ranges == "mse") method.ranges = RangeMethod::mse;
  return method;
}

void quantize(Graph& graph, const NetworkOptions& options, const ShippedFiles& files) {
  validate(graph);
  QuantizeOptions quantize_options;
  quantize_options.scheme = scheme_of(options);
  quantize_options.method = method_of(options);
  quantize_options.seed = options.calibration.seed.value_or(1);
  quantize_options.on_step = options.calibration.on_step;
  quantize_options.threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  // Calibration looks at the graph while quantize_graph() changes it: shapes and names of inputs stay.
  const Graph original = graph;
  quantize_graph(graph, make_calibration(original, options.calibration, files), quantize_options);
}

/// Of a network that is quantized already: nothing but ranges can be set anew.
RangeMethod ranges_of(const Graph& graph, const NetworkOptions& options) {
  const QuantizationMethod method = method_of(options);
  if (!method.changes_network()) return method.ranges;
  throw InputError({"--method", "", '"' + options.calibration.method + '"',
                    "minmax or mse; " + graph.source + " is quantized already",
                    "other methods need the float network"});
}

[[noreturn]] void refuse_calibration(const Graph& graph, const CalibrationOptions& calibration) {
  const bool has_data = !calibration.data.empty();
  const bool has_method = !calibration.method.empty();
  throw InputError(
      {has_data     ? "--calibration"
       : has_method ? "--method"
                    : "--ranges",
       "",
       '"' +
           (has_data     ? calibration.data
            : has_method ? calibration.method
                         : calibration.ranges) +
           '"',
       "a float network; " + graph.source + " is quantized already",
       "leave it out: --weight-bits and --activation-bits change the widths of what is quantized"});
}

}  // namespace

InputShapes parse_shapes(const std::vector<std::string>& arguments) {
  InputShapes shapes;
  for (const std::string& argument : arguments) {
    const auto fail = [&](const std::string& expected) {
      throw InputError(
          Problem{"--shape", "", '"' + argument + '"', expected, "as in --shape input=1,3,224,224"});
    };
    // Names of ONNX values may have '=' in them; sizes have none.
    const std::size_t equals = argument.rfind('=');
    if (equals == std::string::npos || equals == 0) fail("NAME=SIZE,SIZE,..");
    Shape shape;
    const char* at = argument.data() + equals + 1;
    const char* const end = argument.data() + argument.size();
    while (true) {
      std::int64_t size = 0;
      const auto [next, error] = std::from_chars(at, end, size);
      if (error != std::errc() || size < 1 || size > kMaxTensorElements)
        fail("sizes of 1 to " + std::to_string(kMaxTensorElements));
      shape.push_back(size);
      if (next == end) break;
      if (*next != ',') fail("sizes with commas between them");
      at = next + 1;
    }
    if (!shapes.emplace(argument.substr(0, equals), shape).second) fail("each input once");
  }
  return shapes;
}

Graph prepare_graph(const NetworkOptions& options, const ShippedFiles& files, const InputArrays& arrays) {
  Graph graph = load_workload(options.workload, files.workloads, {parse_shapes(options.shapes), arrays});
  const bool is_float = is_float_graph(graph);
  // A scheme sets the ranges of weights that are quantized already anew.
  const bool takes_ranges = is_float || (!options.scheme.empty() && options.calibration.data.empty());
  if (options.calibration.is_given() && !takes_ranges) refuse_calibration(graph, options.calibration);
  if (is_float && (options.changes_precision() || options.calibration.is_given())) {
    quantize(graph, options, files);
  } else if (!options.scheme.empty()) {
    const Scheme scheme = scheme_of(options);
    validate(graph);
    requantize_graph(graph, scheme, ranges_of(graph, options));
  } else if (options.changes_precision()) {
    apply_bit_widths(graph, bit_widths(options));
  }
  if (!options.until.empty()) truncate_graph(graph, options.until);
  if (options.batch != 1) set_batch(graph, options.batch);
  validate(graph);
  return graph;
}

}  // namespace qsim::cli

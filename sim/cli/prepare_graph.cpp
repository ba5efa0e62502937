#include "sim/cli/prepare_graph.h"

#include <algorithm>
#include <charconv>
#include <thread>

#include "base/error.h"
#include "quantization/channel_model.h"
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

QuantizationMethod method_of(const CalibrationOptions& calibration) {
  if (!calibration.method.empty())
    return parse_method(calibration.method, "--method", !calibration.data.empty());
  return calibration.ranges.empty() ? QuantizationMethod{} : parse_method(calibration.ranges, "--ranges");
}

QuantizeOptions quantize_options(const CalibrationOptions& calibration) {
  QuantizeOptions options;
  options.method = method_of(calibration);
  options.seed = calibration.seed.value_or(1);
  options.on_step = calibration.on_step;
  options.threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  return options;
}

/// Of a network that is quantized already nothing but ranges can be set anew.
void check_method(const Graph& graph, const CalibrationOptions& calibration,
                  const QuantizationMethod& method) {
  if (!method.changes_network()) return;
  throw InputError({"--method", "", '"' + calibration.method + '"',
                    "minmax or mse; " + graph.source + " is quantized already",
                    "other methods need the float network"});
}

/// Whether ranges come from what the network says of itself: where a method is named and no data, and either
/// there are batch norms or some step needs to know more than weights. Otherwise inputs are seeded.
bool is_data_free(const Graph& graph, const CalibrationOptions& calibration,
                  const QuantizationMethod& method) {
  if (!calibration.data.empty()) return false;
  if (!calibration.seeds_inputs || method.needs_knowledge()) return true;
  return has_distributions(graph) && !(calibration.method.empty() && calibration.ranges.empty());
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

SchemeNetwork::SchemeNetwork(Graph graph, const CalibrationOptions& calibration, const ShippedFiles& files,
                             std::span<const Scheme> schemes)
    : original_(std::move(graph)), options_(quantize_options(calibration)) {
  validate(original_);
  if (!is_float_graph(original_)) {
    if (!calibration.data.empty()) refuse_calibration(original_, calibration);
    check_method(original_, calibration, options_.method);
    return;
  }
  const bool with_spread =
      std::ranges::any_of(schemes, [&](const Scheme& scheme) { return needs_spread(options_with(scheme)); });
  const CalibrationData data = is_data_free(original_, calibration, options_.method)
                                   ? no_calibration(calibration, files)
                                   : make_calibration(original_, calibration, files);
  observed_ = observe_graph(original_, data, options_.method, with_spread, options_.threads);
}

RangeRule SchemeNetwork::ranges() const {
  return observed_ ? options_.method.float_ranges() : options_.method.integer_ranges();
}

QuantizeOptions SchemeNetwork::options_with(const Scheme& scheme) const {
  QuantizeOptions options = options_;
  options.scheme = scheme;
  return options;
}

Graph SchemeNetwork::with(const Scheme& scheme) const {
  if (observed_) {
    check_scheme(original_, scheme);
    return quantize_observed(*observed_, options_with(scheme));
  }
  Graph graph = original_;
  requantize_graph(graph, scheme, ranges());
  return graph;
}

Graph prepare_graph(const NetworkOptions& options, const ShippedFiles& files, const InputArrays& arrays) {
  Graph graph = load_workload(options.workload, files.workloads, {parse_shapes(options.shapes), arrays});
  const bool is_float = is_float_graph(graph);
  // A scheme sets the ranges of weights that are quantized already anew.
  const bool takes_ranges = is_float || (!options.scheme.empty() && options.calibration.data.empty());
  if (options.calibration.is_given() && !takes_ranges) refuse_calibration(graph, options.calibration);
  const bool is_quantized_now = is_float && (options.changes_precision() || options.calibration.is_given());
  if (is_quantized_now || !options.scheme.empty()) {
    const Scheme scheme = scheme_of(options);
    if (is_float) check_scheme(graph, scheme);  // before what takes time
    graph = SchemeNetwork(std::move(graph), options.calibration, files, {&scheme, 1}).with(scheme);
  } else if (options.changes_precision()) {
    apply_bit_widths(graph, bit_widths(options));
  }
  if (!options.until.empty()) truncate_graph(graph, options.until);
  if (options.batch != 1) set_batch(graph, options.batch);
  validate(graph);
  return graph;
}

}  // namespace qsim::cli

#include "quantization/quantize_graph.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "quantization/float_forms.h"
#include "quantization/graph_edits.h"
#include "quantization/quantize_blocks.h"
#include "quantization/quantize_weights.h"
#include "quantization/quantizer_choice.h"
#include "quantization/weight_groups.h"
#include "workloads/graph/chip_support.h"
#include "workloads/ops/definition.h"

namespace qsim {
namespace {

bool has_weights(const Node& node) {
  return definition(node.op).has_weights;
}

/// Puts grids on the tensors of a float graph, and dequantize and quantize around what stays float. A tensor
/// that the host makes stays float under its name, and its integers are a tensor of their own; with one that
/// the chip makes it is the other way round.
class GraphQuantizer {
 public:
  GraphQuantizer(Graph& graph, Quantizers quantizers, const QuantizeOptions& options)
      : graph_(graph),
        grids_(std::move(quantizers.activations)),
        weights_(std::move(quantizers.weights)),
        options_(options),
        forms_(graph) {
    for (TensorId id = 0; id < static_cast<TensorId>(graph.tensors.size()); ++id) {
      uses_.push_back(use_count(graph, id));
    }
  }

  void run() {
    find_host_nodes();
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (const TensorId id : graph_.inputs) put_on_grid(id);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (on_host_[i]) {
        add_host_node(std::move(nodes[i]));
      } else {
        add_chip_node(std::move(nodes[i]), std::move(weights_[i]));
      }
    }
  }

  [[nodiscard]] std::vector<std::string> host_nodes() const { return host_nodes_; }

 private:
  /// The graph with every activation on its grid tells what the chip could compute.
  void find_host_nodes() {
    Graph trial = graph_;
    for (std::size_t i = 0; i < trial.tensors.size(); ++i) {
      if (grids_[i]) set_grid(trial.tensors[i], *grids_[i]);
    }
    std::set<TensorId> read_by_chip;
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      on_host_.push_back(!has_weights(node) && !chip_obstacle(trial, trial.nodes[i]).empty());
      if (on_host_.back()) {
        stays_float_.insert(node.outputs[0]);
        host_nodes_.push_back(node.name);
      } else {
        read_by_chip.insert(node.inputs.begin(), node.inputs.end());
      }
    }
    // What only the host reads need not be quantized.
    for (const TensorId id : graph_.inputs) {
      if (!read_by_chip.contains(id) && uses_[static_cast<std::size_t>(id)] > 0) stays_float_.insert(id);
    }
  }

  static void set_grid(Tensor& tensor, const Quantization& grid) {
    tensor.type = smallest_element_type(grid.bits, grid.is_signed);
    tensor.quantization = grid;
  }
  /// The tensor itself holds integers from now on.
  void put_on_grid(TensorId id) {
    const auto& grid = grids_[static_cast<std::size_t>(id)];
    if (grid && !stays_float_.contains(id)) set_grid(graph_.tensor(id), *grid);
  }

  /// The other form of an activation.
  TensorId companion(TensorId id, const std::string& place) {
    Tensor form = graph_.tensor(id);
    if (stays_float_.contains(id)) {
      set_grid(form, *grids_[static_cast<std::size_t>(id)]);
    } else {
      form.type = ElementType::f32;
      form.quantization.reset();
    }
    return forms_.other(id, std::move(form), place);
  }

  [[nodiscard]] bool is_activation(TensorId id) const {
    return id != kNoTensor && !graph_.tensor(id).is_constant() && grids_[static_cast<std::size_t>(id)];
  }

  void add_host_node(Node node) {
    for (TensorId& id : node.inputs) {
      if (is_activation(id) && !stays_float_.contains(id)) id = companion(id, node.place);
    }
    graph_.nodes.push_back(std::move(node));
  }

  void add_chip_node(Node node, std::optional<Tensor> weights) {
    for (TensorId& id : node.inputs) {
      if (is_activation(id)) {
        if (stays_float_.contains(id)) id = companion(id, node.place);
      } else if (id != kNoTensor && graph_.tensor(id).is_constant() &&
                 definition(node.op).constants_are_activations) {
        id = quantized_operand(id, node);
      }
    }
    if (weights) quantize_layer(node, std::move(*weights));
    put_on_grid(node.outputs[0]);
    if (const auto quantize = definition(node.op).quantize) {
      quantize(node.op, *graph_.tensor(node.outputs[0]).quantization);
    }
    graph_.nodes.push_back(std::move(node));
  }

  /// On the grid of its own range, of the output's width and kind; where a concatenation joins it, on the
  /// output's grid.
  TensorId quantized_operand(TensorId id, const Node& node) {
    const Tensor constant = graph_.tensor(id);
    const Quantization& output = *grids_[static_cast<std::size_t>(node.outputs[0])];
    if (vector_access(node.op).pattern == AccessPattern::join) {
      return forms_.add_tensor(quantize_constant(constant, output), "#" + node.name);
    }
    ObservedValues values;
    values.observe_limits(constant.data->as<float>());
    const bool is_power_of_two = options_.scheme.is_power_of_two();
    if (is_power_of_two) values.observe_spread(constant.data->as<float>());
    ActivationScheme scheme = options_.scheme.activations_of(node.name);
    scheme.bits = output.bits;
    const ActivationFormat format =
        activation_format(scheme, graph_.semantics, values.limits(), is_power_of_two);
    const Quantization grid = choose_grid(values, format, RangeMethod::min_max);
    return forms_.add_tensor(quantize_constant(constant, grid), "#" + node.name);
  }

  void quantize_layer(Node& node, Tensor weights) {
    const Quantization input = *graph_.tensor(node.inputs[0]).quantization;
    const bool wide_bias = input.bits > 8 && graph_.semantics == Semantics::tflite;
    if (node.inputs.size() > 2 && node.inputs[2] != kNoTensor) {
      Tensor integers = quantize_bias(graph_.tensor(node.inputs[2]), input.scale(), *weights.quantization,
                                      wide_bias ? ElementType::i64 : ElementType::i32);
      node.inputs[2] = replace(node.inputs[2], std::move(integers), node);
    }
    node.inputs[1] = replace(node.inputs[1], std::move(weights), node);
  }

  /// Integers take the tensor's place; where several nodes read it, each gets its own.
  TensorId replace(TensorId id, Tensor quantized, const Node& node) {
    if (uses_[static_cast<std::size_t>(id)] > 1)
      return forms_.add_tensor(std::move(quantized), "#" + node.name);
    graph_.tensor(id) = std::move(quantized);
    return id;
  }

  Graph& graph_;
  std::vector<std::optional<Quantization>> grids_;
  std::vector<std::optional<Tensor>> weights_;  ///< By node of the float graph.
  const QuantizeOptions& options_;
  std::vector<int> uses_;           ///< By tensor of the float graph: nodes that read it, and outputs.
  std::vector<bool> on_host_;       ///< By node of the float graph.
  std::set<TensorId> stays_float_;  ///< Activations that the host makes or alone reads.
  FloatForms forms_;
  std::vector<std::string> host_nodes_;
};

std::string width_text(int bits) {
  return std::to_string(bits) + (bits == 1 ? " bit" : " bits");
}

std::string describe(const QuantizeOptions& options, const CalibrationData& data, int layers) {
  const Scheme& scheme = options.scheme;
  const ActivationScheme& activations = scheme.activations;
  std::string text = "quantized from float: weights " + weight_text(scheme.weights) + " (" +
                     counted(layers, "layer") + "); activations " + width_text(activations.bits);
  if (activations.is_symmetric) text += *activations.is_symmetric ? ", symmetric" : ", asymmetric";
  if (activations.is_signed) text += *activations.is_signed ? ", signed" : ", unsigned";
  text += ", a scale a tensor; ";
  if (scheme.is_power_of_two()) text += "power-of-two scales, the better of two by squared error; ";
  if (!scheme.layers.empty()) text += "single nodes as " + scheme.source + " says; ";
  if (data.count == 0) {
    return text + "no data: ranges of activations from batch norms, mean +- 6 deviations, the input's from " +
           data.description + "; of weights " + text_of(options.method.float_ranges());
  }
  return text + text_of(options.method.float_ranges()) + " over " + data.description;
}

class SchemeCheck {
 public:
  SchemeCheck(const Graph& graph, const Scheme& scheme) : graph_(graph), scheme_(scheme) {}

  void run() {
    if (scheme_.format == NumberFormat::mxint) check_blocks();
    check("", scheme_.activations);
    for (const auto& [name, layer] : scheme_.layers) {
      check(name, scheme_.activations_of(name));
    }
    for (Problem& problem : group_problems(graph_, scheme_)) problems_.push_back(std::move(problem));
    if (!problems_.empty()) throw InputError(std::move(problems_));
  }

 private:
  void report(const std::string& place, const std::string& value, const std::string& expected,
              const std::string& hint) {
    problems_.push_back({scheme_.source, place, value, expected, hint});
  }

  void check_blocks() {
    const std::string hint =
        "MXINT8 is w8a8:format=mxint: blocks of 32 signed integers of 8 bits, with powers of two";
    const auto refuse = [&](bool wrong, const std::string& place, const std::string& value,
                            const std::string& expected) {
      if (wrong) report(place, value, expected, hint);
    };
    const WeightScheme& weights = scheme_.weights;
    const ActivationScheme& activations = scheme_.activations;
    refuse(weights.bits != 8 || activations.bits != 8, "bits",
           "w" + std::to_string(weights.bits) + "a" + std::to_string(activations.bits),
           "w8a8 with format=mxint");
    refuse(!weights.is_symmetric, "weights", "asymmetric", "symmetric weights with format=mxint");
    refuse(weights.granularity != Granularity::per_channel, "weights", "a granularity",
           "none with format=mxint: blocks are of 32");
    refuse(!activations.is_symmetric.value_or(true), "activations", "asymmetric",
           "symmetric activations with format=mxint");
    refuse(!activations.is_signed.value_or(true), "activations", "unsigned",
           "signed activations with format=mxint");
    refuse(!scheme_.layers.empty(), "layers", "exceptions", "none with format=mxint");
    if (!is_float_graph(graph_))
      report("format", "mxint", "int for a network that is quantized already",
             "blocks are made of a float network");
  }

  void check(const std::string& layer, const ActivationScheme& activations) {
    const std::string in = layer.empty() ? "" : layer + ".";
    if (activations.bits == 1 && activations.is_signed.value_or(false)) {
      report(in + "activations", "1 signed bit", "2 to 16 bits, or unsigned",
             "-1 and 1 have no zero, which padding needs");
    }
    const bool is_tflite = graph_.semantics == Semantics::tflite;
    if (is_tflite && activations.bits > 8 && !activations.is_symmetric.value_or(true)) {
      report(in + "activations", "asymmetric", "symmetric activations above 8 bits",
             "TFLite's arithmetic above 8 bits has no zero points: leave activations= out");
    }
  }

  const Graph& graph_;
  const Scheme& scheme_;
  std::vector<Problem> problems_;
};

}  // namespace

bool is_float_graph(const Graph& graph) {
  const auto is_float = [&](TensorId id) {
    return id == kNoTensor || graph.tensor(id).is_constant() || graph.tensor(id).is_float() ||
           graph.tensor(id).required_value.has_value();
  };
  bool any = false;
  for (const Node& node : graph.nodes) {
    if (!std::ranges::all_of(node.inputs, is_float) || !std::ranges::all_of(node.outputs, is_float))
      return false;
    any = any || is_float_node(graph, node);
  }
  return any;
}

std::string weight_text(const WeightScheme& weights) {
  return width_text(weights.bits) + (weights.is_symmetric ? ", symmetric" : ", asymmetric") + ", a scale " +
         (weights.granularity == Granularity::per_tensor  ? "a tensor"
          : weights.granularity == Granularity::per_group ? "a group of " + std::to_string(weights.group_size)
                                                          : "an output channel");
}

void check_scheme(const Graph& graph, const Scheme& scheme) {
  std::vector<std::string> nodes;
  for (const Node& node : graph.nodes) nodes.push_back(node.name);
  check_scheme_nodes(scheme, nodes, graph.source);
  SchemeCheck(graph, scheme).run();
}

namespace {

/// Block formats: exponents depend on the data, so that ranges say where sums lie alone.
Graph quantize_in_blocks(const ObservedGraph& observed, const QuantizeOptions& options) {
  const QuantizationMethod& method = options.method;
  const bool has_ranges = method.ranges && method.ranges->method != RangeMethod::min_max;
  if (has_ranges || method.ranges_by_outputs || method.rounds_adaptively || method.corrects_biases) {
    throw InputError({"--method", "", to_string(method), "minmax, relu or cle with format=mxint",
                      "a block's exponent is that of its largest magnitude: leave the other steps out"});
  }
  Graph graph = observed.prepared;
  const BlockLayers done = quantize_to_blocks(graph, observed.values);
  graph.provenance.push_back(
      "quantized from float to MXINT8: blocks of 32 channels share an exponent, weights and "
      "activations of " +
      counted(done.layers, "layer") + " and " + counted(done.vector_layers, "vector operation") +
      "; ranges of sums over " + observed.data.description);
  std::string names;
  for (const std::string& name : done.host_nodes) names += (names.empty() ? "" : ", ") + name;
  if (!names.empty()) graph.provenance.push_back("left to the host in float: " + names);
  return graph;
}

}  // namespace

Graph quantize_observed(const ObservedGraph& observed, const QuantizeOptions& options) {
  const Scheme& scheme = options.scheme;
  if (scheme.format == NumberFormat::mxint) return quantize_in_blocks(observed, options);
  Graph graph = observed.prepared;
  QuantizerChoice choice = choose_quantizers(observed, graph, options);
  const auto layers =
      std::ranges::count_if(choice.quantizers.weights, [](const auto& w) { return w.has_value(); });
  GraphQuantizer quantizer(graph, std::move(choice.quantizers), options);
  quantizer.run();
  if (scheme.is_power_of_two()) graph.rounding_profile = arithmetic::RoundingProfile::power_of_two;
  std::vector<std::string>& provenance = graph.provenance;
  provenance.push_back(describe(options, observed.data, static_cast<int>(layers)));
  if (const std::string groups = group_note(graph, scheme); !groups.empty()) provenance.push_back(groups);
  if (observed.dequantized > 0) {
    provenance.push_back("weights of " + counted(observed.dequantized, "layer") +
                         " had 8 bits before: w = s*q");
  }
  if (observed.norms > 0)
    provenance.push_back(counted(observed.norms, "batch norm") + " folded into the layer before");
  if (observed.opened > 0)
    provenance.push_back("ReLU in place of " + std::to_string(observed.opened) + " ReLU6");
  if (observed.activations > 0) provenance.push_back(counted(observed.activations, "activation") + " fused");
  provenance.insert(provenance.end(), observed.notes.begin(), observed.notes.end());
  provenance.insert(provenance.end(), choice.notes.begin(), choice.notes.end());
  std::string names;
  for (const std::string& name : quantizer.host_nodes()) names += (names.empty() ? "" : ", ") + name;
  if (!names.empty()) provenance.push_back("left to the host in float: " + names);
  return graph;
}

void quantize_graph(Graph& graph, const CalibrationData& data, const QuantizeOptions& options) {
  check_scheme(graph, options.scheme);
  graph = quantize_observed(
      observe_graph(graph, data, options.method, needs_spread(options), options.threads), options);
}

}  // namespace qsim

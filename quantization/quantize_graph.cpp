#include "quantization/quantize_graph.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "quantization/graph_edits.h"
#include "quantization/grid_plan.h"
#include "quantization/quantize_weights.h"
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
  GraphQuantizer(Graph& graph, std::vector<std::optional<Quantization>> grids, const NodeWidths& widths,
                 const QuantizeOptions& options)
      : graph_(graph),
        grids_(std::move(grids)),
        widths_(widths),
        options_(options),
        companions_(graph.tensors.size(), kNoTensor) {
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
        add_chip_node(std::move(nodes[i]));
      }
    }
  }

  [[nodiscard]] int layers() const { return layers_; }
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

  TensorId add_tensor(Tensor tensor, const std::string& suffix) {
    tensor.name += suffix;
    graph_.tensors.push_back(std::move(tensor));
    return static_cast<TensorId>(graph_.tensors.size() - 1);
  }

  /// The other form of an activation, and the node that makes it, at its first use.
  TensorId companion(TensorId id, const std::string& place) {
    TensorId& known = companions_[static_cast<std::size_t>(id)];
    if (known != kNoTensor) return known;
    const bool to_integers = stays_float_.contains(id);
    Tensor tensor = graph_.tensor(id);
    tensor.required_value.reset();
    if (to_integers) {
      set_grid(tensor, *grids_[static_cast<std::size_t>(id)]);
    } else {
      tensor.type = ElementType::f32;
      tensor.quantization.reset();
    }
    const std::string suffix = to_integers ? "#quantize" : "#dequantize";
    known = add_tensor(std::move(tensor), suffix);
    const Op op = to_integers ? Op(QuantizeOp{}) : Op(DequantizeOp{});
    graph_.nodes.push_back({graph_.tensor(known).name, place, op, {id}, {known}});
    return known;
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

  void add_chip_node(Node node) {
    for (TensorId& id : node.inputs) {
      if (is_activation(id)) {
        if (stays_float_.contains(id)) id = companion(id, node.place);
      } else if (id != kNoTensor && graph_.tensor(id).is_constant() &&
                 definition(node.op).constants_are_activations) {
        id = quantized_operand(id, node);
      }
    }
    if (has_weights(node)) quantize_layer(node);
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
      return add_tensor(quantize_constant(constant, output), "#" + node.name);
    }
    ObservedValues values;
    values.observe_limits(constant.data->as<float>());
    const bool is_tflite = graph_.semantics == Semantics::tflite;
    const ActivationFormat format{output.bits, is_tflite, is_tflite && output.bits > 8};
    return add_tensor(quantize_constant(constant, format.quantization(values.limits())), "#" + node.name);
  }

  void quantize_layer(Node& node) {
    ++layers_;
    const Quantization input = *graph_.tensor(node.inputs[0]).quantization;
    const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != kNoTensor;
    const Tensor* bias = has_bias ? &graph_.tensor(node.inputs[2]) : nullptr;
    const WeightFormat format{widths_.weights(node), options_.per_channel_weights, options_.ranges};
    Tensor weights = quantize_weights(graph_.tensor(node.inputs[1]), bias, input.scale(), format);
    const bool wide_bias = input.bits > 8 && graph_.semantics == Semantics::tflite;
    if (has_bias) {
      Tensor integers = quantize_bias(*bias, input.scale(), *weights.quantization,
                                      wide_bias ? ElementType::i64 : ElementType::i32);
      node.inputs[2] = replace(node.inputs[2], std::move(integers), node);
    }
    node.inputs[1] = replace(node.inputs[1], std::move(weights), node);
  }

  /// Integers take the tensor's place; where several nodes read it, each gets its own.
  TensorId replace(TensorId id, Tensor quantized, const Node& node) {
    if (uses_[static_cast<std::size_t>(id)] > 1) return add_tensor(std::move(quantized), "#" + node.name);
    graph_.tensor(id) = std::move(quantized);
    return id;
  }

  Graph& graph_;
  std::vector<std::optional<Quantization>> grids_;
  const NodeWidths& widths_;
  const QuantizeOptions& options_;
  std::vector<int> uses_;             ///< By tensor of the float graph: nodes that read it, and outputs.
  std::vector<bool> on_host_;         ///< By node of the float graph.
  std::set<TensorId> stays_float_;    ///< Activations that the host makes or alone reads.
  std::vector<TensorId> companions_;  ///< By activation of the float graph.
  std::vector<std::string> host_nodes_;
  int layers_ = 0;
};

std::string count_of(int count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string width_text(const std::optional<int>& bits) {
  return std::to_string(bits.value_or(8)) + " bits";
}

std::string describe(const QuantizeOptions& options, const CalibrationData& data, int layers) {
  std::string text =
      "quantized from float: weights " + width_text(options.widths.all.weights) + ", symmetric, a scale " +
      (options.per_channel_weights ? "an output channel" : "a tensor") + " (" + count_of(layers, "layer") +
      "); activations " + width_text(options.widths.all.activations) + ", a scale a tensor; ";
  if (!options.widths.nodes.empty()) text += "single nodes as " + options.widths.nodes_file + " says; ";
  return text + (options.ranges == RangeMethod::mse ? "ranges of least squared error" : "min-max ranges") +
         " over " + data.description;
}

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

void quantize_graph(Graph& graph, const CalibrationData& data, const QuantizeOptions& options) {
  const NodeWidths widths(graph, options.widths);
  const int dequantized = dequantize_weights(graph);
  const int norms = fold_batch_norm(graph);
  const int activations = fuse_activations(graph);
  const std::vector<ObservedValues> observed =
      observe(graph, data, options.ranges == RangeMethod::mse, options.threads);
  GraphQuantizer quantizer(graph, plan_grids(graph, observed, widths, options.ranges), widths, options);
  quantizer.run();
  std::vector<std::string>& provenance = graph.provenance;
  provenance.push_back(describe(options, data, quantizer.layers()));
  if (dequantized > 0) {
    provenance.push_back("weights of " + count_of(dequantized, "layer") + " had 8 bits before: w = s*q");
  }
  if (norms > 0) provenance.push_back(count_of(norms, "batch norm") + " folded into the layer before");
  if (activations > 0) provenance.push_back(count_of(activations, "activation") + " fused");
  std::string names;
  for (const std::string& name : quantizer.host_nodes()) names += (names.empty() ? "" : ", ") + name;
  if (!names.empty()) provenance.push_back("left to the host in float: " + names);
}

}  // namespace qsim

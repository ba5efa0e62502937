// What comes before quantizers are chosen: the float graph prepared, and what its tensors hold.
#include <array>
#include <optional>
#include <utility>

#include "base/error.h"
#include "quantization/absorption.h"
#include "quantization/channel_model.h"
#include "quantization/equalize.h"
#include "quantization/graph_edits.h"
#include "quantization/quantize_graph.h"
#include "quantization/quantizer_choice.h"

namespace qsim {

bool needs_spread(const QuantizeOptions& options) {
  if (options.scheme.format == NumberFormat::mxint) return false;
  return options.method.float_ranges().method != RangeMethod::min_max || options.method.ranges_by_entropy ||
         options.scheme.is_power_of_two();
}

namespace {

/// Ranges that the batch norms tell; where there are inputs, of the others what was seen.
std::vector<ObservedValues> ranges_from_norms(const Graph& graph, const Range& input,
                                              std::vector<ObservedValues> seen) {
  const std::vector<std::optional<ChannelModel>> models = model_channels(graph, input);
  const bool has_data = !seen.empty();
  seen.resize(graph.tensors.size());
  std::vector<Problem> problems;
  const auto take = [&](TensorId id, const std::string& place) {
    const std::optional<ChannelModel>& model = models[static_cast<std::size_t>(id)];
    if (model) {
      ObservedValues values;
      values.observe_limits(std::array{model->range.low, model->range.high});
      seen[static_cast<std::size_t>(id)] = std::move(values);
    } else if (!has_data) {
      problems.push_back({graph.source, place, "no batch norm that says what the node makes",
                          "ranges from batch norms, or from data", "name inputs with --calibration"});
    }
  };
  if (!has_data) {
    for (const TensorId id : graph.inputs) {
      if (graph.tensor(id).is_float()) take(id, graph.tensor(id).name);
    }
  }
  for (const Node& node : graph.nodes) {
    if (graph.tensor(node.outputs[0]).is_float()) take(node.outputs[0], node.name);
  }
  if (!problems.empty()) throw InputError(std::move(problems));
  return seen;
}

void require_knowledge(const Graph& graph, const QuantizationMethod& method, bool has_data) {
  const bool needs_norms = !has_data || method.ranges_from_norms;
  if (needs_norms && !has_distributions(graph)) {
    throw InputError({graph.source, "", "no batch norm in the model, or folded when it was written",
                      has_data ? "batch norms, which --method batch_norm takes ranges from"
                               : "batch norms to take ranges from, or data",
                      has_data ? "leave batch_norm out" : "name inputs with --calibration"});
  }
  if (has_data || !(method.rounds_adaptively || method.ranges_by_outputs || method.ranges_by_entropy)) return;
  throw InputError({"--method", "", '"' + to_string(method) + '"',
                    "steps that need no inputs: " + data_free_words(), "name inputs with --calibration"});
}

/// What the first output is made of: the input of a final softmax where there is one.
TensorId logits_of(const Graph& graph) {
  TensorId id = graph.outputs.front();
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (node->outputs[0] != id) continue;
    const bool passes =
        std::holds_alternative<SoftmaxOp>(node->op) || std::holds_alternative<ReshapeOp>(node->op);
    if (!passes) break;
    id = node->inputs[0];
  }
  return id;
}

/// Equalizes and absorbs; what was done goes to `notes`.
Graph prepare_channels(Graph graph, const CalibrationData& data, const QuantizationMethod& method,
                       int threads, std::vector<std::string>& notes) {
  if (method.equalizes)
    notes.push_back(counted(static_cast<int>(equalize(graph).size()), "pair") + " of layers equalized");
  if (!method.absorbs_biases) return graph;
  const Absorption done = data.count == 0 ? absorb_biases(graph) : absorb_biases(graph, data, threads);
  notes.push_back("biases of " + counted(done.channels, "channel") + " absorbed by " +
                  counted(done.pairs, "next layer"));
  return graph;
}

}  // namespace

ObservedGraph observe_graph(Graph graph, const CalibrationData& data, const QuantizationMethod& method,
                            bool with_spread, int threads) {
  ObservedGraph result;
  result.dequantized = dequantize_weights(graph);
  result.norms = fold_batch_norm(graph);
  result.opened = method.replaces_relu6 ? replace_relu6(graph) : 0;
  result.activations = fuse_activations(graph);
  const bool has_data = data.count > 0;
  require_knowledge(graph, method, has_data);
  result.graph = std::move(graph);
  result.prepared = prepare_channels(result.graph, data, method, threads, result.notes);
  if (has_data) {
    result.values = observe(result.prepared, data, with_spread, threads,
                            method.ranges_by_entropy ? logits_of(result.prepared) : kNoTensor);
  }
  if (!has_data || method.ranges_from_norms)
    result.values = ranges_from_norms(result.prepared, data.input_range, std::move(result.values));
  result.data = data;
  return result;
}

}  // namespace qsim

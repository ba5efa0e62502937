#include "sim/evaluate/evaluate_setup.h"

#include <algorithm>

#include "base/error.h"

namespace qsim {
namespace {

std::string names_of(const Graph& graph, const std::vector<TensorId>& ids) {
  std::string text;
  for (const TensorId id : ids) text += (text.empty() ? "" : ", ") + graph.tensor(id).name;
  return text;
}

std::size_t image_input(const Graph& graph) {
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    if (!graph.tensor(graph.inputs[i]).required_value) open.push_back(i);
  }
  if (open.size() == 1) return open.front();
  throw InputError({graph.source, "inputs",
                    std::to_string(open.size()) + ": " + names_of(graph, graph.inputs),
                    "one input, the image", "evaluate a network with a single input"});
}

std::size_t score_output(const Graph& graph, const std::string& name) {
  if (name.empty() && graph.outputs.size() == 1) return 0;
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    if (graph.tensor(graph.outputs[i]).name == name) return i;
  }
  const std::string value =
      name.empty() ? std::to_string(graph.outputs.size()) + " outputs in " + graph.name : '"' + name + '"';
  throw InputError({"--output", "", value, "one of " + names_of(graph, graph.outputs),
                    "name the output that holds the scores"});
}

const Node* producer_of(const Graph& graph, TensorId id) {
  const auto makes = [id](const Node& node) {
    return std::find(node.outputs.begin(), node.outputs.end(), id) != node.outputs.end();
  };
  const auto node = std::find_if(graph.nodes.begin(), graph.nodes.end(), makes);
  return node == graph.nodes.end() ? nullptr : &*node;
}

/// Another type, grid or shape of the same values.
bool keeps_values(const Node& node) {
  return std::holds_alternative<QuantizeOp>(node.op) || std::holds_alternative<DequantizeOp>(node.op) ||
         std::holds_alternative<ReshapeOp>(node.op);
}

TensorId logits_of(const Graph& graph, TensorId scores) {
  const Node* node = producer_of(graph, scores);
  while (node != nullptr && keeps_values(*node)) node = producer_of(graph, node->inputs[0]);
  const bool has_softmax = node != nullptr && std::holds_alternative<SoftmaxOp>(node->op);
  return has_softmax ? node->inputs[0] : scores;
}

}  // namespace

EvaluationPorts find_ports(const Graph& graph, const std::string& output) {
  EvaluationPorts ports;
  ports.input = image_input(graph);
  ports.output = score_output(graph, output);
  const Tensor& scores = graph.tensor(graph.outputs[ports.output]);
  ports.classes = element_count(scores.shape);
  const std::int64_t last =
      scores.shape.empty() ? 0 : *std::max_element(scores.shape.begin(), scores.shape.end());
  if (ports.classes < 2 || ports.classes != last) {
    throw InputError({graph.source, "output \"" + scores.name + '"', "shape " + to_string(scores.shape),
                      "one score a class, such as 1x1000", "evaluate a classifier at batch 1"});
  }
  ports.logits = logits_of(graph, graph.outputs[ports.output]);
  return ports;
}

std::vector<std::int64_t> choose_images(const Dataset& data, std::int64_t limit,
                                        const std::vector<std::int64_t>& rows) {
  if (!rows.empty()) {
    std::vector<std::int64_t> ascending = rows;
    std::sort(ascending.begin(), ascending.end());
    return ascending;
  }
  const std::int64_t count = limit > 0 ? std::min(limit, data.size()) : data.size();
  std::vector<std::int64_t> chosen(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    // floor(i * size / count) without overflow: size = q * count + r.
    chosen[static_cast<std::size_t>(i)] = data.size() / count * i + data.size() % count * i / count;
  }
  return chosen;
}

void check_labels(const Dataset& data, const std::vector<std::int64_t>& chosen, std::int64_t classes,
                  std::int64_t offset) {
  for (const std::int64_t i : chosen) {
    const std::int64_t index = data.label(i) + offset;
    if (index >= 0 && index < classes) continue;
    throw InputError({data.name(i), "label", std::to_string(data.label(i)),
                      std::to_string(-offset) + " to " + std::to_string(classes - 1 - offset) +
                          ", the network has " + std::to_string(classes) + " classes",
                      "is this the network's data set? --label-offset shifts all labels"});
  }
}

}  // namespace qsim

#include "sim/compare/explain.h"

#include <algorithm>
#include <map>

#include "sim/compare/compare_tensors.h"
#include "sim/compare/saturating_run.h"
#include "sim/compare/suspects.h"
#include "workloads/graph/blocks.h"

namespace qsim {
namespace {

constexpr const char* kSaturates =
    "b was made by kernels that saturate: x86 without VNNI adds two u8 x s8 products in 16 bits. Weights of "
    "7 "
    "bits (reduce_range), unsigned weights or, in part, ONNX Runtime's session.x64quantprecision=1 avoid it";

/// Whether saturated pairs, and no arithmetic on exact sums, give the reference.
bool saturates(const std::vector<SuspectResult>& suspects) {
  const auto exact_end = std::ranges::find_if_not(suspects, &SuspectResult::is_exact);
  return exact_end != suspects.begin() &&
         std::all_of(suspects.begin(), exact_end,
                     [](const SuspectResult& suspect) { return suspect.name == kSaturatedPairs; });
}

class Explainer {
 public:
  Explainer(const Graph& graph, const TensorSet& values, const TensorSet& reference) : graph_(graph) {
    for (const NamedTensor& tensor : values.tensors) values_.emplace(tensor.name, &tensor.data);
    for (const NamedTensor& tensor : reference.tensors) reference_.emplace(tensor.name, &tensor.data);
  }

  [[nodiscard]] std::optional<Explanation> explain(const std::string& only) const {
    for (const Node& node : graph_.nodes) {
      const Tensor& output = graph_.tensor(node.outputs[0]);
      if (!only.empty() && output.name != only) continue;
      const std::optional<TensorData> value = find(values_, output);
      const std::optional<TensorData> wanted = find(reference_, output);
      if (!value || !wanted) continue;
      const TensorDifference difference = compare_values(*value, *wanted, {});
      if (difference.unequal == 0) continue;
      Explanation explanation{node.name,
                              std::string(op_name(graph_, node)),
                              node.place,
                              output.name,
                              difference.elements,
                              difference.unequal,
                              {},
                              {},
                              {},
                              {}};
      add_suspects(node, *wanted, explanation);
      return explanation;
    }
    return std::nullopt;
  }

 private:
  using Index = std::map<std::string_view, const TensorData*>;

  static std::optional<TensorData> find(const Index& index, const Tensor& tensor) {
    const auto found = index.find(tensor.name);
    return found == index.end() ? std::nullopt : as_graph_stores(tensor, *found->second);
  }

  void add_suspects(const Node& node, const TensorData& wanted, Explanation& explanation) const {
    if (graph_.tensor(node.outputs[0]).is_float()) {
      explanation.obstacle = "a float layer: its differences are those of summation orders";
      return;
    }
    std::vector<TensorData> inputs(node.inputs.size());
    LayerInputs layer{graph_, node, std::vector<const TensorData*>(node.inputs.size(), nullptr)};
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const TensorId id = node.inputs[i];
      if (id == kNoTensor) continue;
      if (!read_input(graph_.tensor(id), inputs[i], explanation)) return;
      layer.values[i] = &inputs[i];
    }
    const bool on_mac_array = mac_count(graph_, node) > 0 && graph_.tensor(node.inputs[1]).is_constant();
    if (multiplies_blocks(graph_, node)) return;
    for (const Suspect& suspect : on_mac_array ? rounding_suspects(layer) : vector_suspects(layer)) {
      const TensorDifference difference = compare_values(suspect.output, wanted, {});
      explanation.suspects.push_back({suspect.name, suspect.meaning, difference.unequal});
    }
    std::stable_sort(explanation.suspects.begin(), explanation.suspects.end(),
                     [](const auto& a, const auto& b) { return a.unexplained < b.unexplained; });
    if (saturates(explanation.suspects)) explanation.verdict = kSaturates;
  }

  bool read_input(const Tensor& tensor, TensorData& value, Explanation& explanation) const {
    if (tensor.is_constant()) {
      value = *tensor.data;
      return true;
    }
    std::optional<TensorData> found = find(reference_, tensor);
    if (!found) {
      auto& assumed = explanation.assumed_inputs;
      const bool is_new = std::find(assumed.begin(), assumed.end(), tensor.name) == assumed.end();
      if (is_new) assumed.push_back(tensor.name);
      found = find(values_, tensor);
    }
    if (!found) {
      explanation.obstacle = "neither side has its input \"" + tensor.name + "\"";
      return false;
    }
    value = std::move(*found);
    return true;
  }

  const Graph& graph_;
  Index values_, reference_;
};

}  // namespace

std::optional<Explanation> explain_first_difference(const Graph& graph, const TensorSet& values,
                                                    const TensorSet& reference, const std::string& tensor) {
  std::optional<Explanation> explanation = Explainer(graph, values, reference).explain(tensor);
  // Without the values before it a layer alone tells nothing: the network as a whole does.
  const bool is_open = explanation && explanation->verdict.empty() && !explanation->assumed_inputs.empty();
  if (is_open && only_saturating_kernels_give(graph, values, reference)) {
    explanation->verdict = std::string(kSaturates) + ". The whole network, recomputed so, gives b";
  }
  return explanation;
}

std::vector<std::string> execution_order(const Graph& graph) {
  std::vector<std::string> names;
  for (const TensorId id : graph.inputs) names.push_back(graph.tensor(id).name);
  for (const Node& node : graph.nodes) {
    for (const TensorId id : node.outputs) names.push_back(graph.tensor(id).name);
  }
  return names;
}

}  // namespace qsim

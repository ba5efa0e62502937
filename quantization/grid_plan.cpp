#include "quantization/grid_plan.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/json_reader.h"
#include "workloads/ops/definition.h"

namespace qsim {
namespace {

constexpr int kDefaultBits = 8;

class GridPlanner {
 public:
  GridPlanner(const Graph& graph, const std::vector<ObservedValues>& observed, const NodeWidths& widths,
              RangeMethod ranges)
      : graph_(graph),
        observed_(observed),
        widths_(widths),
        ranges_(ranges),
        group_(graph.tensors.size()),
        bits_(graph.tensors.size()),
        grids_(graph.tensors.size()) {
    std::iota(group_.begin(), group_.end(), 0);
  }

  std::vector<std::optional<Quantization>> run() {
    for (const TensorId id : graph_.inputs) note_width(id, widths_.inputs());
    for (const Node& node : graph_.nodes) note_node(node);
    for (const TensorId id : graph_.inputs) choose(id);
    for (const Node& node : graph_.nodes) choose(node.outputs[0]);
    fix_grids();
    return std::move(grids_);
  }

 private:
  [[nodiscard]] bool is_activation(TensorId id) const {
    return id != kNoTensor && graph_.tensor(id).is_float() && !graph_.tensor(id).is_constant();
  }
  [[nodiscard]] TensorId group_of(TensorId id) const {
    while (group_[static_cast<std::size_t>(id)] != id) id = group_[static_cast<std::size_t>(id)];
    return id;
  }
  void tie(TensorId a, TensorId b) {
    const TensorId root = group_of(a);
    const TensorId other = group_of(b);
    if (root == other) return;
    group_[static_cast<std::size_t>(other)] = root;
    note_width(root, bits_[static_cast<std::size_t>(other)]);
  }
  /// Of tensors that share a grid the widest.
  void note_width(TensorId id, int bits) {
    int& known = bits_[static_cast<std::size_t>(group_of(id))];
    known = std::max(known, bits);
  }

  void note_node(const Node& node) {
    const TensorId made = node.outputs[0];
    if (!is_activation(made)) return;
    if (definition(node.op).stays_in_range && is_activation(node.inputs[0])) {
      tie(node.inputs[0], made);
      return;
    }
    note_width(made, widths_.activations(node));
    if (!is_tflite() || !copies_integers(node)) return;
    for (const TensorId id : node.inputs) {
      if (is_activation(id)) tie(id, made);
    }
  }

  /// TFLite's int16 concatenation, minimum and maximum copy stored integers, whatever their scales.
  [[nodiscard]] bool copies_integers(const Node& node) const {
    if (output_grid(node.op, Semantics::tflite) == OutputGrid::compared) return true;
    return definition(node.op).copies_wide_integers && widths_.activations(node) > 8;
  }
  [[nodiscard]] bool is_tflite() const { return graph_.semantics == Semantics::tflite; }

  /// Values of the whole group: limits are joined, the spread is the widest member's.
  void choose(TensorId id) {
    if (!is_activation(id) || grids_[static_cast<std::size_t>(id)]) return;
    const TensorId root = group_of(id);
    ObservedValues values = observed_[static_cast<std::size_t>(id)];
    std::vector<TensorId> members;
    for (TensorId other = 0; other < static_cast<TensorId>(graph_.tensors.size()); ++other) {
      if (group_of(other) != root || !is_activation(other)) continue;
      members.push_back(other);
      const ObservedValues& seen = observed_[static_cast<std::size_t>(other)];
      if (width(seen.limits()) > width(values.limits())) values = seen;
    }
    for (const TensorId member : members) {
      values.merge_limits(observed_[static_cast<std::size_t>(member)]);
    }
    const int bits = bits_[static_cast<std::size_t>(root)];
    ActivationFormat format{bits, is_tflite(), is_tflite() && bits > 8};
    const Quantization grid = choose_grid(values, format, ranges_);
    for (const TensorId member : members) grids_[static_cast<std::size_t>(member)] = grid;
  }
  static float width(const Range& range) { return range.high - range.low; }

  /// Functions of a fixed range, and what only moves their values.
  void fix_grids() {
    for (const Node& node : graph_.nodes) {
      const std::optional<RealRange> range = value_range(node.op);
      if (!range) continue;
      // TFLite has them from 8 bits to 8 and from 16 to 16.
      const TensorId width_of = is_tflite() ? node.inputs[0] : node.outputs[0];
      const int bits = bits_[static_cast<std::size_t>(group_of(width_of))];
      const Quantization grid = is_tflite() ? tflite_fixed_grid(*range, bits > 8 ? 16 : 8)
                                            : affine_quantization({range->low, range->high}, bits, false);
      for (std::size_t i = 0; i < grids_.size(); ++i) {
        if (group_of(static_cast<TensorId>(i)) == group_of(node.outputs[0]) && grids_[i]) grids_[i] = grid;
      }
    }
  }

  const Graph& graph_;
  const std::vector<ObservedValues>& observed_;
  const NodeWidths& widths_;
  RangeMethod ranges_;
  std::vector<TensorId> group_;
  std::vector<int> bits_;  ///< By the group's root.
  std::vector<std::optional<Quantization>> grids_;
};

}  // namespace

NodeWidths::NodeWidths(const Graph& graph, const BitWidthOptions& options) : options_(options) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) names.push_back(node.name);
  std::vector<Problem> problems;
  const auto check_activations = [&](const std::optional<int>& bits, const std::string& place) {
    if (!bits || *bits >= 2) return;
    problems.push_back({options.nodes_file, place, std::to_string(*bits) + " activation bits", "2 to 16",
                        "one bit has no room for a range and its zero"});
  };
  check_activations(options.all.activations, "--activation-bits");
  for (const auto& [name, bits] : options.nodes) {
    check_activations(bits.activations, name);
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    const std::string nearest = nearest_name(name, names);
    problems.push_back({options.nodes_file,
                        name,
                        {},
                        "the name of a node of " + graph.source,
                        nearest.empty() ? "" : "did you mean " + nearest + "?"});
  }
  if (!problems.empty()) throw InputError(std::move(problems));
}

int NodeWidths::weights(const Node& node) const {
  const auto found = options_.nodes.find(node.name);
  if (found != options_.nodes.end() && found->second.weights) return *found->second.weights;
  return options_.all.weights.value_or(kDefaultBits);
}

int NodeWidths::activations(const Node& node) const {
  const auto found = options_.nodes.find(node.name);
  if (found != options_.nodes.end() && found->second.activations) return *found->second.activations;
  return options_.all.activations.value_or(kDefaultBits);
}

int NodeWidths::inputs() const {
  return options_.all.activations.value_or(kDefaultBits);
}

std::vector<std::optional<Quantization>> plan_grids(const Graph& graph,
                                                    const std::vector<ObservedValues>& observed,
                                                    const NodeWidths& widths, RangeMethod ranges) {
  return GridPlanner(graph, observed, widths, ranges).run();
}

}  // namespace qsim

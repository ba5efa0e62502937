#include "quantization/grid_plan.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/json_reader.h"
#include "workloads/ops/unary.h"

namespace qsim {
namespace {

constexpr int kDefaultBits = 8;

/// Output and first input are on one grid: nothing is computed, or nothing leaves the input's range.
bool shares_grid(const Node& node) {
  return std::holds_alternative<Pool2dOp>(node.op) || std::holds_alternative<MeanOp>(node.op) ||
         std::holds_alternative<PadOp>(node.op) || std::holds_alternative<StridedSliceOp>(node.op) ||
         std::holds_alternative<ReshapeOp>(node.op) || std::holds_alternative<TransposeOp>(node.op) ||
         std::holds_alternative<ResizeOp>(node.op);
}

/// Range of functions whose values lie between fixed limits.
std::optional<Range> fixed_range(const Node& node) {
  const auto* softmax = std::get_if<SoftmaxOp>(&node.op);
  if (softmax != nullptr && !softmax->logarithm) return Range{0.0F, 1.0F};
  const auto* op = std::get_if<UnaryOp>(&node.op);
  if (op == nullptr) return std::nullopt;
  const std::optional<RealRange>& range = unary_row(op->kind).range;
  return range ? std::optional(Range{range->low, range->high}) : std::nullopt;
}

/// TFLite fixes these: 1/256 from -128 (softmax, logistic), 1/128 (tanh), 1/32768 for 16 bits.
Quantization tflite_fixed_grid(const Range& range, int bits) {
  Quantization q;
  const bool has_sign = range.low < 0.0F;
  q.bits = bits > 8 ? 16 : 8;
  if (bits > 8) {
    q.scales = {1.0F / 32768.0F};
  } else {
    q.scales = {has_sign ? 1.0F / 128.0F : 1.0F / 256.0F};
    q.zero_points = {has_sign ? 0 : -128};
  }
  return q;
}

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
    if (shares_grid(node) && is_activation(node.inputs[0])) {
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
    const auto* binary = std::get_if<BinaryOp>(&node.op);
    if (binary != nullptr) return binary->kind == BinaryKind::min || binary->kind == BinaryKind::max;
    return std::holds_alternative<ConcatOp>(node.op) && widths_.activations(node) > 8;
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

  /// Softmax, logistic and tanh, and what only moves their values.
  void fix_grids() {
    for (const Node& node : graph_.nodes) {
      const std::optional<Range> range = fixed_range(node);
      if (!range) continue;
      // TFLite has them from 8 bits to 8 and from 16 to 16.
      const TensorId width_of = is_tflite() ? node.inputs[0] : node.outputs[0];
      const int bits = bits_[static_cast<std::size_t>(group_of(width_of))];
      const Quantization grid =
          is_tflite() ? tflite_fixed_grid(*range, bits) : affine_quantization(*range, bits, false);
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

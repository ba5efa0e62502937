#include "quantization/grid_plan.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "workloads/ops/definition.h"

namespace qsim {
namespace {

class GridPlanner {
 public:
  GridPlanner(const Graph& graph, const std::vector<ObservedValues>& observed, const Scheme& scheme,
              const RangeRule& ranges)
      : graph_(graph),
        observed_(observed),
        scheme_(scheme),
        ranges_(ranges),
        group_(graph.tensors.size()),
        schemes_(graph.tensors.size()),
        grids_(graph.tensors.size()) {
    std::iota(group_.begin(), group_.end(), 0);
  }

  std::vector<std::optional<Quantization>> run() {
    for (const TensorId id : graph_.inputs) note_scheme(id, scheme_.activations);
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
    note_scheme(root, schemes_[static_cast<std::size_t>(other)]);
  }
  /// Of tensors that share a grid the widest.
  void note_scheme(TensorId id, const std::optional<ActivationScheme>& scheme) {
    std::optional<ActivationScheme>& known = schemes_[static_cast<std::size_t>(group_of(id))];
    if (scheme && (!known || scheme->bits > known->bits)) known = scheme;
  }

  void note_node(const Node& node) {
    const TensorId made = node.outputs[0];
    if (!is_activation(made)) return;
    if (shares_grid(node)) {
      tie(node.inputs[0], made);
      return;
    }
    note_scheme(made, scheme_.activations_of(node.name));
    if (!is_tflite() || !copies_integers(node)) return;
    for (const TensorId id : node.inputs) {
      if (is_activation(id)) tie(id, made);
    }
  }

  /// What picks or moves values keeps the grid that they are on, where all of them lie. Means lie between its
  /// steps, and closer together than what they are of: they have one of their own (2.3.3) where the format's
  /// arithmetic can leave the input's.
  [[nodiscard]] bool shares_grid(const Node& node) const {
    if (!definition(node.op).stays_in_range || !is_activation(node.inputs[0])) return false;
    const bool is_mean = std::holds_alternative<MeanOp>(node.op) || std::holds_alternative<Pool2dOp>(node.op);
    return !is_mean || output_grid(node.op, graph_.semantics) != OutputGrid::own;
  }

  /// TFLite's int16 concatenation, minimum and maximum copy stored integers, whatever their scales.
  [[nodiscard]] bool copies_integers(const Node& node) const {
    if (output_grid(node.op, Semantics::tflite) == OutputGrid::compared) return true;
    return definition(node.op).copies_wide_integers && scheme_.activations_of(node.name).bits > 8;
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
      const bool is_wider = width(seen.limits()) > width(values.limits());
      if (seen.has_rows() || (is_wider && !values.has_rows())) values = seen;
    }
    for (const TensorId member : members) {
      values.merge_limits(observed_[static_cast<std::size_t>(member)]);
    }
    const Quantization grid = choose_grid(values, format_of(root, values.limits()), ranges_);
    for (const TensorId member : members) grids_[static_cast<std::size_t>(member)] = grid;
  }
  [[nodiscard]] ActivationFormat format_of(TensorId root, const Range& limits) const {
    const ActivationScheme scheme = schemes_[static_cast<std::size_t>(root)].value_or(scheme_.activations);
    return activation_format(scheme, graph_.semantics, limits, scheme_.is_power_of_two());
  }
  static float width(const Range& range) { return range.high - range.low; }

  /// Functions of a fixed range, and what only moves their values.
  void fix_grids() {
    for (const Node& node : graph_.nodes) {
      const std::optional<RealRange> range = value_range(node.op);
      if (!range) continue;
      // TFLite has them from 8 bits to 8 and from 16 to 16.
      const TensorId width_of = is_tflite() ? node.inputs[0] : node.outputs[0];
      const Range limits{range->low, range->high};
      const ActivationFormat format = format_of(group_of(width_of), limits);
      const Quantization grid =
          is_tflite() ? tflite_fixed_grid(*range, format.bits > 8 ? 16 : 8) : fixed_grid(limits, format);
      for (std::size_t i = 0; i < grids_.size(); ++i) {
        if (group_of(static_cast<TensorId>(i)) == group_of(node.outputs[0]) && grids_[i]) grids_[i] = grid;
      }
    }
  }

  /// Of a power of two s = (high - low) / 2^b: the last step is clipped rather than half of the grid lost.
  [[nodiscard]] static Quantization fixed_grid(const Range& limits, const ActivationFormat& format) {
    if (!format.is_power_of_two || format.is_symmetric) return format.quantization(limits);
    Quantization grid = format.float_scale(limits);
    const auto width = static_cast<double>(limits.high) - static_cast<double>(limits.low);
    grid.scales = {static_cast<float>(std::ldexp(width, -format.bits))};
    grid.scales = {power_of_two_above(grid.scale())};
    return power_of_two_grids(grid, limits, false).front();
  }

  const Graph& graph_;
  const std::vector<ObservedValues>& observed_;
  const Scheme& scheme_;
  RangeRule ranges_;
  std::vector<TensorId> group_;
  std::vector<std::optional<ActivationScheme>> schemes_;  ///< By the group's root.
  std::vector<std::optional<Quantization>> grids_;
};

}  // namespace

std::vector<std::optional<Quantization>> plan_grids(const Graph& graph,
                                                    const std::vector<ObservedValues>& observed,
                                                    const Scheme& scheme, const RangeRule& ranges) {
  return GridPlanner(graph, observed, scheme, ranges).run();
}

}  // namespace qsim

#include "quantization/equalize.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "quantization/graph_edits.h"
#include "quantization/layer_pairs.h"
#include "workloads/ops/definition.h"

namespace qsim {
namespace {

constexpr double kNone = -std::numeric_limits<double>::infinity();
constexpr std::size_t kNoPair = static_cast<std::size_t>(-1);
/// Sweeps end when no factor changes by more than 2^1e-9, and in any case after so many.
constexpr double kSettled = 1e-9;
constexpr int kMaxSweeps = 5'000;
/// Weights smaller than this part of the layer's largest count as 0: training leaves 1e-30 where a channel is
/// dead, and its bias, divided by the root of that, would be all that a tensor's range shows. Even after
/// factors of 2^24 on their channels float32's 24 bits lose them beside the others.
constexpr double kNegligible = 0x1p-48;

/// Channels between two nodes, and the logarithms (to base 2) of their factors.
struct Pair {
  std::size_t first = 0, second = 0;
  std::vector<double> factors;
};

std::int64_t groups_of(const Op& op) {
  const auto* conv = std::get_if<Conv2dOp>(&op);
  return conv == nullptr ? 1 : conv->groups;
}

/// log2 of the largest weight of each output channel n and input channel: `columns` of them a group of the
/// convolution, one for all where no factors come in.
class Layer {
 public:
  Layer(const Graph& graph, const Node& node, std::size_t channels_in, std::size_t pair_in,
        std::size_t pair_out)
      : pair_in_(pair_in), pair_out_(pair_out) {
    const Tensor& weights = graph.tensor(node.inputs[1]);
    outputs_ = static_cast<std::size_t>(weights.shape[0]);
    const auto groups = static_cast<std::size_t>(groups_of(node.op));
    columns_ = pair_in == kNoPair ? 1 : channels_in / groups;
    outputs_of_group_ = outputs_ / groups;
    const std::span<const float> w = weights.data->as<float>();
    const std::size_t depth = w.size() / outputs_;
    ranges_.assign(outputs_ * columns_, 0.0);
    for (std::size_t i = 0; i < w.size(); ++i) {
      double& range = ranges_[i / depth * columns_ + i % depth % columns_];
      range = std::max(range, std::abs(static_cast<double>(w[i])));
    }
    const double largest = ranges_.empty() ? 0.0 : *std::ranges::max_element(ranges_);
    for (double& range : ranges_) range = range > largest * kNegligible ? std::log2(range) : kNone;
  }

  /// Largest weight of each output channel, of each input channel: with the factors of the other side.
  [[nodiscard]] std::vector<double> rows(const std::vector<Pair>& pairs) const {
    std::vector<double> largest(outputs_, kNone);
    for (std::size_t n = 0; n < outputs_; ++n) {
      for (std::size_t c = 0; c < columns_; ++c) {
        largest[n] = std::max(largest[n], ranges_[n * columns_ + c] + factor_in(pairs, n, c));
      }
    }
    return largest;
  }
  [[nodiscard]] std::vector<double> columns(const std::vector<Pair>& pairs) const {
    std::vector<double> largest(outputs_ / outputs_of_group_ * columns_, kNone);
    for (std::size_t n = 0; n < outputs_; ++n) {
      for (std::size_t c = 0; c < columns_; ++c) {
        double& column = largest[n / outputs_of_group_ * columns_ + c];
        column = std::max(column, ranges_[n * columns_ + c] - factor_out(pairs, n));
      }
    }
    return largest;
  }

  void apply(Graph& graph, Node& node, const std::vector<Pair>& pairs) const {
    const std::span<float> w = own_constant(graph, node, 1).data->as<float>();
    const std::size_t depth = w.size() / outputs_;
    for (std::size_t i = 0; i < w.size(); ++i) {
      const std::size_t n = i / depth;
      const double factor = factor_in(pairs, n, i % depth % columns_) - factor_out(pairs, n);
      w[i] = static_cast<float>(static_cast<double>(w[i]) * std::exp2(factor));
    }
    if (pair_out_ == kNoPair) return;
    scale_distribution(node, pairs);
    if (node.inputs.size() < 3 || node.inputs[2] == kNoTensor) return;
    const std::span<float> b = own_constant(graph, node, 2).data->as<float>();
    for (std::size_t n = 0; n < outputs_; ++n) {
      b[n] = static_cast<float>(static_cast<double>(b[n]) * std::exp2(-factor_out(pairs, n)));
    }
  }

 private:
  /// What the layer makes is divided by the factors.
  void scale_distribution(Node& node, const std::vector<Pair>& pairs) const {
    if (!node.distribution) return;
    for (std::size_t n = 0; n < outputs_; ++n) {
      node.distribution->mean[n] *= std::exp2(-factor_out(pairs, n));
      node.distribution->deviation[n] *= std::exp2(-factor_out(pairs, n));
    }
  }
  [[nodiscard]] double factor_in(const std::vector<Pair>& pairs, std::size_t n, std::size_t column) const {
    return pair_in_ == kNoPair ? 0.0 : pairs[pair_in_].factors[n / outputs_of_group_ * columns_ + column];
  }
  [[nodiscard]] double factor_out(const std::vector<Pair>& pairs, std::size_t n) const {
    return pair_out_ == kNoPair ? 0.0 : pairs[pair_out_].factors[n];
  }

  std::size_t pair_in_, pair_out_;
  std::size_t outputs_ = 0, columns_ = 0, outputs_of_group_ = 0;
  std::vector<double> ranges_;
};

class Equalizer {
 public:
  explicit Equalizer(Graph& graph) : graph_(graph) { find_pairs(); }

  std::vector<EqualizedPair> run() {
    solve();
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (layers_[i]) layers_[i]->apply(graph_, graph_.nodes[i], pairs_);
    }
    std::vector<EqualizedPair> equalized;
    for (Pair& pair : pairs_) {
      for (double& factor : pair.factors) factor = std::exp2(factor);
      equalized.push_back(
          {graph_.nodes[pair.first].name, graph_.nodes[pair.second].name, std::move(pair.factors)});
    }
    return equalized;
  }

 private:
  void find_pairs() {
    const std::size_t count = graph_.nodes.size();
    std::vector<std::size_t> in(count, kNoPair), out(count, kNoPair);
    for (const LayerPair& pair : layer_pairs(graph_)) {
      out[pair.first] = in[pair.second] = pairs_.size();
      const Shape& made = graph_.tensor(graph_.nodes[pair.first].outputs[0]).shape;
      pairs_.push_back(
          {pair.first, pair.second, std::vector<double>(static_cast<std::size_t>(made.back()), 0.0)});
    }
    layers_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      if (in[i] == kNoPair && out[i] == kNoPair) continue;
      const std::size_t channels_in = in[i] == kNoPair ? 0 : pairs_[in[i]].factors.size();
      layers_[i].emplace(graph_, graph_.nodes[i], channels_in, in[i], out[i]);
    }
  }

  void solve() {
    for (int sweep = 0; sweep < kMaxSweeps; ++sweep) {
      double change = 0.0;
      for (Pair& pair : pairs_) change = std::max(change, settle(pair));
      if (change <= kSettled) return;
    }
  }

  /// Makes both ranges of each channel of a pair equal; returns the largest change of a factor.
  double settle(Pair& pair) {
    const std::vector<double> rows = layers_[pair.first]->rows(pairs_);
    const std::vector<double> columns = layers_[pair.second]->columns(pairs_);
    double change = 0.0;
    for (std::size_t i = 0; i < pair.factors.size(); ++i) {
      const bool is_used = rows[i] != kNone && columns[i] != kNone;
      const double factor = is_used ? (rows[i] - columns[i]) / 2.0 : 0.0;
      change = std::max(change, std::abs(factor - pair.factors[i]));
      pair.factors[i] = factor;
    }
    return change;
  }

  Graph& graph_;
  std::vector<Pair> pairs_;
  std::vector<std::optional<Layer>> layers_;  ///< By node.
};

}  // namespace

std::vector<EqualizedPair> equalize(Graph& graph) {
  return Equalizer(graph).run();
}

}  // namespace qsim

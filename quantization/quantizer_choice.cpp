#include "quantization/quantizer_choice.h"

#include <algorithm>
#include <utility>

#include "base/parallel_blocks.h"
#include "quantization/adaround.h"
#include "quantization/bias_correction.h"
#include "quantization/equalize.h"
#include "quantization/grid_plan.h"
#include "quantization/quantize_weights.h"
#include "workloads/ops/definition.h"

namespace qsim {
namespace {

/// Integers of the weights of each layer, by node.
std::vector<std::optional<Tensor>> choose_weights(const Graph& graph,
                                                  const std::vector<std::optional<Quantization>>& grids,
                                                  const QuantizeOptions& options) {
  std::vector<std::optional<Tensor>> weights(graph.nodes.size());
  for_each_block(std::ssize(graph.nodes), options.threads, [&](std::int64_t n) {
    const Node& node = graph.nodes[static_cast<std::size_t>(n)];
    if (!definition(node.op).has_weights) return;
    const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != kNoTensor;
    const WeightFormat format{options.scheme.weights_of(node.name), options.method.float_ranges(),
                              options.scheme.is_power_of_two()};
    weights[static_cast<std::size_t>(n)] =
        quantize_weights(graph.tensor(node.inputs[1]), has_bias ? &graph.tensor(node.inputs[2]) : nullptr,
                         grids[static_cast<std::size_t>(node.inputs[0])]->scale(), format);
  });
  return weights;
}

/// The quantizers of a graph whose norms are folded and activations fused, by the method's steps.
class Chooser {
 public:
  Chooser(Graph& graph, const CalibrationData& data, const QuantizeOptions& options,
          const std::vector<ObservedValues>& observed)
      : graph_(graph),
        data_(data),
        options_(options),
        observed_(observed),
        inputs_(inputs_that_fit(graph, data.count)) {}

  QuantizerChoice run() {
    const QuantizationMethod& method = options_.method;
    if (method.equalizes) {
      if (options_.on_step) report_errors(name_of(method.float_ranges()), rounded_to_nearest(observe_now()));
      notes_.push_back(counted(static_cast<int>(equalize(graph_).size()), "pair") + " of layers equalized");
    }
    Quantizers quantizers = rounded_to_nearest(observed_);
    report_errors(method.equalizes ? "cle" : name_of(method.float_ranges()), quantizers);
    const std::string shown = " by what " + std::to_string(inputs_) + " of these inputs show";
    if (method.rounds_adaptively) {
      round_adaptively(graph_, quantizers, data_, inputs_,
                       {.seed = options_.seed, .threads = options_.threads, .target = method.rounding_target});
      report_errors("adaround", quantizers);
      notes_.push_back("weights rounded up or down" + shown);
    }
    if (method.corrects_biases) {
      const Graph before = graph_;
      correct_biases(graph_, quantizers, data_, inputs_, options_.threads);
      report_errors("bias_correction", quantizers, &before);
      notes_.push_back("biases corrected" + shown);
    }
    return {std::move(quantizers), std::move(notes_)};
  }

 private:
  [[nodiscard]] std::vector<ObservedValues> observe_now() const {
    return observe(graph_, data_, needs_spread(options_), options_.threads);
  }
  [[nodiscard]] Quantizers rounded_to_nearest(const std::vector<ObservedValues>& observed) const {
    Quantizers quantizers{plan_grids(graph_, observed, options_.scheme, options_.method.float_ranges()), {}};
    quantizers.weights = choose_weights(graph_, quantizers.activations, options_);
    return quantizers;
  }

  /// `real`: the float network, where the graph's biases are no longer its own.
  void report_errors(std::string_view step, const Quantizers& quantizers, const Graph* real = nullptr) {
    if (!options_.on_step) return;
    StepErrors entry{std::string(step), {}, {}};
    const std::int64_t inputs = std::min(inputs_, kMeasuredInputs);
    entry.errors =
        run_paired(real == nullptr ? graph_ : *real, graph_, quantizers, data_, inputs, options_.threads);
    for (const Node& node : graph_.nodes) entry.nodes.push_back(node.name);
    options_.on_step(entry);
  }

  static constexpr std::int64_t kMeasuredInputs = 32;

  Graph& graph_;
  const CalibrationData& data_;
  const QuantizeOptions& options_;
  const std::vector<ObservedValues>& observed_;
  std::int64_t inputs_;
  std::vector<std::string> notes_;
};

}  // namespace

std::string counted(int count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

QuantizerChoice choose_quantizers(Graph& graph, const CalibrationData& data, const QuantizeOptions& options,
                                  const std::vector<ObservedValues>& observed) {
  return Chooser(graph, data, options, observed).run();
}

}  // namespace qsim

#include "quantization/quantizer_choice.h"

#include <algorithm>
#include <utility>

#include "base/parallel_blocks.h"
#include "quantization/adaround.h"
#include "quantization/bias_correction.h"
#include "quantization/equalize.h"
#include "quantization/grid_plan.h"
#include "quantization/output_ranges.h"
#include "quantization/quantize_weights.h"
#include "workloads/ops/definition.h"

namespace qsim {
namespace {

WeightFormat format_of(const Node& layer, const QuantizeOptions& options) {
  return {options.scheme.weights_of(layer.name), options.method.float_ranges(),
          options.scheme.is_power_of_two()};
}

/// Integers of the weights of each layer, by node.
std::vector<std::optional<Tensor>> choose_weights(const Graph& graph,
                                                  const std::vector<std::optional<Quantization>>& grids,
                                                  const QuantizeOptions& options) {
  std::vector<std::optional<Tensor>> weights(graph.nodes.size());
  for_each_block(std::ssize(graph.nodes), options.threads, [&](std::int64_t n) {
    const Node& node = graph.nodes[static_cast<std::size_t>(n)];
    if (!definition(node.op).has_weights) return;
    const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != kNoTensor;
    const WeightFormat format = format_of(node, options);
    weights[static_cast<std::size_t>(n)] =
        quantize_weights(graph.tensor(node.inputs[1]), has_bias ? &graph.tensor(node.inputs[2]) : nullptr,
                         grids[static_cast<std::size_t>(node.inputs[0])]->scale(), format);
  });
  return weights;
}

/// The quantizers of a prepared graph, by the method's steps.
class Chooser {
 public:
  Chooser(const ObservedGraph& observed, Graph& graph, const QuantizeOptions& options)
      : observed_(observed),
        graph_(graph),
        data_(observed.data),
        options_(options),
        has_data_(data_.count > 0),
        inputs_(has_data_ ? inputs_that_fit(graph, data_.count) : 0) {}

  QuantizerChoice run() {
    const QuantizationMethod& method = options_.method;
    report_before_preparing();
    Quantizers quantizers = rounded_to_nearest(graph_, observed_.values);
    report_errors(method.absorbs_biases ? "absorption"
                  : method.equalizes    ? "cle"
                                        : name_of(method.float_ranges()),
                  graph_, graph_, quantizers);
    const std::string shown = " by what " + std::to_string(inputs_) + " of these inputs show";
    if (method.ranges_by_outputs) {
      set_ranges_by_outputs(graph_, quantizers, data_, inputs_,
                            {[this](const Node& layer) { return format_of(layer, options_); }, options_.seed,
                             options_.threads});
      report_errors("seqmse", graph_, graph_, quantizers);
      notes_.push_back("ranges of weights of least output error" + shown);
    }
    if (method.rounds_adaptively) {
      round_adaptively(graph_, quantizers, data_, inputs_,
                       {.iterations = method.rounding_steps,
                        .seed = options_.seed,
                        .threads = options_.threads,
                        .target = method.rounding_target});
      report_errors("adaround", graph_, graph_, quantizers);
      notes_.push_back("weights rounded up or down" + shown);
    }
    if (method.corrects_biases) {
      const Graph before = graph_;
      if (has_data_) {
        correct_biases(graph_, quantizers, data_, inputs_, options_.threads);
        notes_.push_back("biases corrected" + shown);
      } else {
        correct_from_norms(quantizers);
      }
      report_errors("bias_correction", before, graph_, quantizers);
    }
    return {std::move(quantizers), std::move(notes_)};
  }

 private:
  [[nodiscard]] Quantizers rounded_to_nearest(const Graph& graph,
                                              const std::vector<ObservedValues>& observed) const {
    Quantizers quantizers{plan_grids(graph, observed, options_.scheme, options_.method.float_ranges()), {}};
    quantizers.weights = choose_weights(graph, quantizers.activations, options_);
    return quantizers;
  }

  void correct_from_norms(const Quantizers& quantizers) {
    const int corrected = correct_biases(graph_, quantizers, model_channels(graph_, data_.input_range));
    const auto layers =
        std::ranges::count_if(quantizers.weights, [](const auto& w) { return w.has_value(); });
    notes_.push_back("biases of " + std::to_string(corrected) + " of " +
                     counted(static_cast<int>(layers), "layer") +
                     " corrected by what batch norms say of their inputs");
  }

  /// What the steps start from, and what equalizing alone does.
  void report_before_preparing() {
    const QuantizationMethod& method = options_.method;
    if (!options_.on_step || !has_data_ || !(method.equalizes || method.absorbs_biases)) return;
    Graph graph = observed_.graph;
    report_nearest(name_of(method.float_ranges()), graph);
    if (!method.equalizes || !method.absorbs_biases) return;
    equalize(graph);
    report_nearest("cle", graph);
  }
  void report_nearest(std::string_view step, const Graph& graph) {
    const std::vector<ObservedValues> observed =
        observe(graph, data_, needs_spread(options_), options_.threads);
    report_errors(step, graph, graph, rounded_to_nearest(graph, observed));
  }

  /// `real`: the float network; `simulated` may have other biases.
  void report_errors(std::string_view step, const Graph& real, const Graph& simulated,
                     const Quantizers& quantizers) {
    if (!options_.on_step || !has_data_) return;
    StepErrors entry{std::string(step), {}, {}};
    const std::int64_t inputs = std::min(inputs_, kMeasuredInputs);
    entry.errors = run_paired(real, simulated, quantizers, data_, inputs, options_.threads);
    for (const Node& node : graph_.nodes) entry.nodes.push_back(node.name);
    options_.on_step(entry);
  }

  static constexpr std::int64_t kMeasuredInputs = 32;

  const ObservedGraph& observed_;
  Graph& graph_;
  const CalibrationData& data_;
  const QuantizeOptions& options_;
  bool has_data_;
  std::int64_t inputs_;
  std::vector<std::string> notes_;
};

}  // namespace

std::string counted(int count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

QuantizerChoice choose_quantizers(const ObservedGraph& observed, Graph& graph,
                                  const QuantizeOptions& options) {
  return Chooser(observed, graph, options).run();
}

}  // namespace qsim

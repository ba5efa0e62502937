#include "quantization/adaround.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "quantization/layer_samples.h"
#include "quantization/rounding_search.h"
#include "workloads/execute/gather_rows.h"
#include "workloads/graph/conv_geometry.h"
#include "workloads/ops/definition.h"
#include "workloads/ops/run.h"

namespace qsim {
namespace {

constexpr std::int64_t kMaxSamples = 16'384;

/// The integers of one layer's weights, and the reals that they stand for.
class LayerGrid {
 public:
  LayerGrid(const Tensor& integers, const Tensor& weights)
      : q_(*integers.quantization),
        weights_(weights.data->as<float>()),
        depth_(weights.data->size() / weights.shape[0]) {
    const arithmetic::IntegerFormat format = q_.format();
    const bool is_symmetric =
        std::ranges::all_of(q_.zero_points, [](std::int32_t z) { return z == 0; }) && q_.is_signed;
    low_ = is_symmetric ? -format.max() : format.min();
    high_ = format.max();
  }

  /// The integer below weight i.
  [[nodiscard]] std::int64_t below(std::int64_t i) const {
    return std::clamp(static_cast<std::int64_t>(std::floor(position(i))) + zero_point(i), low_, high_);
  }
  [[nodiscard]] std::int64_t above(std::int64_t i) const {
    return std::clamp(static_cast<std::int64_t>(std::floor(position(i))) + 1 + zero_point(i), low_, high_);
  }
  [[nodiscard]] float real(std::int64_t i, std::int64_t integer) const {
    return step(i) * static_cast<float>(integer - zero_point(i));
  }
  [[nodiscard]] float fraction(std::int64_t i) const {
    const double x = position(i);
    return static_cast<float>(x - std::floor(x));
  }

 private:
  [[nodiscard]] std::int64_t group(std::int64_t i) const { return q_.has_groups() ? i / q_.group_size : 0; }
  [[nodiscard]] float step(std::int64_t i) const {
    return q_.scale(i / depth_) * static_cast<float>(q_.has_groups() ? q_.group_multiplier(group(i)) : 1);
  }
  [[nodiscard]] std::int64_t zero_point(std::int64_t i) const {
    return q_.has_groups() ? q_.group_zero_point(group(i)) : q_.zero_point(i / depth_);
  }
  [[nodiscard]] double position(std::int64_t i) const {
    return static_cast<double>(weights_[static_cast<std::size_t>(i)]) / static_cast<double>(step(i));
  }

  const Quantization& q_;
  std::span<const float> weights_;
  std::int64_t depth_;
  std::int64_t low_ = 0, high_ = 0;
};

class LayerRounding {
 public:
  LayerRounding(const Graph& graph, const Node& node, Tensor& integers, const LayerValues& values,
                const AdaRoundOptions& options)
      : graph_(graph),
        node_(node),
        geometry_(conv_geometry(graph, node)),
        integers_(integers),
        grid_(integers, graph.tensor(node.inputs[1])),
        values_(values),
        options_(options) {}

  void run() {
    std::mt19937_64 random(options_.seed);
    samples_ =
        draw_samples(std::ssize(values_.inputs), geometry_.rows(), geometry_.depth(), kMaxSamples, random);
    for (std::int64_t group = 0; group < geometry_.groups; ++group) run_group(group);
  }

 private:
  void run_group(std::int64_t group) {
    const RoundingProblem problem = problem_of(group);
    const std::vector<std::uint8_t> is_up =
        search_rounding(problem, {options_.iterations, options_.seed, options_.threads});
    const std::int64_t first = group * problem.outputs * problem.depth;
    for (std::int64_t i = 0; i < std::ssize(is_up); ++i) {
      const bool up = is_up[static_cast<std::size_t>(i)] != 0;
      integers_.data->set(first + i, up ? grid_.above(first + i) : grid_.below(first + i));
    }
  }

  [[nodiscard]] RoundingProblem problem_of(std::int64_t group) const {
    RoundingProblem problem;
    problem.outputs = geometry_.group_outputs();
    problem.depth = geometry_.depth();
    problem.samples = std::ssize(samples_);
    const bool is_behind = options_.target == RoundingTarget::activation;
    const RealBounds bounds = bounds_of(is_behind ? *fused_activation(node_.op) : Activation::none);
    problem.low = bounds.low;
    problem.high = bounds.high;
    const std::int64_t first = group * problem.outputs;
    for (std::int64_t i = first * problem.depth; i < (first + problem.outputs) * problem.depth; ++i) {
      problem.down.push_back(grid_.real(i, grid_.below(i)));
      problem.up.push_back(grid_.real(i, grid_.above(i)));
      problem.fraction.push_back(grid_.fraction(i));
    }
    for (std::int64_t n = first; n < first + problem.outputs; ++n) problem.bias.push_back(bias(n));
    add_samples(problem, group);
    return problem;
  }

  void add_samples(RoundingProblem& problem, std::int64_t group) const {
    problem.inputs.resize(static_cast<std::size_t>(problem.samples * problem.depth));
    float* row = problem.inputs.data();
    for (const LayerSample& sample : samples_) {
      const auto input = static_cast<std::size_t>(sample.input);
      gather_rows(TapSource<float>{geometry_, inputs()[input].as<float>().data(), group, 0}, sample.row, 1,
                  row, problem.depth);
      row += problem.depth;
      const float* made = values_.real[input].as<float>().data() + sample.row * geometry_.out_channels +
                          group * problem.outputs;
      for (std::int64_t n = 0; n < problem.outputs; ++n) {
        problem.targets.push_back(std::clamp(made[n], problem.low, problem.high));
      }
    }
  }

  [[nodiscard]] std::span<const TensorData> inputs() const {
    return options_.target == RoundingTarget::layer ? values_.real_inputs : values_.inputs;
  }
  [[nodiscard]] float bias(std::int64_t n) const {
    if (node_.inputs.size() < 3 || node_.inputs[2] == kNoTensor) return 0.0F;
    return graph_.tensor(node_.inputs[2]).data->as<float>()[static_cast<std::size_t>(n)];
  }

  const Graph& graph_;
  const Node& node_;
  ConvGeometry geometry_;
  Tensor& integers_;
  LayerGrid grid_;
  const LayerValues& values_;
  const AdaRoundOptions& options_;
  std::vector<LayerSample> samples_;
};

}  // namespace

std::vector<NodeError> round_adaptively(const Graph& graph, Quantizers& quantizers,
                                        const CalibrationData& data, std::int64_t inputs,
                                        const AdaRoundOptions& options) {
  LayerSteps steps;
  steps.before = [&](std::size_t n, const LayerValues& values) {
    const Node& node = graph.nodes[n];
    Tensor& integers = *quantizers.weights[n];
    if (integers.quantization->bits == 1 || conv_geometry(graph, node).is_turned) return;
    LayerRounding(graph, node, integers, values, options).run();
  };
  return run_paired(graph, graph, quantizers, data, inputs, options.threads, steps);
}

}  // namespace qsim

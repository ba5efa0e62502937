#include "quantization/output_ranges.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "base/parallel_blocks.h"
#include "quantization/layer_samples.h"
#include "workloads/execute/gather_rows.h"
#include "workloads/graph/conv_geometry.h"

namespace qsim {
namespace {

constexpr int kCandidates = 20;
constexpr int kMaxSweeps = 4;
constexpr std::int64_t kMaxSamples = 4'096;

float fraction_of(int candidate) {
  return static_cast<float>(candidate) / static_cast<float>(kCandidates);
}

double sum_of_squares(const std::vector<float>& values) {
  double sum = 0.0;
  for (const float x : values) sum += static_cast<double>(x) * static_cast<double>(x);
  return sum;
}

/// The slices of one layer, and the weights that each candidate gives them.
class LayerSearch {
 public:
  LayerSearch(const Tensor& weights, const Tensor* bias, float input_scale, const WeightFormat& format,
              const OutputSamples& samples)
      : weights_(weights), bias_(bias), input_scale_(input_scale), format_(format), samples_(samples) {
    channels_ = static_cast<std::size_t>(weights.shape[0]);
    depth_ = static_cast<std::size_t>(weights.data->size()) / channels_;
    slice_ = slice_elements(weights, format.scheme);
    const std::size_t slices = channels_ * depth_ / slice_;
    for (int k = 1; k <= kCandidates; ++k) {
      const std::vector<float> fractions(slices, fraction_of(k));
      candidates_.push_back(
          values_of(dequantized_weights(quantize_weights(weights, bias, input_scale, format, fractions))));
    }
  }

  Tensor run(int threads) const {
    const bool is_joint = slice_ > depth_;
    std::vector<std::vector<float>> chosen(channels_);
    std::vector<std::vector<double>> errors(channels_);
    for_each_block(static_cast<std::int64_t>(channels_), threads, [&](std::int64_t n) {
      const auto channel = static_cast<std::size_t>(n);
      if (is_joint) {
        errors[channel] = errors_of(channel);
      } else {
        chosen[channel] = search_channel(channel);
      }
    });
    std::vector<float> fractions;
    if (is_joint) {
      std::vector<double> sums(kCandidates, 0.0);
      for (const std::vector<double>& of_channel : errors) {
        for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += of_channel[k];
      }
      fractions = {fraction_of(least(sums) + 1)};
    }
    for (const std::vector<float>& of_channel : chosen)
      fractions.insert(fractions.end(), of_channel.begin(), of_channel.end());
    return quantize_weights(weights_, bias_, input_scale_, format_, fractions);
  }

 private:
  static std::vector<float> values_of(const Tensor& tensor) {
    const std::span<const float> values = tensor.data->as<float>();
    return {values.begin(), values.end()};
  }
  /// Of equals the last.
  static int least(const std::vector<double>& errors) {
    std::size_t best = errors.size() - 1;
    for (std::size_t k = errors.size(); k-- > 0;) {
      if (errors[k] < errors[best]) best = k;
    }
    return static_cast<int>(best);
  }

  /// sums += sign * w x over weights [first, first + count) of a channel, of a candidate.
  void add(std::vector<float>& sums, std::size_t channel, std::size_t first, std::size_t count, int candidate,
           float sign) const {
    const std::size_t groups = samples_.inputs.size();
    const float* inputs = samples_.inputs[channel / (channels_ / groups)].data();
    const std::vector<float>& w = candidates_[static_cast<std::size_t>(candidate)];
    for (std::size_t k = first; k < first + count; ++k) {
      const float weight = sign * w[channel * depth_ + k];
      const float* x = inputs + k * sums.size();
      for (std::size_t s = 0; s < sums.size(); ++s) sums[s] += weight * x[s];
    }
  }
  /// -y
  [[nodiscard]] std::vector<float> negative_targets(std::size_t channel) const {
    std::vector<float> sums = samples_.targets[channel];
    for (float& y : sums) y = -y;
    return sums;
  }

  [[nodiscard]] std::vector<double> errors_of(std::size_t channel) const {
    std::vector<double> errors;
    for (int k = 0; k < kCandidates; ++k) {
      std::vector<float> sums = negative_targets(channel);
      add(sums, channel, 0, depth_, k, 1.0F);
      errors.push_back(sum_of_squares(sums));
    }
    return errors;
  }

  [[nodiscard]] std::vector<float> search_channel(std::size_t channel) const {
    const std::size_t slices = depth_ / slice_;
    if (slices == 1) return {fraction_of(least(errors_of(channel)) + 1)};
    std::vector<int> chosen(slices, kCandidates - 1);
    std::vector<float> rest = negative_targets(channel);
    add(rest, channel, 0, depth_, kCandidates - 1, 1.0F);
    bool moved = true;
    for (int sweep = 0; moved && sweep < kMaxSweeps; ++sweep) {
      moved = false;
      for (std::size_t slice = 0; slice < slices; ++slice) {
        add(rest, channel, slice * slice_, slice_, chosen[slice], -1.0F);
        std::vector<double> errors;
        for (int k = 0; k < kCandidates; ++k) {
          std::vector<float> sums = rest;
          add(sums, channel, slice * slice_, slice_, k, 1.0F);
          errors.push_back(sum_of_squares(sums));
        }
        const int best = least(errors);
        moved = moved || best != chosen[slice];
        chosen[slice] = best;
        add(rest, channel, slice * slice_, slice_, best, 1.0F);
      }
    }
    std::vector<float> fractions;
    for (const int k : chosen) fractions.push_back(fraction_of(k + 1));
    return fractions;
  }

  const Tensor& weights_;
  const Tensor* bias_;
  float input_scale_;
  const WeightFormat& format_;
  const OutputSamples& samples_;
  std::size_t channels_ = 0, depth_ = 0, slice_ = 0;
  std::vector<std::vector<float>> candidates_;  ///< Weights by candidate.
};

OutputSamples samples_of(const Graph& graph, const Node& node, const LayerValues& values,
                         std::uint64_t seed) {
  const ConvGeometry g = conv_geometry(graph, node);
  std::mt19937_64 random(seed);
  const std::vector<LayerSample> drawn =
      draw_samples(std::ssize(values.inputs), g.rows(), g.depth(), kMaxSamples, random);
  const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != kNoTensor;
  OutputSamples samples;
  samples.count = std::ssize(drawn);
  const auto count = drawn.size();
  samples.targets.resize(static_cast<std::size_t>(g.out_channels), std::vector<float>(count));
  samples.inputs.resize(static_cast<std::size_t>(g.groups),
                        std::vector<float>(count * static_cast<std::size_t>(g.depth())));
  std::vector<float> row(static_cast<std::size_t>(g.depth()));
  for (std::size_t s = 0; s < count; ++s) {
    const auto input = static_cast<std::size_t>(drawn[s].input);
    for (std::int64_t group = 0; group < g.groups; ++group) {
      gather_rows(TapSource<float>{g, values.inputs[input].as<float>().data(), group, 0}, drawn[s].row, 1,
                  row.data(), g.depth());
      std::vector<float>& columns = samples.inputs[static_cast<std::size_t>(group)];
      for (std::size_t k = 0; k < row.size(); ++k) columns[k * count + s] = row[k];
    }
    const float* made = values.real[input].as<float>().data() + drawn[s].row * g.out_channels;
    for (std::size_t n = 0; n < samples.targets.size(); ++n) {
      samples.targets[n][s] = made[n] - (has_bias ? graph.tensor(node.inputs[2]).data->as<float>()[n] : 0.0F);
    }
  }
  return samples;
}

}  // namespace

Tensor quantize_for_outputs(const Tensor& weights, const Tensor* bias, float input_scale,
                            const WeightFormat& format, const OutputSamples& samples, int threads) {
  return LayerSearch(weights, bias, input_scale, format, samples).run(threads);
}

std::vector<NodeError> set_ranges_by_outputs(const Graph& graph, Quantizers& quantizers,
                                             const CalibrationData& data, std::int64_t inputs,
                                             const OutputRangeOptions& options) {
  LayerSteps steps;
  steps.before = [&](std::size_t n, const LayerValues& values) {
    const Node& node = graph.nodes[n];
    Tensor& integers = *quantizers.weights[n];
    if (integers.quantization->bits == 1 || conv_geometry(graph, node).is_turned) return;
    const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != kNoTensor;
    const float input_scale = quantizers.activations[static_cast<std::size_t>(node.inputs[0])]->scale();
    integers = quantize_for_outputs(
        graph.tensor(node.inputs[1]), has_bias ? &graph.tensor(node.inputs[2]) : nullptr, input_scale,
        options.format(node), samples_of(graph, node, values, options.seed), options.threads);
  };
  return run_paired(graph, graph, quantizers, data, inputs, options.threads, steps);
}

}  // namespace qsim

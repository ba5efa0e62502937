#include "quantization/rounding_search.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <numeric>
#include <random>

#include "base/parallel_blocks.h"
#include "workloads/execute/float/float_gemm.h"

namespace qsim {
namespace {

constexpr std::int64_t kBatch = 512;  ///< Samples of a step.
constexpr double kLearningRate = 1e-2;
constexpr double kRegularization = 0.01;
constexpr double kZeta = 1.1, kGamma = -0.1;
constexpr double kFirstBeta = 20.0, kLastBeta = 2.0;
constexpr double kWarmUp = 0.2;  ///< Part of the steps without regularizer.
constexpr int kTurningPasses = 8;
/// Outputs of no more weights have them turned in pairs too.
constexpr std::int64_t kPairDepth = 20;
/// All choices of an output are tried where that takes no more sums of samples.
constexpr std::int64_t kMaxTrials = std::int64_t{1} << 28;
constexpr std::int64_t kOutputsOfBlock = 16;

float clamped(float y, const RoundingProblem& problem) {
  return std::clamp(y, problem.low, problem.high);
}

/// Some samples, for both products of a step.
struct Batch {
  std::int64_t begin = 0, count = 0;
  FloatPanels by_sample;  ///< x[r][k] as [depth = r][columns = k]
};

/// V of every weight, its moments, and the batches.
class Relaxation {
 public:
  Relaxation(const RoundingProblem& problem, const RoundingOptions& options)
      : p_(problem), options_(options), random_(options.seed) {
    const std::size_t weights = p_.down.size();
    v_.resize(weights);
    first_.resize(weights);
    second_.resize(weights);
    for (std::size_t i = 0; i < weights; ++i) {
      // h(V) is the fraction: V = -ln((zeta - gamma) / (fraction - gamma) - 1).
      v_[i] = static_cast<float>(
          -std::log((kZeta - kGamma) / (static_cast<double>(p_.fraction[i]) - kGamma) - 1.0));
    }
    for (std::int64_t begin = 0; begin < p_.samples; begin += kBatch) {
      const std::int64_t count = std::min(kBatch, p_.samples - begin);
      const std::span<const float> rows(p_.inputs.data() + begin * p_.depth,
                                        static_cast<std::size_t>(count * p_.depth));
      batches_.push_back({begin, count, FloatPanels::from_transposed(rows, p_.depth, count)});
    }
  }

  std::vector<std::uint8_t> run() {
    std::vector<std::size_t> order(batches_.size());
    std::iota(order.begin(), order.end(), 0);
    for (int step = 0; step < options_.iterations; ++step) {
      const auto at = static_cast<std::size_t>(step) % order.size();
      if (at == 0) shuffle(order);
      take_step(step, batches_[order[at]]);
    }
    std::vector<std::uint8_t> is_up(v_.size());
    std::ranges::transform(v_, is_up.begin(), [](float v) { return v >= 0.0F ? 1 : 0; });
    return is_up;
  }

 private:
  /// Fisher-Yates on the generator's own numbers: the same with every standard library.
  void shuffle(std::vector<std::size_t>& order) {
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random_() % i]);
  }

  void take_step(int step, const Batch& batch) {
    std::vector<float> weights(v_.size()), slopes(v_.size());
    for (std::size_t i = 0; i < v_.size(); ++i) {
      const float sigmoid = 1.0F / (1.0F + std::exp(-v_[i]));
      const float h = sigmoid * static_cast<float>(kZeta - kGamma) + static_cast<float>(kGamma);
      const float range = p_.up[i] - p_.down[i];
      weights[i] = p_.down[i] + std::clamp(h, 0.0F, 1.0F) * range;
      slopes[i] =
          h > 0.0F && h < 1.0F ? sigmoid * (1.0F - sigmoid) * static_cast<float>(kZeta - kGamma) : 0.0F;
    }
    const std::vector<float> errors = output_slopes(batch, weights);
    const std::vector<float> gradient = weight_slopes(batch, errors);
    move(step, gradient, slopes);
  }

  /// d error / d y, [outputs][samples of the batch].
  std::vector<float> output_slopes(const Batch& batch, const std::vector<float>& weights) const {
    const FloatPanels panels(weights, p_.outputs, p_.depth);
    const std::int64_t padded = panels.padded_columns();
    std::vector<float> preload(static_cast<std::size_t>(padded), 0.0F);
    std::ranges::copy(p_.bias, preload.begin());
    std::vector<float> y(static_cast<std::size_t>(batch.count * padded));
    constexpr std::int64_t kRows = 64;
    for_each_block((batch.count + kRows - 1) / kRows, options_.threads, [&](std::int64_t block) {
      const std::int64_t row = block * kRows;
      multiply(panels, {p_.inputs.data() + (batch.begin + row) * p_.depth, p_.depth,
                        std::min(kRows, batch.count - row), preload.data(), y.data() + row * padded, padded});
    });
    std::vector<float> slopes(static_cast<std::size_t>(p_.outputs * batch.count));
    const float factor = 2.0F / static_cast<float>(batch.count);
    for (std::int64_t r = 0; r < batch.count; ++r) {
      const float* targets = p_.targets.data() + (batch.begin + r) * p_.outputs;
      for (std::int64_t n = 0; n < p_.outputs; ++n) {
        const float value = y[static_cast<std::size_t>(r * padded + n)];
        const bool is_inside = value >= p_.low && value <= p_.high;
        slopes[static_cast<std::size_t>(n * batch.count + r)] =
            is_inside ? factor * (value - targets[n]) : 0.0F;
      }
    }
    return slopes;
  }

  /// d error / d w, [outputs][padded depth].
  std::vector<float> weight_slopes(const Batch& batch, const std::vector<float>& errors) const {
    const std::int64_t padded = batch.by_sample.padded_columns();
    const std::vector<float> preload(static_cast<std::size_t>(padded), 0.0F);
    std::vector<float> gradient(static_cast<std::size_t>(p_.outputs * padded));
    const std::int64_t blocks = (p_.outputs + kOutputsOfBlock - 1) / kOutputsOfBlock;
    for_each_block(blocks, options_.threads, [&](std::int64_t block) {
      const std::int64_t row = block * kOutputsOfBlock;
      multiply(batch.by_sample,
               {errors.data() + row * batch.count, batch.count, std::min(kOutputsOfBlock, p_.outputs - row),
                preload.data(), gradient.data() + row * padded, padded});
    });
    return gradient;
  }

  /// Adam, with the regularizer's slope: d/dh of 1 - |2h - 1|^beta.
  void move(int step, const std::vector<float>& gradient, const std::vector<float>& slopes) {
    const double progress = static_cast<double>(step) / options_.iterations;
    const bool is_regular = progress >= kWarmUp;
    const double annealed = (progress - kWarmUp) / (1.0 - kWarmUp);
    const auto beta = static_cast<float>(kLastBeta + (kFirstBeta - kLastBeta) *
                                                         (1.0 + std::cos(annealed * std::numbers::pi)) / 2.0);
    const auto correction = static_cast<float>(kLearningRate * std::sqrt(1.0 - std::pow(0.999, step + 1)) /
                                               (1.0 - std::pow(0.9, step + 1)));
    const auto depth = static_cast<std::size_t>(p_.depth);
    const std::size_t padded = gradient.size() / static_cast<std::size_t>(p_.outputs);
    for (std::size_t i = 0; i < v_.size(); ++i) {
      float slope = gradient[i / depth * padded + i % depth] * (p_.up[i] - p_.down[i]);
      if (is_regular && slopes[i] != 0.0F) {
        const float sigmoid = 1.0F / (1.0F + std::exp(-v_[i]));
        const float side =
            2.0F * (sigmoid * static_cast<float>(kZeta - kGamma) + static_cast<float>(kGamma)) - 1.0F;
        const float power = 2.0F * beta * std::pow(std::abs(side), beta - 1.0F);
        slope -= static_cast<float>(kRegularization) * (side < 0.0F ? -power : power);
      }
      slope *= slopes[i];
      first_[i] = 0.9F * first_[i] + 0.1F * slope;
      second_[i] = 0.999F * second_[i] + 0.001F * slope * slope;
      v_[i] -= correction * first_[i] / (std::sqrt(second_[i]) + 1e-8F);
    }
  }

  const RoundingProblem& p_;
  const RoundingOptions& options_;
  std::mt19937_64 random_;
  std::vector<float> v_, first_, second_;
  std::vector<Batch> batches_;
};

/// One output's weights, turned one by one.
class OutputSearch {
 public:
  /// `columns`: the inputs as [depth][samples].
  OutputSearch(const RoundingProblem& problem, const std::vector<float>& columns, std::int64_t output)
      : p_(problem), columns_(columns), n_(output), y_(static_cast<std::size_t>(problem.samples)) {}

  /// Sum of squared errors.
  double start(const std::uint8_t* is_up) {
    std::ranges::fill(y_, p_.bias[static_cast<std::size_t>(n_)]);
    for (std::int64_t k = 0; k < p_.depth; ++k) {
      const auto i = static_cast<std::size_t>(n_ * p_.depth + k);
      add(k, is_up[k] != 0 ? p_.up[i] : p_.down[i]);
    }
    return error_with(0, 0.0F);
  }

  /// Turns weights while that helps; returns the sum of squared errors.
  double improve(std::uint8_t* is_up) {
    double error = start(is_up);
    for (int pass = 0; pass < kTurningPasses; ++pass) {
      bool turned = false;
      for (std::int64_t k = 0; k < p_.depth; ++k) {
        const float turn = change(is_up, k);
        if (turn == 0.0F) continue;
        const double candidate = error_with(k, turn);
        if (candidate >= error) continue;
        add(k, turn);
        is_up[k] ^= 1U;
        error = candidate;
        turned = true;
      }
      if (p_.depth <= kPairDepth) turned = turn_pairs(is_up, error) || turned;
      if (!turned) break;
    }
    return error;
  }

  [[nodiscard]] bool can_try_all() const { return p_.depth < 20 && (p_.samples << p_.depth) <= kMaxTrials; }

  /// The best of all choices, one weight turned from one to the next (a Gray code).
  void try_all(std::uint8_t* is_up) {
    std::vector<std::uint8_t> choice(is_up, is_up + p_.depth);
    double best = start(is_up);
    for (std::uint32_t count = 1; count < 1U << p_.depth; ++count) {
      const int k = std::countr_zero(count);
      add(k, change(choice.data(), k));
      choice[static_cast<std::size_t>(k)] ^= 1U;
      const double error = error_with(0, 0.0F);
      if (error >= best) continue;
      best = error;
      std::ranges::copy(choice, is_up);
    }
  }

 private:
  /// Turns two weights at once where that helps.
  bool turn_pairs(std::uint8_t* is_up, double& error) {
    bool turned = false;
    for (std::int64_t k = 0; k < p_.depth; ++k) {
      for (std::int64_t other = 0; other < k; ++other) {
        const float turn = change(is_up, k);
        add(k, turn);
        const double candidate = error_with(other, change(is_up, other));
        if (candidate >= error) {
          add(k, -turn);
          continue;
        }
        add(other, change(is_up, other));
        is_up[k] ^= 1U;
        is_up[other] ^= 1U;
        error = candidate;
        turned = true;
      }
    }
    return turned;
  }
  [[nodiscard]] const float* column(std::int64_t k) const { return columns_.data() + k * p_.samples; }

  void add(std::int64_t k, float weight) {
    const float* x = column(k);
    for (std::size_t s = 0; s < y_.size(); ++s) y_[s] += weight * x[s];
  }
  /// What turning weight k adds to it.
  [[nodiscard]] float change(const std::uint8_t* is_up, std::int64_t k) const {
    const auto i = static_cast<std::size_t>(n_ * p_.depth + k);
    return is_up[k] != 0 ? p_.down[i] - p_.up[i] : p_.up[i] - p_.down[i];
  }
  [[nodiscard]] double error_with(std::int64_t k, float change) const {
    const float* x = column(k);
    double sum = 0.0;
    for (std::size_t s = 0; s < y_.size(); ++s) {
      const float difference =
          clamped(y_[s] + change * x[s], p_) -
          p_.targets[s * static_cast<std::size_t>(p_.outputs) + static_cast<std::size_t>(n_)];
      sum += static_cast<double>(difference * difference);
    }
    return sum;
  }

  const RoundingProblem& p_;
  const std::vector<float>& columns_;
  std::int64_t n_;
  std::vector<float> y_;
};

std::vector<float> transposed(const std::vector<float>& rows, std::int64_t depth) {
  std::vector<float> columns(rows.size());
  const auto width = static_cast<std::size_t>(depth);
  const std::size_t samples = rows.size() / width;
  for (std::size_t i = 0; i < rows.size(); ++i) columns[i % width * samples + i / width] = rows[i];
  return columns;
}

std::vector<std::uint8_t> nearest(const RoundingProblem& problem) {
  std::vector<std::uint8_t> is_up(problem.fraction.size());
  std::ranges::transform(problem.fraction, is_up.begin(), [](float f) { return f > 0.5F ? 1 : 0; });
  return is_up;
}

}  // namespace

std::vector<double> rounding_errors(const RoundingProblem& problem, const std::vector<std::uint8_t>& is_up) {
  const std::vector<float> columns = transposed(problem.inputs, problem.depth);
  std::vector<double> errors;
  for (std::int64_t n = 0; n < problem.outputs; ++n) {
    const double sum = OutputSearch(problem, columns, n).start(is_up.data() + n * problem.depth);
    errors.push_back(sum / static_cast<double>(problem.samples));
  }
  return errors;
}

std::vector<std::uint8_t> search_rounding(const RoundingProblem& problem, const RoundingOptions& options) {
  std::vector<std::uint8_t> is_up = nearest(problem);
  const std::vector<float> columns = transposed(problem.inputs, problem.depth);
  const auto for_each_output = [&](auto&& work) {
    for_each_block(problem.outputs, options.threads,
                   [&](std::int64_t n) { work(OutputSearch(problem, columns, n), n * problem.depth); });
  };
  if (options.tries_all && OutputSearch(problem, columns, 0).can_try_all()) {
    for_each_output([&](OutputSearch search, std::int64_t at) { search.try_all(is_up.data() + at); });
    return is_up;
  }
  const std::vector<std::uint8_t> plain = is_up;
  const std::vector<std::uint8_t> relaxed = Relaxation(problem, options).run();
  const std::vector<std::uint8_t> all_down(plain.size(), 0);
  std::vector<const std::vector<std::uint8_t>*> starts{&plain, &relaxed};
  if (problem.depth <= kPairDepth) starts.push_back(&all_down);
  for_each_output([&](OutputSearch search, std::int64_t at) {
    const std::uint8_t* rounded = plain.data() + at;
    double least = search.start(rounded);
    for (const std::vector<std::uint8_t>* from : starts) {
      std::vector<std::uint8_t> choice(from->begin() + at, from->begin() + at + problem.depth);
      if (const double error = search.improve(choice.data()); error < least) {
        least = error;
        std::ranges::copy(choice, is_up.begin() + at);
      }
    }
  });
  return is_up;
}

}  // namespace qsim

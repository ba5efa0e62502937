#include "quantization/range_setting.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>

#include "quantization/weight_grid.h"

using namespace qsim;

namespace {

/// Gaussian values, and a few outliers far above them.
std::vector<float> values_with_outliers() {
  std::mt19937 random(4);
  std::normal_distribution<float> normal(0.0F, 1.0F);
  std::vector<float> values;
  for (int i = 0; i < 20000; ++i) values.push_back(normal(random));
  for (int i = 0; i < 3; ++i) values.push_back(40.0F);
  return values;
}

ObservedValues observed(const std::vector<float>& values) {
  ObservedValues result;
  result.observe_limits(values);
  result.observe_spread(values);
  return result;
}

double true_error(const std::vector<float>& values, const Quantization& grid) {
  double sum = 0.0;
  for (const float x : values) {
    const double q =
        std::min(std::max(std::nearbyint(static_cast<double>(x) / static_cast<double>(grid.scale())) +
                              grid.zero_point(),
                          static_cast<double>(grid.format().min())),
                 static_cast<double>(grid.format().max()));
    const double back = static_cast<double>(grid.scale()) * (q - grid.zero_point());
    sum += (static_cast<double>(x) - back) * (static_cast<double>(x) - back);
  }
  return sum;
}

}  // namespace

TEST_CASE("min-max takes the limits of what was seen, over several inputs") {
  ObservedValues values;
  values.observe_limits(std::vector<float>{0.5F, 1.0F});
  values.observe_limits(std::vector<float>{-0.25F, std::numeric_limits<float>::infinity(),
                                           std::numeric_limits<float>::quiet_NaN()});
  CHECK(values.limits().low == -0.25F);
  CHECK(values.limits().high == 1.0F);
  const Quantization grid = choose_grid(values, {8, true, false}, RangeMethod::min_max);
  CHECK(grid.scale() == Approx(1.25 / 255.0));
}

TEST_CASE("the MSE range gives outliers up for the many, and comes near the best range there is") {
  const std::vector<float> values = values_with_outliers();
  for (const int bits : {4, 8}) {
    INFO(bits << " bits");
    const ActivationFormat format{bits, true, false};
    const double min_max = true_error(values, choose_grid(observed(values), format, RangeMethod::min_max));
    const double mse = true_error(values, choose_grid(observed(values), format, RangeMethod::mse));
    CHECK(mse < min_max);
    // Every pair of ends on a grid of 60 x 60, on the values themselves.
    double best = std::numeric_limits<double>::infinity();
    for (int low = 1; low <= 60; ++low) {
      for (int high = 1; high <= 60; ++high) {
        const Range range{-4.5F * static_cast<float>(low) / 60.0F, 40.0F * static_cast<float>(high) / 60.0F};
        best = std::min(best, true_error(values, affine_quantization(range, bits, true)));
      }
    }
    CHECK(mse < 1.03 * best);
  }
}

TEST_CASE("a symmetric MSE grid has zero point 0") {
  const Quantization grid = choose_grid(observed(values_with_outliers()), {4, true, true}, RangeMethod::mse);
  CHECK(grid.zero_point() == 0);
  CHECK(grid.scale() < 40.0F / 7.0F);
}

TEST_CASE("weights of least squared error") {
  const std::vector<float> weights = values_with_outliers();
  CHECK(choose_weight_grid(weights, 4, true, RangeMethod::min_max, false).scale == 40.0F / 7.0F);
  const WeightGrid grid = choose_weight_grid(weights, 4, true, RangeMethod::mse, false);
  // The integers that the weights get: -7 to 7, not -8.
  const auto error = [&](double scale) {
    double sum = 0.0;
    for (const float w : weights) {
      const double q = std::clamp(std::nearbyint(static_cast<double>(w) / scale), -7.0, 7.0);
      sum += (static_cast<double>(w) - scale * q) * (static_cast<double>(w) - scale * q);
    }
    return sum;
  };
  const double least = error(static_cast<double>(grid.scale));
  CHECK(grid.squared_error(weights) == Approx(least));
  for (int part = 1; part <= 100; ++part) {
    CHECK(least <= error(static_cast<double>(40.0F * static_cast<float>(part) / 100.0F / 7.0F)) * 1.000001);
  }
}

TEST_CASE("the least symmetric error counts no level below -p") {
  // One bit less than 2: -1, 0, 1. At s = 1 the error is 0.81 + 0 (-1.9 -> -1), at s = 1.9 0 + 0.81 (1
  // -> 1.9); a level -2 would make s = 1 look like 0.01.
  const std::vector<float> weights = {-1.9F, 1.0F, 1.0F, 1.0F};
  const WeightGrid grid = choose_weight_grid(weights, 2, true, RangeMethod::mse, false);
  CHECK(grid.low == -1);
  const double at_grid = grid.squared_error(weights);
  for (int part = 1; part <= 100; ++part) {
    WeightGrid other = grid;
    other.scale = 1.9F * static_cast<float>(part) / 100.0F;
    CHECK(at_grid <= other.squared_error(weights) * 1.000001);
  }
}

TEST_CASE("formats follow the scheme, and what it leaves open the semantics") {
  const auto format = [](const ActivationScheme& scheme, Semantics semantics, Range limits) {
    return activation_format(scheme, semantics, limits, false);
  };
  CHECK(format({8}, Semantics::tflite, {0.0F, 1.0F}).is_signed);
  CHECK_FALSE(format({8}, Semantics::onnx, {-1.0F, 1.0F}).is_signed);
  CHECK(format({16}, Semantics::tflite, {0.0F, 1.0F}).is_symmetric);
  CHECK_FALSE(format({16}, Semantics::onnx, {0.0F, 1.0F}).is_symmetric);
  CHECK_FALSE(format({8, true}, Semantics::onnx, {0.0F, 1.0F}).is_signed);
  CHECK(format({8, true}, Semantics::onnx, {-0.1F, 1.0F}).is_signed);
  CHECK_FALSE(format({1}, Semantics::tflite, {0.0F, 1.0F}).is_signed);
  CHECK(format({8, {}, true}, Semantics::onnx, {0.0F, 1.0F}).is_signed);
}

TEST_CASE("unsigned symmetric grids clip what is below zero") {
  const ActivationFormat format{4, false, true, false};
  const Quantization grid = format.quantization({-3.0F, 7.5F});
  CHECK(grid.scale() == 0.5F);  // 7.5 / 15
  CHECK(grid.zero_point() == 0);
  CHECK_FALSE(grid.is_signed);
}

TEST_CASE("a power-of-two grid of an activation has the less error of both neighbours") {
  std::mt19937 random(9);
  std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
  for (const float width : {1.02F, 1.3F, 1.7F, 1.98F}) {
    std::vector<float> values;
    for (int i = 0; i < 5000; ++i) values.push_back(width * uniform(random));
    for (const bool is_symmetric : {false, true}) {
      const ActivationFormat format{4, true, is_symmetric, true};
      const Quantization grid = choose_grid(observed(values), format, RangeMethod::min_max);
      int exponent = 0;
      CHECK(std::frexp(grid.scale(), &exponent) == 0.5F);
      // Every zero point at both neighbours of the range's own scale, on the values themselves.
      const double step = static_cast<double>(format.float_scale(observed(values).limits()).scale());
      double best = std::numeric_limits<double>::infinity();
      for (const double power : {std::floor(std::log2(step)), std::ceil(std::log2(step))}) {
        for (std::int32_t z = is_symmetric ? 0 : -8; z <= (is_symmetric ? 0 : 7); ++z) {
          Quantization other = grid;
          other.scales = {static_cast<float>(std::exp2(power))};
          other.zero_points = {z};
          best = std::min(best, true_error(values, other));
        }
      }
      INFO(width << (is_symmetric ? " symmetric" : " asymmetric"));
      CHECK(true_error(values, grid) <= 1.02 * best);
    }
  }
}

TEST_CASE("SQNR counts what is clipped as often as it is told") {
  const std::vector<float> values = values_with_outliers();
  double previous = 0.0;
  for (const double weight : {1.0, 3.0, 30.0}) {
    RangeRule rule = RangeMethod::sqnr;
    rule.clipping_weight = weight;
    // Symmetric, 4 bits: every hundredth of the limit, from the definition.
    double least = std::numeric_limits<double>::infinity();
    double best = 0.0;
    for (int part = 100; part >= 1; --part) {
      const double scale = 40.0 * part / 100.0 / 7.0;
      double error = 0.0;
      for (const float x : values) {
        const double q = std::nearbyint(static_cast<double>(x) / scale);
        const double clamped = std::clamp(q, -7.0, 7.0);
        const double difference = static_cast<double>(x) - scale * clamped;
        error += (q == clamped ? 1.0 : weight) * difference * difference;
      }
      if (error < least) {
        least = error;
        best = scale;
      }
    }
    const WeightGrid grid = choose_weight_grid(values, 4, true, rule, false);
    CHECK(static_cast<double>(grid.scale) == Approx(best));
    CHECK(static_cast<double>(grid.scale) >= previous);
    previous = static_cast<double>(grid.scale);
    if (weight == 1.0)
      CHECK(grid.scale == choose_weight_grid(values, 4, true, RangeMethod::mse, false).scale);
    // Of the histogram of 2,048 bins within a hundredth of the limit.
    const Quantization activation = choose_grid(observed(values), {4, true, true}, rule);
    CHECK(static_cast<double>(activation.scale()) == Approx(best).margin(1.01 * 0.4 / 7.0));
  }
  CHECK(previous >
        1.5 * static_cast<double>(choose_weight_grid(values, 4, true, RangeMethod::mse, false).scale));
}

TEST_CASE("a percentile leaves as many values outside as it says, to either side") {
  std::vector<float> values;
  for (int i = 0; i < 1000; ++i) values.push_back(static_cast<float>(i) - 400.0F);  // -400 to 599
  RangeRule rule = RangeMethod::percentile;
  rule.percent = 99.0;
  // Ten of a thousand on either side.
  const Range range = percentile_range(values, 99.0);
  CHECK(range.low == -390.0F);
  CHECK(range.high == 589.0F);
  CHECK(choose_weight_grid(values, 8, false, rule, false).scale == Approx((589.0 + 390.0) / 255.0));
  CHECK(choose_weight_grid(values, 8, true, rule, false).scale == Approx(589.0 / 127.0));
  // Bins of a histogram are 999 / 2048 wide.
  const Range seen = observed(values).percentile(99.0);
  CHECK(seen.low == Approx(-390.0F).margin(0.5));
  CHECK(seen.high == Approx(589.0F).margin(1.0));
  CHECK(choose_grid(observed(values), {8, false, false}, rule).scale() ==
        Approx((589.0 + 390.0) / 255.0).epsilon(2e-3));
  rule.percent = 100.0;
  CHECK(choose_grid(observed(values), {8, false, false}, rule).scale() == Approx(999.0 / 255.0));
  CHECK(percentile_range({}, 99.0).high == 0.0F);
}

TEST_CASE("the range of logits has the least cross-entropy of its candidates") {
  std::mt19937 random(9);
  std::normal_distribution<float> normal;
  constexpr std::int64_t kClasses = 10;
  std::vector<float> rows;
  for (int row = 0; row < 40; ++row) {
    for (int c = 0; c < kClasses; ++c)
      rows.push_back(2.0F * normal(random) + (c == row % kClasses ? 9.0F : 0.0F));
    rows[rows.size() - 1 - static_cast<std::size_t>((row + 1) % 9)] =
        -25.0F;  // far below: no class is likely there
  }
  ObservedValues values = observed(rows);
  values.keep_rows(rows, kClasses);
  // H(softmax(v), softmax(v^)), from the definition.
  const auto entropy = [&](const Quantization& grid) {
    double sum = 0.0;
    for (std::size_t begin = 0; begin < rows.size(); begin += kClasses) {
      std::vector<double> p, q;
      double p_sum = 0.0;
      double q_sum = 0.0;
      for (std::size_t c = begin; c < begin + kClasses; ++c) {
        const double integer =
            std::clamp(std::nearbyint(static_cast<double>(rows[c]) / static_cast<double>(grid.scale())) +
                           grid.zero_point(),
                       static_cast<double>(grid.format().min()), static_cast<double>(grid.format().max()));
        p.push_back(std::exp(static_cast<double>(rows[c])));
        q.push_back(std::exp(static_cast<double>(grid.scale()) * (integer - grid.zero_point())));
        p_sum += p.back();
        q_sum += q.back();
      }
      for (std::size_t c = 0; c < p.size(); ++c) sum -= p[c] / p_sum * std::log(q[c] / q_sum);
    }
    return sum;
  };
  const Range limits = values.limits();
  for (const int bits : {4, 6}) {
    const Quantization grid = choose_grid(values, {bits, true, true}, RangeMethod::mse);
    double least = std::numeric_limits<double>::infinity();
    for (int part = 1; part <= 100; ++part)
      least =
          std::min(least, entropy(symmetric_quantization(
                              std::max(-limits.low, limits.high) * static_cast<float>(part) / 100.0F, bits)));
    CHECK(entropy(grid) == Approx(least));
    // Both ends: none of the ends alone does better.
    const Quantization both = choose_grid(values, {bits, true, false}, RangeMethod::min_max);
    CHECK(entropy(both) < entropy(affine_quantization(limits, bits, true)));
    CHECK(entropy(both) < 1.02 * entropy(choose_grid(observed(rows), {bits, true, false}, RangeMethod::mse)));
  }
}

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

#include "quantization/range_setting.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>

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
  CHECK(choose_weight_limit(weights, 4, RangeMethod::min_max) == 40.0F);
  const float limit = choose_weight_limit(weights, 4, RangeMethod::mse);
  const auto error = [&](float max_abs) { return true_error(weights, symmetric_quantization(max_abs, 4)); };
  for (int part = 1; part <= 100; ++part) {
    CHECK(error(limit) <= error(40.0F * static_cast<float>(part) / 100.0F));
  }
}

#include "sim/evaluate/accuracy.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

namespace qsim {
namespace {

TensorData bytes(const std::vector<int>& values) {
  TensorData data(ElementType::i8, {1, static_cast<std::int64_t>(values.size())});
  for (std::size_t i = 0; i < values.size(); ++i) data.set(static_cast<std::int64_t>(i), values[i]);
  return data;
}

TEST_CASE("classes come by falling score, equal scores by index") {
  CHECK(best_classes(bytes({-5, 127, 3, 127, -128}), 5) == std::vector<std::int32_t>{1, 3, 2, 0, 4});
  CHECK(best_classes(bytes({7, 7, 7, 7}), 2) == std::vector<std::int32_t>{0, 1});
}

TEST_CASE("no more classes are named than there are") {
  CHECK(best_classes(bytes({1, 2}), 5) == std::vector<std::int32_t>{1, 0});
}

TEST_CASE("a NaN score is the lowest") {
  TensorData data(ElementType::f32, {3});
  data.as<float>()[0] = std::numeric_limits<float>::quiet_NaN();
  data.as<float>()[1] = -1e30F;
  data.as<float>()[2] = 2.0F;
  CHECK(best_classes(data, 3) == std::vector<std::int32_t>{2, 1, 0});
}

// Limits of Wilson's interval are the proportions q for which the observed p lies exactly z standard
// deviations of q away: (p - q)^2 = z^2 q (1 - q) / n. That is checked instead of the closed form.
TEST_CASE("the interval's ends are z standard deviations away") {
  constexpr double z = 1.959964;
  for (const auto& [correct, total] : {std::pair{3761, 5000}, {1, 10}, {9, 10}, {250, 500}, {499, 500}}) {
    const Proportion result = proportion(correct, total);
    const double p = static_cast<double>(correct) / total;
    CHECK(result.percent == Approx(100.0 * p));
    for (const double end : {result.low / 100.0, result.high / 100.0}) {
      CHECK(std::abs(p - end) == Approx(z * std::sqrt(end * (1.0 - end) / total)).epsilon(1e-6));
    }
    CHECK(result.low < result.percent);
    CHECK(result.high > result.percent);
  }
}

TEST_CASE("none or all right still leave an interval") {
  CHECK(proportion(0, 100).low == 0.0);
  CHECK(proportion(0, 100).high == Approx(100.0 * 3.8415 / 103.8415).epsilon(1e-4));  // z^2 / (n + z^2)
  CHECK(proportion(100, 100).high == 100.0);
  CHECK(proportion(0, 0).high == 100.0);
}

}  // namespace
}  // namespace qsim

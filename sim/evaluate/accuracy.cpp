#include "sim/evaluate/accuracy.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace qsim {
namespace {

/// Every integer of up to 32 bits, and every float, is a double.
std::vector<double> comparable(const TensorData& scores) {
  std::vector<double> values(static_cast<std::size_t>(scores.size()));
  if (scores.type == ElementType::f32) {
    std::transform(scores.as<float>().begin(), scores.as<float>().end(), values.begin(), [](float score) {
      return std::isnan(score) ? -std::numeric_limits<double>::infinity() : static_cast<double>(score);
    });
    return values;
  }
  for (std::int64_t i = 0; i < scores.size(); ++i) {
    values[static_cast<std::size_t>(i)] = static_cast<double>(scores.at(i));
  }
  return values;
}

}  // namespace

std::vector<std::int32_t> best_classes(const TensorData& scores, std::int64_t count) {
  const std::vector<double> values = comparable(scores);
  std::vector<std::int32_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  const auto taken = order.begin() + std::min<std::int64_t>(count, static_cast<std::int64_t>(order.size()));
  std::partial_sort(order.begin(), taken, order.end(), [&](std::int32_t a, std::int32_t b) {
    const double score_a = values[static_cast<std::size_t>(a)];
    const double score_b = values[static_cast<std::size_t>(b)];
    return score_a != score_b ? score_a > score_b : a < b;
  });
  return {order.begin(), taken};
}

Proportion proportion(std::int64_t correct, std::int64_t total) {
  Proportion result{correct, total, 0.0, 0.0, 100.0};
  if (total == 0) return result;
  constexpr double z = 1.959963984540054;  // 97.5 % quantile of the normal distribution
  const auto n = static_cast<double>(total);
  const double p = static_cast<double>(correct) / n;
  const double center = p + z * z / (2.0 * n);
  const double half = z * std::sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n));
  const double scale = 1.0 + z * z / n;
  result.percent = 100.0 * p;
  result.low = correct == 0 ? 0.0 : 100.0 * (center - half) / scale;
  result.high = correct == total ? 100.0 : 100.0 * (center + half) / scale;
  return result;
}

}  // namespace qsim

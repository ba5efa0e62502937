// How often a classifier is right, and how sure that figure is.
#pragma once

#include <cstdint>
#include <vector>

#include "workloads/graph/tensor.h"

namespace qsim {

/// Classes by falling score, of equal scores the lower index first (as numpy.argmax picks): the first
/// `count`. `scores` is one output: stored integers (all of one scale, so that their order is that of the
/// real values) or floats, in which a NaN counts as the lowest score.
[[nodiscard]] std::vector<std::int32_t> best_classes(const TensorData& scores, std::int64_t count);

/// A proportion with its 95 % interval, all in percent.
struct Proportion {
  std::int64_t correct = 0;
  std::int64_t total = 0;
  double percent = 0.0;
  double low = 0.0;
  double high = 0.0;
};

/// The interval is Wilson's score interval (E. B. Wilson, JASA 22 (1927) 209-212), which stays inside 0..100
/// and holds for proportions near the ends:
///
///     (p + z^2/2n ± z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2/n)    p = correct / n, z = 1.959964
///
/// `total` of 0 gives 0 with the interval 0..100.
[[nodiscard]] Proportion proportion(std::int64_t correct, std::int64_t total);

}  // namespace qsim

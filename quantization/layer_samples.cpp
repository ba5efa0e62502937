#include "quantization/layer_samples.h"

#include <algorithm>
#include <utility>

namespace qsim {

std::vector<LayerSample> draw_samples(std::int64_t inputs, std::int64_t rows, std::int64_t depth,
                                      std::int64_t most_samples, std::mt19937_64& random) {
  constexpr std::int64_t kMaxNumbers = std::int64_t{1} << 26;
  const std::int64_t most = std::min(most_samples, std::max<std::int64_t>(kMaxNumbers / depth, 1));
  const std::int64_t of_input = std::clamp<std::int64_t>(most / inputs, 1, rows);
  std::vector<LayerSample> samples;
  std::vector<std::int64_t> order(static_cast<std::size_t>(rows));
  for (std::int64_t input = 0; input < inputs; ++input) {
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
    for (std::size_t i = 0; i < static_cast<std::size_t>(of_input); ++i) {
      std::swap(order[i], order[i + random() % (order.size() - i)]);
      samples.push_back({input, order[i]});
    }
  }
  for (std::size_t i = samples.size(); i > 1; --i) std::swap(samples[i - 1], samples[random() % i]);
  return samples;
}

}  // namespace qsim

// ReduceMean of ONNX Runtime on x86-64: the order in which it sums shows in the last bits.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "hw_models/arithmetic/limited.h"
#include "hw_models/arithmetic/vector_functions.h"

namespace qsim::arithmetic {
namespace {

using Values = std::span<const float>;

float sum_sequential(Values x) {
  float sum = 0.0F;
  for (const float value : x) sum += value;
  return sum;
}

/// (((x0 + x1) + x2) + x3) + (((x4 + x5) + x6) + x7) + ..: a product with a row of ones in steps of four.
float sum_groups_of_four(Values x) {
  float sum = 0.0F;
  for (std::size_t i = 0; i < x.size(); i += 4) {
    sum += sum_sequential(x.subspan(i, std::min<std::size_t>(4, x.size() - i)));
  }
  return sum;
}

/// Eigen's reduction with packets P of four: from the first multiple of four in memory on, even packets are
/// summed in one accumulator, odd ones in another, both added, a last odd packet after that; the four lanes
/// as (0 + 2) + (1 + 3), then what lies before the packets, then what lies behind.
float sum_lanes(Values x, std::size_t start) {
  constexpr std::size_t kPacket = 4;
  const std::size_t head = std::min(x.size(), (kPacket - start % kPacket) % kPacket);
  const std::size_t packets = (x.size() - head) / kPacket;
  if (packets == 0) return sum_sequential(x);
  std::array<std::array<float, kPacket>, 2> sums{};
  const auto add = [&](std::size_t accumulator, std::size_t packet) {
    for (std::size_t lane = 0; lane < kPacket; ++lane) {
      sums[accumulator][lane] += x[head + packet * kPacket + lane];
    }
  };
  const std::size_t pairs = packets / 2 * 2;
  for (std::size_t packet = 0; packet < pairs; ++packet) add(packet % 2, packet);
  for (std::size_t lane = 0; lane < kPacket; ++lane) sums[0][lane] += sums[1][lane];
  if (pairs < packets) add(0, pairs);
  float sum = (sums[0][0] + sums[0][2]) + (sums[0][1] + sums[0][3]);
  for (std::size_t i = 0; i < head; ++i) sum += x[i];
  for (std::size_t i = head + packets * kPacket; i < x.size(); ++i) sum += x[i];
  return sum;
}

}  // namespace

/// x_i = xs * (q_i - xz);  mean = (sum of x in the order) / n;  q = clamp(rne(mean / ys) + yz); all in
/// float32.
std::int64_t evaluate(const OnnxMeanFunction& f, std::span<const std::int64_t> elements, std::int64_t start) {
  std::vector<float> x(elements.size());
  for (std::size_t k = 0; k < x.size(); ++k) {
    const std::int64_t q = elements[f.permutation.empty() ? k : f.permutation[k]];
    x[k] = f.input_scale * static_cast<float>(q - f.input_zero_point);
  }
  float sum = 0.0F;
  switch (f.order) {
    case MeanOrder::sequential:
      sum = sum_sequential(x);
      break;
    case MeanOrder::groups_of_four:
      sum = sum_groups_of_four(x);
      break;
    case MeanOrder::lanes:
      sum = sum_lanes(x, static_cast<std::size_t>(start));
      break;
  }
  const float v = sum / static_cast<float>(x.size()) / f.output_scale;
  const float q = limited(v, static_cast<float>(f.clamp_min - f.output_zero_point),
                          static_cast<float>(f.clamp_max - f.output_zero_point));
  return static_cast<std::int64_t>(std::nearbyint(q)) + f.output_zero_point;
}

}  // namespace qsim::arithmetic

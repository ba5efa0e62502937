// How results of the TFLite reference kernels (LiteRT 2.3.0, reference op resolver) are recorded: a
// polynomial checksum over all of a test's outputs, on inputs that a small generator yields.
#pragma once

#include <cstdint>
#include <vector>

namespace qsim::arithmetic {

/// ((..(0 * p + v_0) * p + v_1)..) modulo 2^64, p = 1000003.
class Checksum {
 public:
  void add(std::int64_t value) { sum_ = sum_ * 1000003U + static_cast<std::uint64_t>(value); }
  [[nodiscard]] std::uint64_t value() const { return sum_; }

 private:
  std::uint64_t sum_ = 0;
};

template <class Values>
std::uint64_t checksum(const Values& values) {
  Checksum sum;
  for (const auto value : values) sum.add(value);
  return sum.value();
}

/// x <- 6364136223846793005 x + 1442695040888963407; low + (x / 2^32) mod (high - low + 1).
inline std::vector<std::int64_t> generated_inputs(int count, std::int64_t low, std::int64_t high,
                                                  std::uint64_t seed) {
  std::vector<std::int64_t> values;
  std::uint64_t x = seed;
  for (int i = 0; i < count; ++i) {
    x = x * 6364136223846793005U + 1442695040888963407U;
    values.push_back(low + static_cast<std::int64_t>((x >> 32) % static_cast<std::uint64_t>(high - low + 1)));
  }
  return values;
}

}  // namespace qsim::arithmetic

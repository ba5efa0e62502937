// Tensor values from a seed: integers only, so that they are the same on every platform, and keyed by the
// tensor's name, so that adding a layer changes no other tensor.
//
// Definition. All arithmetic is on 64-bit integers modulo 2^64 unless said otherwise; >> is a logical shift
// of unsigned and an arithmetic shift (floor) of signed numbers; bytes of a name are its UTF-8.
//
//   mix(z):    z ^= z >> 30;  z *= 0xBF58476D1CE4E5B9;  z ^= z >> 27;  z *= 0x94D049BB133111EB;  z ^= z >> 31
//              (the finalizer of SplitMix64: Steele, Lea, Flood, OOPSLA 2014)
//   fnv(name): h = 0xCBF29CE484222325;  for each byte c:  h ^= c;  h *= 0x100000001B3        (FNV-1a, 64
//   bits) key        = mix(fnv(name) ^ mix(seed + 0x9E3779B97F4A7C15)) word(i)    = mix(key + (i + 1) *
//   0x9E3779B97F4A7C15)          i counts the elements in C order from 0
//
//   uniform:   q(i) = low + (((word(i) >> 32) * (high - low + 1)) >> 32)
//   normal:    word(i) = four pieces of 16 bits, u0..u3;   d = u0 + u1 + u2 + u3 - 131070    (Irwin-Hall, n =
//   4:
//              symmetric, standard deviation 37837.2, |d| <= 131070, which is 3.46 deviations)
//              q(i) = clamp(mean + ((d * deviation_256ths * 113512 + 2^39) >> 40))
//              113512 = 2^40 / (256 * 37837.2), so `deviation_256ths` / 256 is the standard deviation in
//              steps
//
//   sign:      q(i) = 1 if word(i) >> 63 else -1                  (signed tensors of one bit)
//
// clamp is to the limits of the tensor's integer format.
#pragma once

#include <cstdint>
#include <string_view>

#include "hw_models/arithmetic/integer_format.h"
#include "workloads/graph/tensor.h"

namespace qsim {

/// word(i) of the definition above.
class WordGenerator {
 public:
  WordGenerator(std::uint64_t seed, std::string_view tensor_name);
  [[nodiscard]] std::uint64_t word(std::uint64_t index) const { return mix(key_ + (index + 1) * kStep); }

 private:
  static constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15U;
  [[nodiscard]] static constexpr std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }
  std::uint64_t key_;
};

struct NormalValues {
  static constexpr std::int64_t kMaxDeviation256ths = (std::int64_t{1} << 28) - 1;
  std::int64_t mean = 0;
  std::int64_t deviation_256ths = 256;  ///< Standard deviation in 1/256 of a step, 0..kMaxDeviation256ths.
};
struct UniformValues {
  std::int64_t low = 0, high = 0;  ///< Both inclusive, inside the format, at most 32 bits apart.
};
struct SignValues {};

/// Fills `data` (any integer element type that holds `format`).
void generate(const WordGenerator& words, const NormalValues& values, arithmetic::IntegerFormat format,
              TensorData& data);
void generate(const WordGenerator& words, const UniformValues& values, TensorData& data);
void generate(const WordGenerator& words, const SignValues& values, TensorData& data);

/// Deviation of weights unless the workload says otherwise: the largest magnitude p of the format is four
/// deviations away, and at least half a step is one (so that narrow formats are not all zero).
/// deviation_256ths = max(64 * p, 160), p = 2^(bits-1) - 1 signed, 2^bits - 1 halved unsigned.
[[nodiscard]] std::int64_t default_weight_deviation_256ths(arithmetic::IntegerFormat format);
/// Deviation of a bias: about a quarter of what weights and activations of those widths accumulate over a
/// reduction of `depth`: floor(sqrt(depth)) * 2^(weight_bits + activation_bits - 8) steps, in 256ths, at most
/// kMaxDeviation256ths.
[[nodiscard]] std::int64_t default_bias_deviation_256ths(int weight_bits, int activation_bits,
                                                         std::int64_t depth);

/// Seeded value of a graph input: uniform over the whole format of integers, and for float32
/// ((word(i) >> 40) - 2^23) / 2^23, in [-1, 1).
[[nodiscard]] TensorData generate_input(std::string_view tensor_name, std::uint64_t seed, ElementType type,
                                        arithmetic::IntegerFormat format, const Shape& shape);

}  // namespace qsim

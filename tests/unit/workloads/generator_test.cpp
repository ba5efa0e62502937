// Expected values were computed with another implementation of the definition in workloads/graph/generator.h,
// in Python's unbounded integers:
//
//   M = 2**64 - 1;  G = 0x9E3779B97F4A7C15
//   def mix(z):
//       z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & M
//       z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & M
//       return z ^ (z >> 31)
//   def fnv(name):
//       h = 0xCBF29CE484222325
//       for b in name.encode(): h = ((h ^ b) * 0x100000001B3) & M
//       return h
//   def word(seed, name, i): return mix((mix(fnv(name) ^ mix((seed + G) & M)) + (i + 1) * G) & M)
//   def normal(seed, name, i, mean, dev, lo, hi):
//       d = sum((word(seed, name, i) >> 16 * k) & 0xFFFF for k in range(4)) - 131070
//       return max(lo, min(hi, mean + ((d * dev * 113512 + (1 << 39)) >> 40)))
//   def uniform(seed, name, i, lo, hi): return lo + (((word(seed, name, i) >> 32) * (hi - lo + 1)) >> 32)
#include "workloads/graph/generator.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

using qsim::ElementType;
using qsim::generate;
using qsim::NormalValues;
using qsim::TensorData;
using qsim::UniformValues;
using qsim::WordGenerator;

namespace {

std::vector<std::int64_t> values_of(const TensorData& data) {
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < data.size(); ++i) values.push_back(data.at(i));
  return values;
}

std::vector<std::int64_t> normal(const std::string& name, NormalValues spec,
                                 qsim::arithmetic::IntegerFormat format, ElementType type,
                                 std::int64_t count) {
  TensorData data(type, {count});
  generate(WordGenerator(1, name), spec, format, data);
  return values_of(data);
}

}  // namespace

TEST_CASE("words follow the definition") {
  CHECK(WordGenerator(1, "conv1.weights").word(0) == 0x8EB70A9D186AEC8FU);
  CHECK(WordGenerator(1, "conv1.weights").word(1) == 0xB7B2403469E9EE6EU);
  CHECK(WordGenerator(1, "conv1.weights").word(2) == 0x34316D1F9C980437U);
  CHECK(WordGenerator(1, "conv1.weights").word(1'000'000) == 0x272BF865D3A4EF4BU);
}

TEST_CASE("seed and name both change the words") {
  CHECK(WordGenerator(2, "conv1.weights").word(0) == 0x1599045A9FC9F29CU);
  CHECK(WordGenerator(1, "conv2.weights").word(0) == 0x0DDF7102723F52F9U);
}

TEST_CASE("normal values follow the definition, signed and unsigned, narrow and wide") {
  using V = std::vector<std::int64_t>;
  CHECK(normal("conv1.weights", {0, 64 * 127}, {8, true}, ElementType::i8, 12) ==
        V{-21, 17, -41, -4, -8, 29, 8, 76, 16, 8, 30, -18});
  CHECK(normal("conv1.weights", {128, 64 * 127}, {8, false}, ElementType::u8, 6) ==
        V{107, 145, 87, 124, 120, 157});
  CHECK(normal("b", {0, 4000 * 256}, {32, true}, ElementType::i32, 6) ==
        V{5056, 1979, 5622, 4031, -7815, 5075});
}

TEST_CASE("uniform values follow the definition") {
  TensorData data(ElementType::i8, {3, 4});
  generate(WordGenerator(7, "x"), UniformValues{-5, 5}, data);
  CHECK(values_of(data) == std::vector<std::int64_t>{3, -4, 1, -3, -4, 0, -3, 4, -5, -3, -4, -4});
}

TEST_CASE("signs follow the definition") {
  TensorData data(ElementType::i8, {12});
  generate(WordGenerator(7, "x"), qsim::SignValues{}, data);
  CHECK(values_of(data) == std::vector<std::int64_t>{1, -1, 1, -1, -1, 1, -1, 1, -1, -1, -1, -1});
}

TEST_CASE("normal values have the mean and the deviation asked for") {
  const auto values = normal("w", {0, 64 * 127}, {8, true}, ElementType::i8, 1'000'000);
  double sum = 0, squares = 0;
  for (const auto v : values) {
    sum += static_cast<double>(v);
    squares += static_cast<double>(v * v);
  }
  const double n = 1e6;
  // Four standard errors: 4 * 31.75 / sqrt(n), and 4 * 31.75 / sqrt(2 n) for the deviation.
  CHECK(std::abs(sum / n) < 0.13);
  CHECK(std::abs(std::sqrt(squares / n) - 31.75) < 0.1);
  CHECK(*std::max_element(values.begin(), values.end()) <= 110);
  CHECK(*std::min_element(values.begin(), values.end()) >= -110);
}

TEST_CASE("values beyond the format are clamped") {
  const auto values = normal("w", {0, 256 * 100}, {4, true}, ElementType::i8, 1000);
  CHECK(*std::max_element(values.begin(), values.end()) == 7);
  CHECK(*std::min_element(values.begin(), values.end()) == -8);
}

TEST_CASE("the widest deviation does not overflow") {
  // |d| <= 131070 and deviation < 2^20 steps: at most 3.4642 * 2^20 = 3,632,406.
  const auto values =
      normal("w", {0, NormalValues::kMaxDeviation256ths}, {32, true}, ElementType::i32, 100'000);
  CHECK(*std::max_element(values.begin(), values.end()) < 3'632'500);
  CHECK(*std::max_element(values.begin(), values.end()) > 3'000'000);
  CHECK(*std::min_element(values.begin(), values.end()) > -3'632'500);
  CHECK(*std::min_element(values.begin(), values.end()) < -3'000'000);
}

TEST_CASE("default deviations follow their formulas") {
  CHECK(qsim::default_weight_deviation_256ths({8, true}) == 64 * 127);
  CHECK(qsim::default_weight_deviation_256ths({8, false}) == 64 * 127);
  CHECK(qsim::default_weight_deviation_256ths({2, true}) == 160);
  // floor(sqrt(27)) = 5 times 2^(8+8-8) steps of 256.
  CHECK(qsim::default_bias_deviation_256ths(8, 8, 27) == 5 * 256 * 256);
  CHECK(qsim::default_bias_deviation_256ths(4, 4, 36) == 6 * 256);
  CHECK(qsim::default_bias_deviation_256ths(16, 16, 4608) == NormalValues::kMaxDeviation256ths);
}

TEST_CASE("a seeded input covers its format and is the same each time") {
  const TensorData a = qsim::generate_input("image", 3, ElementType::i8, {8, true}, {1, 32, 32, 3});
  const TensorData b = qsim::generate_input("image", 3, ElementType::i8, {8, true}, {1, 32, 32, 3});
  CHECK(a.bytes == b.bytes);
  const auto values = values_of(a);
  CHECK(*std::max_element(values.begin(), values.end()) == 127);
  CHECK(*std::min_element(values.begin(), values.end()) == -128);
  const TensorData f = qsim::generate_input("x", 7, ElementType::f32, {}, {3});
  CHECK(f.as<float>()[0] == 0.4842003583908081F);
  CHECK(f.as<float>()[1] == -0.6428744792938232F);
  CHECK(f.as<float>()[2] == 0.19376301765441895F);
}

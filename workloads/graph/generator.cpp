#include "workloads/graph/generator.h"

#include <algorithm>
#include <cassert>

namespace qsim {
namespace {

std::uint64_t fnv1a(std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : name) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  }
  return hash;
}

std::int64_t integer_square_root(std::int64_t value) {
  std::int64_t root = 0;
  for (std::int64_t bit = std::int64_t{1} << 31; bit > 0; bit >>= 1) {
    const std::int64_t candidate = root + bit;
    if (candidate <= value / candidate) root = candidate;
  }
  return root;
}

/// u0 + u1 + u2 + u3 of a word: pairs are added in the two 32-bit halves, then the halves.
std::int64_t sum_of_pieces(std::uint64_t word) {
  constexpr std::uint64_t kEven = 0x0000FFFF0000FFFFU;
  const std::uint64_t pairs = (word & kEven) + ((word >> 16) & kEven);
  return static_cast<std::int64_t>((pairs & 0xFFFFFFFFU) + (pairs >> 32));
}

template <typename T, typename Function>
void fill(TensorData& data, const Function& value_of) {
  const std::span<T> out = data.as<T>();
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<T>(value_of(i));
  }
}

template <typename Function>
void fill_any(TensorData& data, const Function& value_of) {
  switch (data.type) {
    case ElementType::i8:
      return fill<std::int8_t>(data, value_of);
    case ElementType::u8:
      return fill<std::uint8_t>(data, value_of);
    case ElementType::i16:
      return fill<std::int16_t>(data, value_of);
    case ElementType::u16:
      return fill<std::uint16_t>(data, value_of);
    case ElementType::i32:
      return fill<std::int32_t>(data, value_of);
    case ElementType::i64:
      return fill<std::int64_t>(data, value_of);
    case ElementType::f32:
      return fill<float>(data, value_of);
  }
}

}  // namespace

WordGenerator::WordGenerator(std::uint64_t seed, std::string_view tensor_name)
    : key_(mix(fnv1a(tensor_name) ^ mix(seed + kStep))) {}

void generate(const WordGenerator& words, const NormalValues& values, arithmetic::IntegerFormat format,
              TensorData& data) {
  assert(data.type != ElementType::f32);
  assert(values.deviation_256ths >= 0 && values.deviation_256ths <= NormalValues::kMaxDeviation256ths);
  const std::int64_t factor = values.deviation_256ths * 113512;
  const std::int64_t min = format.min();
  const std::int64_t max = format.max();
  const std::int64_t mean = values.mean;
  fill_any(data, [=](std::size_t i) {
    const std::int64_t d = sum_of_pieces(words.word(i)) - 131070;
    return std::clamp(mean + ((d * factor + (std::int64_t{1} << 39)) >> 40), min, max);
  });
}

void generate(const WordGenerator& words, const UniformValues& values, TensorData& data) {
  assert(data.type != ElementType::f32 && values.low <= values.high);
  const auto span = static_cast<std::uint64_t>(values.high - values.low) + 1;
  assert(span <= std::uint64_t{1} << 32);
  const std::int64_t low = values.low;
  fill_any(data, [=](std::size_t i) {
    return low + static_cast<std::int64_t>(((words.word(i) >> 32) * span) >> 32);
  });
}

void generate(const WordGenerator& words, const SignValues& /*values*/, TensorData& data) {
  assert(data.type != ElementType::f32);
  fill_any(data, [=](std::size_t i) { return (words.word(i) >> 63) != 0 ? 1 : -1; });
}

std::int64_t default_weight_deviation_256ths(arithmetic::IntegerFormat format) {
  const std::int64_t p = format.is_signed ? format.max() : format.max() / 2;
  return std::max<std::int64_t>(64 * p, 160);
}

std::int64_t default_bias_deviation_256ths(int weight_bits, int activation_bits, std::int64_t depth) {
  const std::int64_t root = std::min<std::int64_t>(integer_square_root(depth), 1 << 20);
  // 256 * 2^(weight_bits + activation_bits - 8) = 2^(weight_bits + activation_bits): at most 2^32 here.
  return std::min(root << (weight_bits + activation_bits), NormalValues::kMaxDeviation256ths);
}

TensorData generate_input(std::string_view tensor_name, std::uint64_t seed, ElementType type,
                          arithmetic::IntegerFormat format, const Shape& shape) {
  TensorData data(type, shape);
  const WordGenerator words(seed, tensor_name);
  if (type == ElementType::f32) {
    fill<float>(data, [&](std::size_t i) {
      const auto piece = static_cast<std::int64_t>(words.word(i) >> 40) - (std::int64_t{1} << 23);
      return static_cast<float>(piece) / 8388608.0F;
    });
    return data;
  }
  generate(words, UniformValues{format.min(), format.max()}, data);
  return data;
}

}  // namespace qsim

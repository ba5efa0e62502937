// Speed of the matrix product on one core: GMAC/s by shape, operand width and instruction set.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "hw_models/arithmetic/gemm.h"
#include "hw_models/arithmetic/kernel_target.h"

namespace {

using namespace qsim::arithmetic;

struct Shape {
  std::int64_t rows, columns, depth;
};

double gmacs_per_second(const Shape& shape, IntegerFormat activations, IntegerFormat weights,
                        std::int64_t chunk, int accumulator_bits) {
  std::mt19937 generator(1);
  std::vector<std::int32_t> w(static_cast<std::size_t>(shape.columns * shape.depth));
  std::uniform_int_distribution<std::int32_t> weight(static_cast<std::int32_t>(weights.min()),
                                                     static_cast<std::int32_t>(weights.max()));
  for (std::int32_t& value : w) value = weight(generator);
  std::vector<std::int16_t> a(static_cast<std::size_t>(shape.rows * shape.depth));
  std::uniform_int_distribution<std::int32_t> activation(static_cast<std::int32_t>(activations.min()),
                                                         static_cast<std::int32_t>(activations.max()));
  for (std::int16_t& value : a) value = static_cast<std::int16_t>(activation(generator));

  const PackedWeights packed(w, shape.columns, shape.depth, weights);
  const std::vector<std::int64_t> preload(static_cast<std::size_t>(shape.columns), 0);
  GemmOptions options{activations, {accumulator_bits, Overflow::wrap}, {}, 1};
  for (std::int64_t end = chunk; end < shape.depth; end += chunk) options.chunk_ends.push_back(end);
  options.chunk_ends.push_back(shape.depth);
  const RowProducer produce = [&](std::int64_t begin, std::int64_t rows, std::int32_t, std::int16_t* out,
                                  std::int64_t stride) {
    for (std::int64_t r = 0; r < rows; ++r) {
      std::copy_n(a.data() + (begin + r) * shape.depth, shape.depth, out + r * stride);
    }
  };
  const BlockConsumer consume = [](const AccumulatorBlock&) {};

  double best_seconds = 1e9;
  for (int repeat = 0; repeat < 5; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    const AccumulatorStats stats = gemm(shape.rows, packed, preload, options, produce, consume);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best_seconds = std::min(best_seconds, stats.min <= stats.max ? seconds.count() : 1e9);
  }
  return static_cast<double>(shape.rows * shape.columns * shape.depth) / best_seconds / 1e9;
}

}  // namespace

int main() {
  const std::vector<Shape> shapes = {
      {3136, 64, 576}, {1024, 1024, 1024}, {49, 512, 4608}, {12544, 64, 147}, {1, 1000, 2048}};
  std::printf("%-10s %-8s %18s  GMAC/s\n", "target", "operands", "rows x cols x depth");
  for (const std::string& target : kernel_targets()) {
    select_kernel_target(target);
    for (const Shape& s : shapes) {
      if (target == "portable" && s.rows * s.columns * s.depth > 200'000'000) continue;
      const auto print = [&](const char* operands, IntegerFormat x, IntegerFormat w, int accumulator_bits) {
        std::printf("%-10s %-8s %6ld x %4ld x %4ld  %.1f\n", target.c_str(), operands,
                    static_cast<long>(s.rows), static_cast<long>(s.columns), static_cast<long>(s.depth),
                    gmacs_per_second(s, x, w, 32, accumulator_bits));
      };
      print("s8 x s8", {8, true}, {8, true}, 32);
      print("u8 x s8", {8, false}, {8, true}, 32);
      print("s12xs12", {12, true}, {10, true}, 32);
      print("s16 x s8", {16, true}, {8, true}, 40);
    }
  }
}

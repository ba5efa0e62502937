#include "workloads/execute/float/float_gemm.h"

#include <catch2/catch.hpp>
#include <random>

#include "hw_models/arithmetic/kernel_target.h"

using namespace qsim;

namespace {

struct Product {
  std::int64_t rows, columns, depth;
  std::vector<float> a, w, preload;
};

Product random_product(std::mt19937& random) {
  const auto draw = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
  };
  Product p{draw(1, 21), draw(1, 70), draw(1, 90), {}, {}, {}};
  std::normal_distribution<float> normal;
  const auto fill = [&](std::vector<float>& values, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) values.push_back(normal(random));
  };
  fill(p.a, p.rows * p.depth);
  fill(p.w, p.columns * p.depth);
  fill(p.preload, p.columns);
  return p;
}

/// One chain of rounded products and sums an output, as the header promises it.
std::vector<float> naive(const Product& p) {
  std::vector<float> y;
  for (std::int64_t r = 0; r < p.rows; ++r) {
    for (std::int64_t n = 0; n < p.columns; ++n) {
      float sum = p.preload[static_cast<std::size_t>(n)];
      for (std::int64_t k = 0; k < p.depth; ++k) {
        const float product =
            p.a[static_cast<std::size_t>(r * p.depth + k)] * p.w[static_cast<std::size_t>(n * p.depth + k)];
        sum = sum + product;
      }
      y.push_back(sum);
    }
  }
  return y;
}

std::vector<float> with_kernel(const Product& p, const FloatPanels& panels) {
  std::vector<float> preload = p.preload;
  preload.resize(static_cast<std::size_t>(panels.padded_columns()));
  std::vector<float> out(static_cast<std::size_t>(p.rows * panels.padded_columns()));
  multiply(panels, {p.a.data(), p.depth, p.rows, preload.data(), out.data(), panels.padded_columns()});
  std::vector<float> y;
  for (std::int64_t r = 0; r < p.rows; ++r) {
    const auto row = out.begin() + r * panels.padded_columns();
    y.insert(y.end(), row, row + p.columns);
  }
  return y;
}

std::vector<float> transposed(const Product& p) {
  std::vector<float> matrix;
  for (std::int64_t k = 0; k < p.depth; ++k) {
    for (std::int64_t n = 0; n < p.columns; ++n)
      matrix.push_back(p.w[static_cast<std::size_t>(n * p.depth + k)]);
  }
  return matrix;
}

}  // namespace

TEST_CASE("every instruction set gives the bits of the plain loop") {
  const std::vector<std::string> targets = arithmetic::kernel_targets();
  REQUIRE_FALSE(targets.empty());
  for (const std::string& target : targets) {
    INFO(target);
    arithmetic::select_kernel_target(target);
    std::mt19937 random(7);
    for (int i = 0; i < 40; ++i) {
      const Product p = random_product(random);
      INFO(p.rows << " x " << p.columns << " x " << p.depth);
      const std::vector<float> expected = naive(p);
      CHECK(with_kernel(p, FloatPanels(p.w, p.columns, p.depth)) == expected);
      CHECK(with_kernel(p, FloatPanels::from_transposed(transposed(p), p.columns, p.depth)) == expected);
    }
  }
  arithmetic::select_kernel_target("");
}

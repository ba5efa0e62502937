// Products of two activations against the definition: sums of (a - z_a) * (b - z_b), then the float32
// profile.
#include <catch2/catch.hpp>
#include <cmath>

#include "tests/unit/workloads/graph_maker.h"

using namespace qsim;

namespace {

struct Product {
  Shape a, b, y;
  bool transposed = false;
  TensorOptions a_options{}, b_options{};
};

/// Element of a matrix of an operand whose leading dimensions are repeated.
std::int64_t element(const TensorData& data, const Shape& output, std::int64_t matrix, std::int64_t row,
                     std::int64_t column) {
  const std::size_t rank = data.shape.size();
  std::int64_t index = 0;
  for (std::size_t d = 0; d + 2 < output.size(); ++d) {
    std::int64_t below = 1;
    for (std::size_t e = d + 1; e + 2 < output.size(); ++e) below *= output[e];
    const std::int64_t position = matrix / below % output[d];
    const std::size_t missing = output.size() - rank;
    if (d < missing) continue;
    const std::int64_t own = data.shape[d - missing];
    index = index * own + (own == 1 ? 0 : position);
  }
  return data.at((index * data.shape[rank - 2] + row) * data.shape[rank - 1] + column);
}

std::vector<std::int64_t> by_definition(const Graph& graph, const Product& p, const TensorData& a,
                                        const TensorData& b) {
  const Quantization& qa = *graph.tensor(0).quantization;
  const Quantization& qb = *graph.tensor(1).quantization;
  const Quantization& qy = *graph.tensor(2).quantization;
  const float scale = qa.scale() * qb.scale() / qy.scale();
  const std::int64_t rows = p.y[p.y.size() - 2];
  const std::int64_t columns = p.y.back();
  std::vector<std::int64_t> result;
  for (std::int64_t i = 0; i < element_count(p.y); ++i) {
    const std::int64_t matrix = i / (rows * columns);
    const std::int64_t row = i / columns % rows;
    std::int64_t sum = 0;
    for (std::int64_t k = 0; k < p.a.back(); ++k) {
      const std::int64_t weight =
          p.transposed ? element(b, p.y, matrix, i % columns, k) : element(b, p.y, matrix, k, i % columns);
      sum += (element(a, p.y, matrix, row, k) - qa.zero_point()) * (weight - qb.zero_point());
    }
    const auto rounded = static_cast<std::int64_t>(std::nearbyint(static_cast<float>(sum) * scale));
    result.push_back(std::clamp(rounded + qy.zero_point(), qy.format().min(), qy.format().max()));
  }
  return result;
}

}  // namespace

TEST_CASE("a product of two activations is the sum of the products of real values") {
  const TensorOptions plain{8, true, {0.02F}, {0}};
  const TensorOptions shifted{8, false, {0.03F}, {117}};
  const TensorOptions wide{16, true, {0.0001F}, {-300}};
  const auto product = GENERATE_COPY(values<Product>({
      {{5, 7}, {7, 6}, {5, 6}, false, plain, plain},
      {{5, 7}, {7, 6}, {5, 6}, false, shifted, plain},
      {{5, 7}, {7, 6}, {5, 6}, false, plain, shifted},
      {{5, 7}, {6, 7}, {5, 6}, true, shifted, shifted},
      {{2, 3, 5, 7}, {2, 3, 7, 4}, {2, 3, 5, 4}, false, shifted, shifted},
      {{2, 3, 5, 7}, {7, 4}, {2, 3, 5, 4}, false, shifted, wide},
      {{2, 3, 5, 7}, {2, 1, 4, 7}, {2, 3, 5, 4}, true, wide, shifted},
      {{1, 40}, {40, 70}, {1, 70}, false, shifted, shifted},
  }));
  GraphMaker maker(7);
  const TensorId a = maker.add_input("a", product.a, product.a_options);
  const TensorId b = maker.add_input("b", product.b, product.b_options);
  const TensorId y = maker.add("y", product.y, {8, true, {0.3F}, {-9}});
  maker.add_node(MatMulOp{product.transposed}, {a, b}, y);
  const TensorData a_values = maker.random_data(maker.graph.tensor(a));
  const TensorData b_values = maker.random_data(maker.graph.tensor(b));
  MacContext context;
  context.accumulator.width_bits = 48;
  context.rounding_profile = arithmetic::RoundingProfile::float32;
  const NodeRun run = run_last_node(maker.graph, {a_values, b_values}, context);
  const std::vector<std::int64_t> expected = by_definition(maker.graph, product, a_values, b_values);
  for (std::int64_t i = 0; i < run.output.size(); ++i) {
    REQUIRE(run.output.at(i) == expected[static_cast<std::size_t>(i)]);
  }
}

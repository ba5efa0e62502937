// Products of two activations: the second operand takes the place of the weights.
#include <algorithm>
#include <numeric>

#include "workloads/execute/execute_nodes.h"
#include "workloads/execute/mac_weights.h"

namespace qsim {
namespace {

using namespace arithmetic;

/// Sizes of one product [rows, depth] x [depth, columns].
struct ProductSize {
  std::int64_t rows = 1, depth = 1, columns = 1;
};

/// One product with its zero-point corrections.
template <typename In>
class ProductRun {
 public:
  ProductRun(const In* a, const std::vector<std::int32_t>& weights, const ProductSize& size)
      : a_(a), weights_(weights), size_(size) {}

  AccumulatorStats run(const PackedWeights& packed, std::span<const std::int64_t> preload,
                       const GemmOptions& options, std::int64_t zero_a, std::int64_t zero_b,
                       const OutputStage& stage, std::int64_t first_row) {
    sum_operands(zero_a, zero_b);
    const auto consume = [&](const AccumulatorBlock& block) {
      const std::vector<std::int64_t> corrected = correct(block);
      stage.store(first_row + block.row_begin, block.rows, 0, size_.columns, corrected.data(), size_.columns);
    };
    if constexpr (std::is_same_v<In, std::uint16_t>) {
      const auto produce = [this](std::int64_t begin, std::int64_t rows, std::int32_t* out,
                                  std::int64_t stride) { copy_rows(begin, rows, out, stride); };
      return gemm_wide(size_.rows, packed, preload, options, produce, consume);
    } else {
      const auto produce = [this](std::int64_t begin, std::int64_t rows, std::int32_t /*worker*/,
                                  std::int16_t* out,
                                  std::int64_t stride) { copy_rows(begin, rows, out, stride); };
      return gemm(size_.rows, packed, preload, options, produce, consume);
    }
  }

 private:
  template <typename Out>
  void copy_rows(std::int64_t begin, std::int64_t rows, Out* out, std::int64_t stride) const {
    for (std::int64_t r = begin; r < begin + rows; ++r, out += stride) {
      std::copy(a_ + r * size_.depth, a_ + (r + 1) * size_.depth, out);
    }
  }

  /// z_b * sum_k a[r][k] of each row, z_a * sum_k b[k][n] of each column.
  void sum_operands(std::int64_t zero_a, std::int64_t zero_b) {
    for (std::int64_t r = 0; r < size_.rows; ++r) {
      const In* row = a_ + r * size_.depth;
      row_terms_.push_back(zero_b * std::accumulate(row, row + size_.depth, std::int64_t{0}));
    }
    for (std::int64_t n = 0; n < size_.columns; ++n) {
      const auto column = weights_.begin() + n * size_.depth;
      column_terms_.push_back(zero_a * std::accumulate(column, column + size_.depth, std::int64_t{0}));
    }
  }

  [[nodiscard]] std::vector<std::int64_t> correct(const AccumulatorBlock& block) const {
    std::vector<std::int64_t> corrected;
    corrected.reserve(static_cast<std::size_t>(block.rows * size_.columns));
    for (std::int64_t r = 0; r < block.rows; ++r) {
      const std::int64_t row_term = row_terms_[static_cast<std::size_t>(block.row_begin + r)];
      for (std::int64_t n = 0; n < size_.columns; ++n) {
        const std::int64_t i = r * block.stride + n;
        const std::int64_t accumulator = block.narrow != nullptr ? block.narrow[i] : block.wide[i];
        corrected.push_back(accumulator - row_term - column_terms_[static_cast<std::size_t>(n)]);
      }
    }
    return corrected;
  }

  const In* a_;
  const std::vector<std::int32_t>& weights_;
  ProductSize size_;
  std::vector<std::int64_t> row_terms_, column_terms_;
};

}  // namespace

std::vector<std::int64_t> repeated_matrices(const Shape& shape, const Shape& output) {
  std::vector<std::int64_t> matrices{0};
  std::int64_t stride = element_count(shape) / (shape[shape.size() - 2] * shape.back());
  for (std::size_t d = 0; d + 2 < output.size(); ++d) {
    const std::size_t missing = output.size() - shape.size();
    const std::int64_t own = d < missing ? 1 : shape[d - missing];
    stride /= own;
    std::vector<std::int64_t> next;
    for (const std::int64_t matrix : matrices) {
      for (std::int64_t i = 0; i < output[d]; ++i) next.push_back(matrix + (own == 1 ? 0 : i * stride));
    }
    matrices = std::move(next);
  }
  return matrices;
}

AccumulatorStats run_matmul(const Graph& graph, const Node& node, const MacContext& context,
                            const Operands& inputs, TensorData& output, int threads) {
  const TensorData& a = *inputs[0];
  const TensorData& b = *inputs[1];
  const bool transposed = std::get<MatMulOp>(node.op).transpose_b;
  const Quantization& a_quantization = *graph.tensor(node.inputs[0]).quantization;
  const Quantization& b_quantization = *graph.tensor(node.inputs[1]).quantization;
  const ProductSize size{a.shape[a.shape.size() - 2], a.shape.back(), output.shape.back()};
  const std::vector<std::int64_t> preload = folded_bias(graph, node);
  const std::vector<std::int64_t> a_matrices = repeated_matrices(a.shape, output.shape);
  const std::vector<std::int64_t> b_matrices = repeated_matrices(b.shape, output.shape);
  const OutputStage stage(graph, node, context, output);
  GemmOptions options;
  options.activation_format = a_quantization.format();
  options.accumulator = context.accumulator;
  options.chunk_ends = context.chunk_ends;
  options.threads = threads;
  AccumulatorStats stats;
  for (std::size_t p = 0; p < a_matrices.size(); ++p) {
    const std::vector<std::int32_t> weights =
        matrix_weights(b, b_matrices[p], size.depth, size.columns, transposed);
    const PackedWeights packed(weights, size.columns, size.depth, b_quantization.format());
    const auto first_row = static_cast<std::int64_t>(p) * size.rows;
    stats.merge(visit_element_type(a.type, [&](auto zero) {
      using In = decltype(zero);
      ProductRun<In> run(a.as<In>().data() + a_matrices[p] * size.rows * size.depth, weights, size);
      return run.run(packed, preload, options, a_quantization.zero_point(), b_quantization.zero_point(),
                     stage, first_row);
    }));
  }
  return stats;
}

}  // namespace qsim

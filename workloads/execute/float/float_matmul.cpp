// Product of two activations: a matrix product for each index of the leading dimensions.
#include <algorithm>

#include "base/parallel_blocks.h"
#include "workloads/execute/float/float_nodes.h"
#include "workloads/graph/broadcast.h"

namespace qsim {
namespace {

/// The dimensions before the last two; one of 1 element more, so that there always is one.
Shape leading(const Shape& shape) {
  Shape outer(shape.begin(), shape.end() - 2);
  outer.push_back(1);
  return outer;
}

/// Rows that a thread takes at once.
constexpr std::int64_t kMatMulRows = 32;

}  // namespace

void run_float_matmul(const NodeRun& run) {
  const auto& op = std::get<MatMulOp>(run.node.op);
  const Shape& a = run.inputs[0]->shape;
  const Shape& b = run.inputs[1]->shape;
  const Shape& y = run.output.shape;
  const std::int64_t rows = a[a.size() - 2];
  const std::int64_t depth = a.back();
  const std::int64_t columns = y.back();
  const Shape outer = leading(y);
  const Shape outer_a = leading(a);
  const Shape outer_b = leading(b);
  BroadcastCursor cursor(outer_a, outer_b, outer);
  float* result = run.result().data();
  for (std::int64_t matrix = 0; matrix < element_count(outer); ++matrix, cursor.next_run()) {
    const float* left = run.input(0).data() + cursor.offset(0) * rows * depth;
    const auto right = run.input(1).subspan(static_cast<std::size_t>(cursor.offset(1) * depth * columns),
                                            static_cast<std::size_t>(depth * columns));
    const FloatPanels panels = op.transpose_b ? FloatPanels(right, columns, depth)
                                              : FloatPanels::from_transposed(right, columns, depth);
    const std::vector<float> zeros(static_cast<std::size_t>(panels.padded_columns()), 0.0F);
    for_each_block((rows + kMatMulRows - 1) / kMatMulRows, run.threads, [&](std::int64_t part) {
      const std::int64_t begin = part * kMatMulRows;
      const std::int64_t count = std::min(kMatMulRows, rows - begin);
      std::vector<float> out(static_cast<std::size_t>(count * panels.padded_columns()));
      multiply(panels,
               {left + begin * depth, depth, count, zeros.data(), out.data(), panels.padded_columns()});
      for (std::int64_t r = 0; r < count; ++r) {
        std::copy_n(out.data() + r * panels.padded_columns(), columns,
                    result + (matrix * rows + begin + r) * columns);
      }
    });
  }
}

}  // namespace qsim

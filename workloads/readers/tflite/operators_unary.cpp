// Functions of one element: those rows of workloads/ops/unary.h that TFLite has.
#include <algorithm>
#include <cmath>
#include <vector>

#include "workloads/ops/unary.h"
#include "workloads/readers/tflite/operator_context.h"
#include "workloads/readers/tflite/operator_table.h"

namespace qsim::tflite {
namespace {

/// The kernels fix the output's scale where all values lie in a range: 1/256 of int8 where none is negative,
/// 1/32768 of int16.
void expect_scale_of_range(const OperatorContext& op, const RealRange& range) {
  const ElementCode type = op.output().type;
  const std::vector<std::int64_t>& zero_points = op.output().zero_points;
  if (type == ElementCode::INT16) op.expect_output_scale(1.0F / 32768.0F, 0, 0.0);
  if (type == ElementCode::INT8 && range.low == 0.0F && zero_points.size() == 1)
    op.expect_output_scale(1.0F / 256.0F, zero_points[0], 0.0);
}

/// The row that the operator's options choose among those of its code.
const UnaryRow& row_of(const OperatorContext& op) {
  const auto& options = or_defaults(op.table().builtin_options_as_ApproximationOptions());
  const UnaryRow* chosen = find_tflite_unary(op.op().code, options.approximate() ? "tanh" : "none");
  return chosen != nullptr ? *chosen : *find_tflite_unary(op.op().code);
}

void read_unary(OperatorContext& op) {
  op.expect_inputs(1, 1);
  op.expect_same_type(1);
  const UnaryRow& row = row_of(op);
  if (row.range) expect_scale_of_range(op, *row.range);
  if (row.tflite_bits < 16 && op.output().type == ElementCode::INT16)
    op.fail("tensor \"" + op.output().name + "\"", "INT16", "INT8, as the reference kernel");
  UnaryOp node{row.kind, row.tflite.alpha, row.tflite.beta};
  if (row.tflite.reads_alpha) {
    node.alpha = or_defaults(op.table().builtin_options_as_SlopeOptions()).alpha();
    if (!std::isfinite(node.alpha)) op.fail("alpha", std::to_string(node.alpha), "a finite number");
  }
  op.add_node(node, {op.use(0)});
}

/// One row a code: several functions may be one operator.
std::vector<OperatorRow> make_rows() {
  std::vector<OperatorRow> rows;
  for (const UnaryRow& unary : unary_rows()) {
    const std::int32_t code = unary.tflite.builtin_code;
    if (code >= 0 && std::ranges::count(rows, code, &OperatorRow::code) == 0)
      rows.push_back({.code = code, .name = unary.tflite.name, .read = read_unary});
  }
  return rows;
}

}  // namespace

std::span<const OperatorRow> unary_operators() {
  static const std::vector<OperatorRow> rows = make_rows();
  return rows;
}

}  // namespace qsim::tflite

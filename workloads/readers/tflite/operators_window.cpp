// AVERAGE_POOL_2D, MAX_POOL_2D, RESIZE_BILINEAR, RESIZE_NEAREST_NEIGHBOR.
#include "workloads/graph/graph_check.h"
#include "workloads/readers/tflite/operator_context.h"
#include "workloads/readers/tflite/operator_table.h"
#include "workloads/readers/tflite/padding.h"

namespace qsim::tflite {
namespace {

void read_pool(OperatorContext& op, PoolKind kind) {
  op.expect_inputs(1, 1);
  op.expect_same_type(1);
  op.expect_same_scale(0);
  op.expect_rank(op.input(0), 4);
  const Shape& x = op.input(0).shape;
  const auto& options = or_defaults(op.table().builtin_options_as_PoolOptions());
  Pool2dOp pool;
  pool.kind = kind;
  pool.stride_w = options.stride_w();
  pool.stride_h = options.stride_h();
  pool.kernel_w = options.filter_w();
  pool.kernel_h = options.filter_h();
  pool.activation = op.activation(options.activation());
  for (const std::int64_t value : {pool.stride_h, pool.stride_w, pool.kernel_h, pool.kernel_w}) {
    if (value >= 1 && value <= kMaxWindowAttribute) continue;
    op.fail("window", "stride or kernel " + std::to_string(value),
            "1 to " + std::to_string(kMaxWindowAttribute));
  }
  const bool same = op.is_same_padding(options.padding());
  const PaddingSizes h = padding_sizes(same, x[1], pool.kernel_h, pool.stride_h);
  const PaddingSizes v = padding_sizes(same, x[2], pool.kernel_w, pool.stride_w);
  pool.pad_top = h.before;
  pool.pad_bottom = h.after;
  pool.pad_left = v.before;
  pool.pad_right = v.after;
  op.add_node(pool, {op.use(0)});
}

void read_average_pool(OperatorContext& op) {
  read_pool(op, PoolKind::average);
}

void read_max_pool(OperatorContext& op) {
  read_pool(op, PoolKind::max);
}

/// The size operand must say the declared height and width. `centered` is the place of a pixel under
/// half_pixel_centers.
template <typename Options>
void read_resize(OperatorContext& op, ResizeMode mode, ResizeCoordinates centered, const Options& options) {
  op.expect_inputs(2, 2);
  op.expect_same_type(1);
  op.expect_same_scale(0);
  op.expect_rank(op.input(0), 4);
  op.expect_rank(op.output(), 4);
  const std::vector<std::int64_t> size = op.indices(1, 2);
  const Shape& x = op.input(0).shape;
  const Shape& y = op.output().shape;
  if (size[0] != y[1] || size[1] != y[2]) {
    op.fail("size", std::to_string(size[0]) + ", " + std::to_string(size[1]),
            "height and width of the output, " + to_string(y));
  }
  if (options.align_corners() && options.half_pixel_centers())
    op.fail("options", "align_corners and half_pixel_centers", "at most one of them");
  ResizeOp resize;
  resize.mode = mode;
  resize.coordinates = ResizeCoordinates::asymmetric;
  if (options.align_corners()) resize.coordinates = ResizeCoordinates::align_corners;
  if (options.half_pixel_centers()) resize.coordinates = centered;
  resize.rounding = options.align_corners() ? ResizeRounding::round_prefer_ceil : ResizeRounding::floor;
  resize.scale_h = static_cast<float>(y[1]) / static_cast<float>(x[1]);
  resize.scale_w = static_cast<float>(y[2]) / static_cast<float>(x[2]);
  op.add_node(resize, {op.use(0)});
}

void read_resize_bilinear(OperatorContext& op) {
  read_resize(op, ResizeMode::linear, ResizeCoordinates::half_pixel,
              or_defaults(op.table().builtin_options_as_BilinearOptions()));
}

void read_resize_nearest(OperatorContext& op) {
  read_resize(op, ResizeMode::nearest, ResizeCoordinates::tf_half_pixel_for_nn,
              or_defaults(op.table().builtin_options_as_NearestOptions()));
}

}  // namespace

std::span<const OperatorRow> window_operators() {
  static constexpr OperatorRow kRows[] = {
      {.code = 1, .name = "AVERAGE_POOL_2D", .read = read_average_pool},
      {.code = 17, .name = "MAX_POOL_2D", .read = read_max_pool},
      {.code = 23, .name = "RESIZE_BILINEAR", .read = read_resize_bilinear},
      {.code = 97, .name = "RESIZE_NEAREST_NEIGHBOR", .read = read_resize_nearest},
  };
  return kRows;
}

}  // namespace qsim::tflite

// Elements that move between channels and pixels.
#include <array>

#include "workloads/readers/onnx/operator_context.h"

namespace qsim::onnx_format {
namespace {

/// Channels [i, j, c] (DCR) or [c, i, j] (CRD) become the pixels [i, j] of a block.
void read_depth_to_space(OperatorContext& context) {
  context.expect_inputs(1, 1);
  const Shape x = context.shape(0);
  const std::int64_t block = context.attributes.required_integer("blocksize");
  const std::string mode = context.attributes.text("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") context.fail("attribute mode", '"' + mode + '"', "DCR or CRD");
  if (x.size() != 4 || block < 1 || block > x[1] || x[1] % (block * block) != 0)
    context.fail("input", "shape " + to_string(x) + " with blocksize " + std::to_string(block),
                 "four dimensions, and channels that blocksize * blocksize divides");
  const std::int64_t channels = x[1] / (block * block);
  const DimensionOrder order = DimensionOrder::channels_last(4);
  TensorId last = context.tensor(0, order);
  if (mode == "CRD" && channels > 1 && block > 1) {
    last = context.add_step("channels", ReshapeOp{}, {last}, {x[0] * x[2] * x[3], channels, block * block});
    last = context.add_step("turned", TransposeOp{{0, 2, 1}}, {last},
                            {x[0] * x[2] * x[3], block * block, channels});
  }
  last = context.add_step("blocks", ReshapeOp{}, {last}, {x[0] * x[2], x[3], block, block * channels});
  last = context.add_step("pixels", TransposeOp{{0, 2, 1, 3}}, {last},
                          {x[0] * x[2], block, x[3], block * channels});
  context.emit_move(ReshapeOp{}, {last}, {x[0], channels, x[2] * block, x[3] * block}, order);
}

/// The pixels [i, j] of a block become channels [i, j, c].
void read_space_to_depth(OperatorContext& context) {
  context.expect_inputs(1, 1);
  const Shape x = context.shape(0);
  const std::int64_t block = context.attributes.required_integer("blocksize");
  if (x.size() != 4 || block < 1 || x[2] % block != 0 || x[3] % block != 0)
    context.fail("input", "shape " + to_string(x) + " with blocksize " + std::to_string(block),
                 "four dimensions, and a height and width that blocksize divides");
  const std::int64_t rows = x[2] / block;
  const std::int64_t columns = x[3] / block;
  const DimensionOrder order = DimensionOrder::channels_last(4);
  TensorId last = context.tensor(0, order);
  last = context.add_step("blocks", ReshapeOp{}, {last}, {x[0] * rows, block, columns, block * x[1]});
  last = context.add_step("pixels", TransposeOp{{0, 2, 1, 3}}, {last},
                          {x[0] * rows, columns, block, block * x[1]});
  context.emit_move(ReshapeOp{}, {last}, {x[0], x[1] * block * block, rows, columns}, order);
}

constexpr std::array kSpaceRows{
    OperatorRow{.name = "DepthToSpace",
                .read = read_depth_to_space,
                .integers = IntegerUse::moves,
                .dimensions = DimensionUse::spatial,
                .group = GroupRule{}},
    OperatorRow{.name = "SpaceToDepth",
                .read = read_space_to_depth,
                .integers = IntegerUse::moves,
                .dimensions = DimensionUse::spatial,
                .group = GroupRule{}},
};

}  // namespace

std::span<const OperatorRow> space_operators() {
  return kSpaceRows;
}

}  // namespace qsim::onnx_format

// Elements that move between channels and pixels, and padding with the image's own elements.
#include "workloads/readers/onnx/operator_reader.h"

namespace qsim::onnx_format {
namespace {

/// Most copies of one row or column in front of it or behind.
constexpr std::int64_t kMostCopies = 500;

}  // namespace

/// Channels [i, j, c] (DCR) or [c, i, j] (CRD) become the pixels [i, j] of a block.
void OperatorReader::read_depth_to_space() {
  expect_inputs(1, 1);
  const Shape x = shape(0);
  const std::int64_t block = attributes_.required_integer("blocksize");
  const std::string mode = attributes_.text("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") fail("attribute mode", '"' + mode + '"', "DCR or CRD");
  if (x.size() != 4 || block < 1 || block > x[1] || x[1] % (block * block) != 0)
    fail("input", "shape " + to_string(x) + " with blocksize " + std::to_string(block),
         "four dimensions, and channels that blocksize * blocksize divides");
  const std::int64_t channels = x[1] / (block * block);
  const DimensionOrder order = DimensionOrder::channels_last(4);
  TensorId last = tensor(0, order);
  if (mode == "CRD" && channels > 1 && block > 1) {
    last = add_step("channels", ReshapeOp{}, {last}, {x[0] * x[2] * x[3], channels, block * block});
    last = add_step("turned", TransposeOp{{0, 2, 1}}, {last}, {x[0] * x[2] * x[3], block * block, channels});
  }
  last = add_step("blocks", ReshapeOp{}, {last}, {x[0] * x[2], x[3], block, block * channels});
  last = add_step("pixels", TransposeOp{{0, 2, 1, 3}}, {last}, {x[0] * x[2], block, x[3], block * channels});
  emit_move(ReshapeOp{}, {last}, {x[0], channels, x[2] * block, x[3] * block}, order);
}

/// The pixels [i, j] of a block become channels [i, j, c].
void OperatorReader::read_space_to_depth() {
  expect_inputs(1, 1);
  const Shape x = shape(0);
  const std::int64_t block = attributes_.required_integer("blocksize");
  if (x.size() != 4 || block < 1 || x[2] % block != 0 || x[3] % block != 0)
    fail("input", "shape " + to_string(x) + " with blocksize " + std::to_string(block),
         "four dimensions, and a height and width that blocksize divides");
  const std::int64_t rows = x[2] / block;
  const std::int64_t columns = x[3] / block;
  const DimensionOrder order = DimensionOrder::channels_last(4);
  TensorId last = tensor(0, order);
  last = add_step("blocks", ReshapeOp{}, {last}, {x[0] * rows, block, columns, block * x[1]});
  last = add_step("pixels", TransposeOp{{0, 2, 1, 3}}, {last}, {x[0] * rows, columns, block, block * x[1]});
  emit_move(ReshapeOp{}, {last}, {x[0], x[1] * block * block, rows, columns}, order);
}

/// What lies `before` and `after` a dimension is a slice of it: mirrored without the edge itself (reflect),
/// the edge again and again (edge), or the other end (wrap).
std::vector<TensorId> OperatorReader::border(TensorId input, std::size_t axis, std::int64_t count,
                                             bool is_before, const std::string& mode) {
  const Shape shape = builder_.graph().tensor(input).shape;
  const std::int64_t size = shape[axis];
  if (count == 0) return {};
  const std::int64_t most = mode == "reflect" ? size - 1 : mode == "wrap" ? size : kMostCopies;
  if (count > most)
    fail("pads", std::to_string(count) + " at a dimension of " + std::to_string(size),
         "at most " + std::to_string(most));
  StridedSliceOp slice{std::vector<std::int64_t>(shape.size(), 0), std::vector<std::int64_t>(shape.size(), 1),
                       shape};
  std::int64_t copies = 1;
  slice.count[axis] = count;
  if (mode == "reflect") {
    slice.begin[axis] = is_before ? count : size - 2;
    slice.stride[axis] = count > 1 ? -1 : 1;
  } else if (mode == "wrap") {
    slice.begin[axis] = is_before ? size - count : 0;
  } else {
    slice.begin[axis] = is_before ? 0 : size - 1;
    slice.count[axis] = 1;
    copies = count;
  }
  const Shape part = slice.count;
  const TensorId id = add_step(is_before ? "before" : "after", std::move(slice), {input}, part);
  std::vector<TensorId> parts(static_cast<std::size_t>(copies), id);
  return parts;
}

/// One dimension after the other.
void OperatorReader::read_pad_with_elements(const PadOp& pad, const Shape& shape, const DimensionOrder& from,
                                            const std::string& mode) {
  TensorId last = tensor(0, from);
  for (std::size_t axis = 0; axis < from.rank; ++axis) {
    if (pad.before[axis] == 0 && pad.after[axis] == 0) continue;
    std::vector<TensorId> parts = border(last, axis, pad.before[axis], true, mode);
    parts.push_back(last);
    const std::vector<TensorId> behind = border(last, axis, pad.after[axis], false, mode);
    parts.insert(parts.end(), behind.begin(), behind.end());
    Shape padded = builder_.graph().tensor(last).shape;
    padded[axis] += pad.before[axis] + pad.after[axis];
    last = add_step("padded", ConcatOp{static_cast<int>(axis)}, std::move(parts), padded);
  }
  emit_move(ReshapeOp{}, {last}, shape, from);
}

}  // namespace qsim::onnx_format

// Pooling, means and resizing; the windows that pooling and convolution share.
#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>

#include "workloads/graph/graph_check.h"
#include "workloads/readers/onnx/operator_reader.h"

namespace qsim::onnx_format {
namespace {

/// Sizes along one spatial dimension.
struct WindowSize {
  std::int64_t output = 0, pad_before = 0, pad_after = 0;
};

struct WindowRequest {
  std::int64_t input, kernel, stride, dilation, pad_before, pad_after;
  std::string auto_pad;
  bool ceil = false;
  bool is_pool = false;
};

/// output = floor((input + padding - reach) / stride) + 1 with reach = (kernel - 1) * dilation + 1. With
/// `ceil` rounded up, but no window starts in the padding behind the input; the padding then grows to what
/// the last one reads.
WindowSize window_size(const WindowRequest& request) {
  const std::int64_t reach = (request.kernel - 1) * request.dilation + 1;
  WindowSize size{0, request.pad_before, request.pad_after};
  if (request.auto_pad == "SAME_UPPER" || request.auto_pad == "SAME_LOWER") {
    size.output = (request.input + request.stride - 1) / request.stride;
    // Below 0 where the stride is longer than the window: ONNX Runtime then leaves out elements at the
    // beginning, of convolutions one less (measured: kernels 1 to 3, strides 2 to 11, sizes 1 to 29).
    std::int64_t total = (size.output - 1) * request.stride + reach - request.input;
    if (total < 0 && !request.is_pool) ++total;
    size.pad_before = request.auto_pad == "SAME_UPPER" ? total / 2 : (total + 1) / 2;
    size.pad_after = total - size.pad_before;
    return size;
  }
  const std::int64_t room = request.input + size.pad_before + size.pad_after - reach;
  if (room < 0) return size;
  size.output = room / request.stride + 1;
  if (request.ceil && room % request.stride != 0 &&
      size.output * request.stride < request.input + size.pad_before) {
    ++size.output;
    size.pad_after = (size.output - 1) * request.stride + reach - request.input - size.pad_before;
  }
  return size;
}

}  // namespace

/// com.microsoft's pools may take [N, H, W, C].
DimensionOrder OperatorReader::image_order() {
  const std::size_t rank = shape(0).size();
  if (!attributes_.flag("channels_last", false)) return DimensionOrder::channels_last(rank);
  return rank == 3 ? DimensionOrder{{0, 2, 3}, 4} : DimensionOrder::plain(rank);
}

OperatorReader::Window OperatorReader::window(const std::vector<std::int64_t>& kernel, bool is_pool) {
  const Shape& x = shape(0);
  const std::size_t dimensions = x.size() - 2;
  const std::size_t first = is_pool && attributes_.flag("channels_last", false) ? 1 : 2;
  const auto values = [&](const char* name, std::size_t count, std::int64_t fallback, std::int64_t least) {
    std::vector<std::int64_t> list =
        attributes_.integers(name).value_or(std::vector<std::int64_t>(count, fallback));
    const bool fits = std::all_of(list.begin(), list.end(),
                                  [least](auto v) { return v >= least && v <= kMaxWindowAttribute; });
    if (list.size() != count || !fits) {
      fail(std::string("attribute ") + name, to_string(list),
           std::to_string(count) + " values of " + std::to_string(least) + " to " +
               std::to_string(kMaxWindowAttribute));
    }
    return list;
  };
  if (kernel.size() != dimensions ||
      !std::all_of(kernel.begin(), kernel.end(), [](auto k) { return k >= 1 && k <= kMaxWindowAttribute; })) {
    fail("kernel", to_string(kernel),
         std::to_string(dimensions) + " sizes of 1 to " + std::to_string(kMaxWindowAttribute));
  }
  const std::vector<std::int64_t> strides = values("strides", dimensions, 1, 1);
  const std::vector<std::int64_t> dilations = values("dilations", dimensions, 1, 1);
  std::vector<std::int64_t> pads = values("pads", 2 * dimensions, 0, 0);
  const std::string auto_pad = attributes_.text("auto_pad", "NOTSET");
  if (auto_pad != "NOTSET" && auto_pad != "SAME_UPPER" && auto_pad != "SAME_LOWER" && auto_pad != "VALID")
    fail("attribute auto_pad", '"' + auto_pad + '"', "NOTSET, SAME_UPPER, SAME_LOWER or VALID");
  if (auto_pad == "VALID") std::fill(pads.begin(), pads.end(), 0);
  const bool ceil = is_pool && attributes_.flag("ceil_mode", false);
  Window window;
  for (std::size_t d = 0; d < dimensions; ++d) {
    const WindowSize size = window_size({x[d + first], kernel[d], strides[d], dilations[d], pads[d],
                                         pads[d + dimensions], auto_pad, ceil, is_pool});
    if (size.output < 1) {
      fail("window", std::to_string((kernel[d] - 1) * dilations[d] + 1) + " elements long",
           "at most the padded input's " + std::to_string(x[d + first] + size.pad_before + size.pad_after));
    }
    window.output.push_back(size.output);
    // One dimension alone is the width.
    const bool is_width = d + 1 == dimensions;
    (is_width ? window.kernel_w : window.kernel_h) = kernel[d];
    (is_width ? window.stride_w : window.stride_h) = strides[d];
    (is_width ? window.dilation_w : window.dilation_h) = dilations[d];
    (is_width ? window.pad_left : window.pad_top) = std::max<std::int64_t>(size.pad_before, 0);
    (is_width ? window.crop_left : window.crop_top) = std::max<std::int64_t>(-size.pad_before, 0);
    (is_width ? window.pad_right : window.pad_bottom) = std::max<std::int64_t>(size.pad_after, 0);
  }
  return window;
}

TensorId OperatorReader::windowed_input(const Window& window, const DimensionOrder& order) {
  const TensorId whole = tensor(0, order);
  if (window.crop_top == 0 && window.crop_left == 0) return whole;
  const Tensor given = builder_.graph().tensor(whole);
  StridedSliceOp crop{{0, window.crop_top, window.crop_left, 0}, {1, 1, 1, 1}, given.shape};
  for (std::size_t d = 0; d < crop.count.size(); ++d) crop.count[d] -= crop.begin[d];
  Node node = new_node(crop, {whole});
  node.name += "#crop";
  const TensorId part = builder_.add_tensor(given.name + "#crop", given.type, crop.count, given.quantization);
  node.outputs = {part};
  builder_.add_node(std::move(node));
  return part;
}

void OperatorReader::read_pool(PoolKind kind) {
  expect_inputs(1, 1);
  expect_spatial();
  const auto kernel = attributes_.integers("kernel_shape");
  if (!kernel) fail("attribute kernel_shape", "none", "a size for each spatial dimension");
  const Window window = this->window(*kernel, true);
  if (window.dilation_h != 1 || window.dilation_w != 1)
    fail("attribute dilations", "more than 1", "1", "a dilated pooling does not run on this chip");
  Pool2dOp pool{kind,           window.kernel_h,   window.kernel_w, window.stride_h,  window.stride_w,
                window.pad_top, window.pad_bottom, window.pad_left, window.pad_right, activation_};
  const Shape& x = shape(0);
  pool.count_include_pad = kind == PoolKind::average && attributes_.flag("count_include_pad", false);
  attributes_.ignore("storage_order");  // Of the indices, which nobody uses.
  const DimensionOrder order = image_order();
  const bool channels_last = attributes_.flag("channels_last", false);
  Shape y = x;
  std::copy(window.output.begin(), window.output.end(), y.begin() + (channels_last ? 1 : 2));
  TensorId input = windowed_input(window, order);
  if (pool.count_include_pad && attributes_.flag("ceil_mode", false)) input = pad_before_pool(input, pool);
  kind == PoolKind::max ? emit_move(pool, {input}, y, order) : emit(pool, {input}, y, order);
}

/// What ceil_mode adds behind the padding that the model states is not counted, and has to be told apart from
/// it where it is: the stated padding becomes elements of a PadOp, the rest stays padding of the pooling.
TensorId OperatorReader::pad_before_pool(TensorId input, Pool2dOp& pool) {
  const std::size_t dimensions = shape(0).size() - 2;
  const std::string auto_pad = attributes_.text("auto_pad", "NOTSET");
  if (auto_pad != "NOTSET" && auto_pad != "VALID") return input;
  std::vector<std::int64_t> stated(2 * dimensions, 0);
  if (auto_pad == "NOTSET") stated = attributes_.integers("pads").value_or(stated);
  const std::int64_t right = stated.back();
  const std::int64_t bottom = dimensions == 2 ? stated[2] : 0;
  if (pool.pad_bottom == bottom && pool.pad_right == right) return input;
  const Tensor given = builder_.graph().tensor(input);
  PadOp pad;
  pad.before = {0, pool.pad_top, pool.pad_left, 0};
  pad.after = {0, bottom, right, 0};
  if (given.quantization) pad.value = given.quantization->zero_point();
  Shape padded = given.shape;
  for (std::size_t d = 0; d < padded.size(); ++d) padded[d] += pad.before[d] + pad.after[d];
  Node node = new_node(std::move(pad), {input});
  node.name += "#pad";
  const TensorId result = builder_.add_tensor(given.name + "#pad", given.type, padded, given.quantization);
  node.outputs = {result};
  builder_.add_node(std::move(node));
  pool.pad_top = pool.pad_left = 0;
  pool.pad_bottom -= bottom;
  pool.pad_right -= right;
  pool.count_include_pad = false;
  return result;
}

void OperatorReader::read_max_pool() {
  read_pool(PoolKind::max);
}

void OperatorReader::read_average_pool() {
  read_pool(PoolKind::average);
}

void OperatorReader::read_global_pool(PoolKind kind) {
  expect_inputs(1, 1);
  expect_spatial();
  const Shape& x = shape(0);
  const DimensionOrder order = image_order();
  const Shape image = order.graph_shape(x);
  Pool2dOp pool;
  pool.kind = kind;
  pool.activation = activation_;
  pool.kernel_h = image[1];
  pool.kernel_w = image[2];
  Shape y = x;
  const auto first = y.begin() + (attributes_.flag("channels_last", false) ? 1 : 2);
  std::fill(first, first + static_cast<std::ptrdiff_t>(x.size()) - 2, 1);
  const TensorId input = tensor(0, order);
  kind == PoolKind::max ? emit_move(pool, {input}, y, order) : emit(pool, {input}, y, order);
}

void OperatorReader::read_global_average_pool() {
  read_global_pool(PoolKind::average);
}

void OperatorReader::read_global_max_pool() {
  read_global_pool(PoolKind::max);
}

bool OperatorReader::lies_behind_convolution(std::string value) const {
  constexpr std::array<std::string_view, 5> kMovedThrough{"QLinearAdd", "QLinearMul", "MaxPool",
                                                          "QLinearGlobalAveragePool", "QLinearConcat"};
  while (const std::optional<std::size_t> index = builder_.model().producer(value)) {
    const OnnxNode& producer = builder_.model().model().nodes[*index];
    if (producer.op_type == "QLinearConv") return true;
    const bool is_linear_resize =
        producer.op_type == "Resize" && Attributes(producer, file()).text("mode", "nearest") == "linear";
    if (!is_linear_resize && std::ranges::find(kMovedThrough, producer.op_type) == kMovedThrough.end())
      return false;
    const std::size_t first_data = producer.op_type == "QLinearConcat" ? 2 : 0;
    if (first_data >= producer.inputs.size()) return false;
    value = producer.inputs[first_data];
  }
  return false;
}

void OperatorReader::read_resize() {
  const bool has_roi = opset() >= 11;
  expect_inputs(has_roi ? 1 : 2, has_roi ? 4 : 2);
  expect_spatial();
  const Shape& x = shape(0);
  if (attributes_.has("axes")) fail("attribute axes", "some dimensions", "scales or sizes of all dimensions");
  if (attributes_.text("keep_aspect_ratio_policy", "stretch") != "stretch")
    fail("attribute keep_aspect_ratio_policy", attributes_.text("keep_aspect_ratio_policy", ""), "stretch");
  if (attributes_.flag("antialias", false)) fail("attribute antialias", "1", "0");
  if (attributes_.flag("exclude_outside", false)) fail("attribute exclude_outside", "1", "0");
  attributes_.ignore("cubic_coeff_a");
  attributes_.ignore("extrapolation_value");
  ResizeOp op;
  const std::string mode = attributes_.text("mode", "nearest");
  if (mode != "nearest" && mode != "linear") fail("attribute mode", '"' + mode + '"', "nearest or linear");
  op.mode = mode == "linear" ? ResizeMode::linear : ResizeMode::nearest;
  const std::string coordinates =
      attributes_.text("coordinate_transformation_mode", has_roi ? "half_pixel" : "asymmetric");
  const std::string rounding = attributes_.text("nearest_mode", has_roi ? "round_prefer_floor" : "floor");
  if (coordinates == "half_pixel") {
    op.coordinates = ResizeCoordinates::half_pixel;
  } else if (coordinates == "pytorch_half_pixel") {
    op.coordinates = ResizeCoordinates::pytorch_half_pixel;
  } else if (coordinates == "asymmetric") {
    op.coordinates = ResizeCoordinates::asymmetric;
  } else if (coordinates == "align_corners") {
    op.coordinates = ResizeCoordinates::align_corners;
  } else if (coordinates == "tf_half_pixel_for_nn") {
    op.coordinates = ResizeCoordinates::tf_half_pixel_for_nn;
  } else {
    fail("attribute coordinate_transformation_mode", '"' + coordinates + '"',
         "half_pixel, pytorch_half_pixel, asymmetric, align_corners or tf_half_pixel_for_nn");
  }
  if (rounding == "floor") {
    op.rounding = ResizeRounding::floor;
  } else if (rounding == "ceil") {
    op.rounding = ResizeRounding::ceil;
  } else if (rounding == "round_prefer_floor") {
    op.rounding = ResizeRounding::round_prefer_floor;
  } else if (rounding == "round_prefer_ceil") {
    op.rounding = ResizeRounding::round_prefer_ceil;
  } else {
    fail("attribute nearest_mode", '"' + rounding + '"',
         "floor, ceil, round_prefer_floor or round_prefer_ceil");
  }
  const std::optional<std::vector<float>> scales = reals(has_roi ? 2 : 1, "scales");
  const std::optional<std::vector<std::int64_t>> sizes = has_roi ? indices(3, "sizes") : std::nullopt;
  const bool by_sizes = sizes && !sizes->empty();
  if (by_sizes == (scales && !scales->empty())) fail("scales and sizes", "both or none", "one of the two");
  const std::size_t count = by_sizes ? sizes->size() : scales->size();
  if (count != x.size())
    fail("scales or sizes", std::to_string(count), std::to_string(x.size()) + ", one a dimension");
  Shape y;
  std::vector<float> factors;
  for (std::size_t d = 0; d < x.size(); ++d) {
    const auto in = static_cast<float>(x[d]);
    const float factor = by_sizes ? static_cast<float>((*sizes)[d]) / in : (*scales)[d];
    constexpr float kMaxFactor = 1 << 20;
    if (!(factor > 0.0F) || factor > kMaxFactor) fail("scales or sizes", std::to_string(factor), "above 0");
    y.push_back(by_sizes ? (*sizes)[d] : static_cast<std::int64_t>(in * factor));
    factors.push_back(factor);
  }
  if (y[0] != x[0] || y[1] != x[1]) fail("scales or sizes", "another batch or number of channels", "1 there");
  op.scale_h = x.size() == 4 ? factors[2] : 1.0F;
  op.scale_w = factors.back();
  const DimensionOrder order = DimensionOrder::channels_last(x.size());
  if (op.mode == ResizeMode::linear && is_group()) {
    op.blend = ResizeBlend::reals;
    return emit(op, {tensor(0, order)}, y, order);
  }
  if (lies_behind_convolution(operand(0).value)) op.blend = ResizeBlend::integers_1024;
  emit_move(op, {tensor(0, order)}, y, order);
}

}  // namespace qsim::onnx_format

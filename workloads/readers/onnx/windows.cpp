#include "workloads/readers/onnx/windows.h"

#include <algorithm>

#include "workloads/graph/graph_check.h"

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

void expect_spatial(OperatorContext& context) {
  const std::size_t rank = context.shape(0).size();
  if (rank != 3 && rank != 4) {
    context.fail("input \"" + context.operand(0).value + "\"", "shape " + to_string(context.shape(0)),
                 "[batch, channels, length] or [batch, channels, height, width]");
  }
}

DimensionOrder image_order(OperatorContext& context) {
  const std::size_t rank = context.shape(0).size();
  if (!context.attributes.flag("channels_last", false)) return DimensionOrder::channels_last(rank);
  return rank == 3 ? DimensionOrder{{0, 2, 3}, 4} : DimensionOrder::plain(rank);
}

Window window_of(OperatorContext& context, const std::vector<std::int64_t>& kernel, bool is_pool) {
  const Shape& x = context.shape(0);
  const std::size_t dimensions = x.size() - 2;
  const std::size_t first = is_pool && context.attributes.flag("channels_last", false) ? 1 : 2;
  const auto values = [&](const char* name, std::size_t count, std::int64_t fallback, std::int64_t least) {
    std::vector<std::int64_t> list =
        context.attributes.integers(name).value_or(std::vector<std::int64_t>(count, fallback));
    const bool fits = std::all_of(list.begin(), list.end(),
                                  [least](auto v) { return v >= least && v <= kMaxWindowAttribute; });
    if (list.size() != count || !fits) {
      context.fail(std::string("attribute ") + name, to_string(list),
                   std::to_string(count) + " values of " + std::to_string(least) + " to " +
                       std::to_string(kMaxWindowAttribute));
    }
    return list;
  };
  if (kernel.size() != dimensions ||
      !std::all_of(kernel.begin(), kernel.end(), [](auto k) { return k >= 1 && k <= kMaxWindowAttribute; })) {
    context.fail("kernel", to_string(kernel),
                 std::to_string(dimensions) + " sizes of 1 to " + std::to_string(kMaxWindowAttribute));
  }
  const std::vector<std::int64_t> strides = values("strides", dimensions, 1, 1);
  const std::vector<std::int64_t> dilations = values("dilations", dimensions, 1, 1);
  std::vector<std::int64_t> pads = values("pads", 2 * dimensions, 0, 0);
  const std::string auto_pad = context.attributes.text("auto_pad", "NOTSET");
  if (auto_pad != "NOTSET" && auto_pad != "SAME_UPPER" && auto_pad != "SAME_LOWER" && auto_pad != "VALID")
    context.fail("attribute auto_pad", '"' + auto_pad + '"', "NOTSET, SAME_UPPER, SAME_LOWER or VALID");
  if (auto_pad == "VALID") std::fill(pads.begin(), pads.end(), 0);
  const bool ceil = is_pool && context.attributes.flag("ceil_mode", false);
  Window window;
  for (std::size_t d = 0; d < dimensions; ++d) {
    const WindowSize size = window_size({x[d + first], kernel[d], strides[d], dilations[d], pads[d],
                                         pads[d + dimensions], auto_pad, ceil, is_pool});
    if (size.output < 1) {
      context.fail(
          "window", std::to_string((kernel[d] - 1) * dilations[d] + 1) + " elements long",
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

TensorId windowed_input(OperatorContext& context, const Window& window, const DimensionOrder& order) {
  const TensorId whole = context.tensor(0, order);
  if (window.crop_top == 0 && window.crop_left == 0) return whole;
  const Tensor given = context.builder.graph().tensor(whole);
  StridedSliceOp crop{{0, window.crop_top, window.crop_left, 0}, {1, 1, 1, 1}, given.shape};
  for (std::size_t d = 0; d < crop.count.size(); ++d) crop.count[d] -= crop.begin[d];
  Node node = context.new_node(crop, {whole});
  node.name += "#crop";
  const TensorId part =
      context.builder.add_tensor(given.name + "#crop", given.type, crop.count, given.quantization);
  node.outputs = {part};
  context.builder.add_node(std::move(node), context.index);
  return part;
}

}  // namespace qsim::onnx_format

// Pooling over windows and over whole images.
#include <algorithm>
#include <array>

#include "workloads/readers/onnx/operator_context.h"
#include "workloads/readers/onnx/windows.h"
#include "workloads/readers/onnx/write_context.h"

namespace qsim::onnx_format {
namespace {

/// What ceil_mode adds behind the padding that the model states is not counted, and has to be told apart from
/// it where it is: the stated padding becomes elements of a PadOp, the rest stays padding of the pooling.
TensorId pad_before_pool(OperatorContext& context, TensorId input, Pool2dOp& pool) {
  const std::size_t dimensions = context.shape(0).size() - 2;
  const std::string auto_pad = context.attributes.text("auto_pad", "NOTSET");
  if (auto_pad != "NOTSET" && auto_pad != "VALID") return input;
  std::vector<std::int64_t> stated(2 * dimensions, 0);
  if (auto_pad == "NOTSET") stated = context.attributes.integers("pads").value_or(stated);
  const std::int64_t right = stated.back();
  const std::int64_t bottom = dimensions == 2 ? stated[2] : 0;
  if (pool.pad_bottom == bottom && pool.pad_right == right) return input;
  const Tensor given = context.builder.graph().tensor(input);
  PadOp pad;
  pad.before = {0, pool.pad_top, pool.pad_left, 0};
  pad.after = {0, bottom, right, 0};
  if (given.quantization) pad.value = given.quantization->zero_point();
  Shape padded = given.shape;
  for (std::size_t d = 0; d < padded.size(); ++d) padded[d] += pad.before[d] + pad.after[d];
  Node node = context.new_node(std::move(pad), {input});
  node.name += "#pad";
  const TensorId result =
      context.builder.add_tensor(given.name + "#pad", given.type, padded, given.quantization);
  node.outputs = {result};
  context.builder.add_node(std::move(node), context.index);
  pool.pad_top = pool.pad_left = 0;
  pool.pad_bottom -= bottom;
  pool.pad_right -= right;
  pool.count_include_pad = false;
  return result;
}

/// The sum of a window on the MAC array: a convolution channel by channel with weights of one bit, which
/// stand for 1.
void emit_sums(OperatorContext& context, const Pool2dOp& pool, TensorId input, const Shape& y,
               const DimensionOrder& order) {
  const std::int64_t channels = context.builder.graph().tensor(input).shape.back();
  OnnxTensor ones = make_onnx_tensor(OnnxType::int8, {channels, pool.kernel_h, pool.kernel_w, 1});
  for (std::int64_t i = 0; i < ones.size(); ++i) ones.put<std::int8_t>(i, 1);
  const TensorId weights = context.builder.constant_tensor(
      context.node.name + "#ones", ones, DimensionOrder::plain(4), Quantization{1, true, {1.0F}, {0}, -1, 0});
  context.emit(Conv2dOp{pool.stride_h, pool.stride_w, 1, 1, pool.pad_top, pool.pad_bottom, pool.pad_left,
                        pool.pad_right, channels, Activation::none},
               {input, weights, kNoTensor}, y, order);
}

void read_pool(OperatorContext& context, PoolKind kind) {
  context.expect_inputs(1, 1);
  expect_spatial(context);
  const auto kernel = context.attributes.integers("kernel_shape");
  if (!kernel) context.fail("attribute kernel_shape", "none", "a size for each spatial dimension");
  const Window window = window_of(context, *kernel, true);
  if (window.dilation_h != 1 || window.dilation_w != 1)
    context.fail("attribute dilations", "more than 1", "1", "a dilated pooling does not run on this chip");
  Pool2dOp pool{kind,           window.kernel_h,   window.kernel_w, window.stride_h,  window.stride_w,
                window.pad_top, window.pad_bottom, window.pad_left, window.pad_right, context.activation};
  const Shape& x = context.shape(0);
  pool.count_include_pad = kind == PoolKind::average && context.attributes.flag("count_include_pad", false);
  context.attributes.ignore("storage_order");  // Of the indices, which nobody uses.
  const DimensionOrder order = image_order(context);
  const bool channels_last = context.attributes.flag("channels_last", false);
  Shape y = x;
  std::copy(window.output.begin(), window.output.end(), y.begin() + (channels_last ? 1 : 2));
  TensorId input = windowed_input(context, window, order);
  if (pool.count_include_pad && context.attributes.flag("ceil_mode", false))
    input = pad_before_pool(context, input, pool);
  if (context.sums_window) return emit_sums(context, pool, input, y, order);
  kind == PoolKind::max ? context.emit_move(pool, {input}, y, order) : context.emit(pool, {input}, y, order);
}

void read_max_pool(OperatorContext& context) {
  read_pool(context, PoolKind::max);
}

void read_average_pool(OperatorContext& context) {
  read_pool(context, PoolKind::average);
}

void read_global_pool(OperatorContext& context, PoolKind kind) {
  context.expect_inputs(1, 1);
  expect_spatial(context);
  const Shape& x = context.shape(0);
  const DimensionOrder order = image_order(context);
  const Shape image = order.graph_shape(x);
  Pool2dOp pool;
  pool.kind = kind;
  pool.activation = context.activation;
  pool.kernel_h = image[1];
  pool.kernel_w = image[2];
  Shape y = x;
  const auto first = y.begin() + (context.attributes.flag("channels_last", false) ? 1 : 2);
  std::fill(first, first + static_cast<std::ptrdiff_t>(x.size()) - 2, 1);
  const TensorId input = context.tensor(0, order);
  if (context.sums_window) return emit_sums(context, pool, input, y, order);
  kind == PoolKind::max ? context.emit_move(pool, {input}, y, order) : context.emit(pool, {input}, y, order);
}

void read_global_average_pool(OperatorContext& context) {
  read_global_pool(context, PoolKind::average);
}

void read_global_max_pool(OperatorContext& context) {
  read_global_pool(context, PoolKind::max);
}

// ---- writing ----------------------------------------------------------------------------------------------

std::string write_real_pool(WriteContext& writer, const Node& node, const RealInput& input_value,
                            const Layout& /*layout*/) {
  const auto& op = std::get<Pool2dOp>(node.op);
  const std::string x = input_value(0, channels_first(4));
  const std::string y = writer.temporary(node, "#y");
  const bool is_average = op.kind == PoolKind::average;
  auto& pool = writer.builder.node(is_average ? "AveragePool" : "MaxPool", node.name, {x}, y);
  set_ints(pool, "kernel_shape", {op.kernel_h, op.kernel_w});
  set_ints(pool, "strides", {op.stride_h, op.stride_w});
  set_ints(pool, "pads", {op.pad_top, op.pad_left, op.pad_bottom, op.pad_right});
  if (is_average) set_int(pool, "count_include_pad", op.count_include_pad ? 1 : 0);
  return writer.activated(node, op.activation, y);
}

bool write_max_pool(WriteContext& writer, const Node& node) {
  const auto& op = std::get<Pool2dOp>(node.op);
  if (op.kind != PoolKind::max || !is_byte(writer.output(node))) return false;
  const std::string x = writer.values.get(node.inputs[0], channels_first(4));
  const std::string y = writer.begin_output(node, channels_first(4));
  auto& pool = writer.builder.node("MaxPool", node.name, {x}, y);
  set_ints(pool, "kernel_shape", {op.kernel_h, op.kernel_w});
  set_ints(pool, "strides", {op.stride_h, op.stride_w});
  set_ints(pool, "pads", {op.pad_top, op.pad_left, op.pad_bottom, op.pad_right});
  writer.finish_output(node, y);
  return true;
}

/// The whole input at once is the global operator, whose arithmetic is another.
bool write_qlinear_pool(WriteContext& writer, const Node& node) {
  const auto& op = std::get<Pool2dOp>(node.op);
  if (op.kind != PoolKind::average) return false;
  const Shape& x = writer.input(node, 0).shape;
  const bool is_global = op.kernel_h == x[1] && op.kernel_w == x[2] &&
                         op.pad_top + op.pad_bottom + op.pad_left + op.pad_right == 0;
  std::vector<std::string> inputs =
      writer.quantized_operand(node.inputs[0], writer.values.get(node.inputs[0], channels_first(4)));
  append(inputs, {writer.values.scale(node.outputs[0]), writer.values.zero_point(node.outputs[0])});
  const std::string y = writer.begin_output(node, channels_first(4));
  auto& pool = writer.builder.node(is_global ? "QLinearGlobalAveragePool" : "QLinearAveragePool", node.name,
                                   inputs, y, kMicrosoft);
  set_int(pool, "channels_last", 0);
  if (!is_global) {
    set_ints(pool, "kernel_shape", {op.kernel_h, op.kernel_w});
    set_ints(pool, "strides", {op.stride_h, op.stride_w});
    set_ints(pool, "pads", {op.pad_top, op.pad_left, op.pad_bottom, op.pad_right});
    set_int(pool, "count_include_pad", op.count_include_pad ? 1 : 0);
  }
  writer.finish_output(node, y);
  return true;
}

constexpr std::array kPoolRows{
    OperatorRow{.name = "MaxPool",
                .read = read_max_pool,
                .integers = IntegerUse::moves,
                .dimensions = DimensionUse::spatial,
                .group = GroupRule{}},
    OperatorRow{.name = "AveragePool",
                .read = read_average_pool,
                .dimensions = DimensionUse::spatial,
                .group = GroupRule{},
                .write = {.operation = operation_index<Pool2dOp>(),
                          .layout = ResultLayout::image,
                          .movement = write_max_pool,
                          .quantized = write_qlinear_pool,
                          .real = write_real_pool}},
    OperatorRow{.name = "GlobalAveragePool",
                .read = read_global_average_pool,
                .dimensions = DimensionUse::spatial,
                .group = GroupRule{}},
    OperatorRow{.name = "GlobalMaxPool",
                .read = read_global_max_pool,
                .dimensions = DimensionUse::spatial,
                .group = GroupRule{}},
    OperatorRow{
        .name = "QLinearAveragePool", .domain = kMicrosoft, .quantized = {"AveragePool", scaled_operand}},
    OperatorRow{.name = "QLinearGlobalAveragePool",
                .domain = kMicrosoft,
                .quantized = {"GlobalAveragePool", scaled_operand}},
};

}  // namespace

std::span<const OperatorRow> pool_operators() {
  return kPoolRows;
}

}  // namespace qsim::onnx_format

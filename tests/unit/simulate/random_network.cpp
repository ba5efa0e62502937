#include "tests/unit/simulate/random_network.h"

#include <algorithm>

namespace qsim::test {

namespace {

class Builder {
 public:
  explicit Builder(Choice& choice) : choice_(choice) {
    network_.graph.name = "random";
    network_.graph.source = "random";
    network_.graph.semantics = choice.chance(50) ? Semantics::tflite : Semantics::onnx;
  }

  RandomNetwork run() {
    const int bits = static_cast<int>(choice_.of({8, 8, 8, 16, 4, 5}));
    activation_bits_ = bits;
    TensorId x =
        activation("input", {1, choice_.between(1, 9), choice_.between(1, 9), choice_.between(1, 20)});
    network_.graph.inputs.push_back(x);
    network_.inputs.push_back(random_values(x));
    const std::int64_t layers = choice_.between(1, 6);
    for (std::int64_t i = 0; i < layers; ++i) x = layer(x);
    network_.graph.outputs.push_back(x);
    return std::move(network_);
  }

 private:
  Graph& graph() { return network_.graph; }
  const Shape& shape(TensorId id) { return graph().tensor(id).shape; }

  TensorId add_tensor(Tensor tensor) {
    graph().tensors.push_back(std::move(tensor));
    return static_cast<TensorId>(graph().tensors.size()) - 1;
  }

  TensorId activation(const std::string& name, const Shape& dims) {
    Quantization q;
    q.bits = activation_bits_;
    q.is_signed = true;
    q.scales = {choice_.scale()};
    const auto range = q.format();
    q.zero_points = {activation_bits_ == 16
                         ? 0
                         : static_cast<std::int32_t>(choice_.between(range.min() / 2, range.max() / 2))};
    return add_tensor({name + std::to_string(graph().tensors.size()),
                       dims,
                       smallest_element_type(q.bits, q.is_signed),
                       q,
                       {},
                       {},
                       {}});
  }

  TensorData random_values(TensorId id) {
    const Tensor& tensor = graph().tensor(id);
    const auto range = tensor.quantization->format();
    TensorData data(tensor.type, tensor.shape);
    for (std::int64_t i = 0; i < data.size(); ++i) data.set(i, choice_.between(range.min(), range.max()));
    return data;
  }

  TensorId weights(const Shape& dims, std::int64_t channels) {
    Quantization q;
    q.bits = static_cast<int>(choice_.of({8, 8, 4, 3, 2, 7}));
    if (choice_.chance(50)) {
      q.axis = 0;
      q.scales.clear();
      for (std::int64_t i = 0; i < channels; ++i) q.scales.push_back(choice_.scale());
    } else {
      q.scales = {choice_.scale()};
    }
    q.zero_points.assign(q.scales.size(), 0);
    if (activation_bits_ == 8 && choice_.chance(20)) {
      std::fill(q.zero_points.begin(), q.zero_points.end(),
                static_cast<std::int32_t>(choice_.between(q.format().min(), q.format().max())));
    }
    const TensorId id = add_tensor({"w" + std::to_string(graph().tensors.size()),
                                    dims,
                                    smallest_element_type(q.bits, true),
                                    q,
                                    {},
                                    {},
                                    {}});
    graph().tensor(id).data = random_values(id);
    return id;
  }

  TensorId bias(TensorId input, TensorId weight, std::int64_t channels) {
    if (choice_.chance(30)) return kNoTensor;
    Quantization q;
    q.bits = 32;
    q.axis = graph().tensor(weight).quantization->scales.size() > 1 ? 0 : -1;
    q.scales.clear();
    for (const float s : graph().tensor(weight).quantization->scales) {
      q.scales.push_back(s * graph().tensor(input).quantization->scale());
    }
    q.zero_points.assign(q.scales.size(), 0);
    TensorData data(ElementType::i32, {channels});
    for (std::int64_t i = 0; i < channels; ++i) data.set(i, choice_.between(-5000, 5000));
    return add_tensor(
        {"b" + std::to_string(graph().tensors.size()), {channels}, ElementType::i32, q, data, {}, {}});
  }

  TensorId add_node(Op op, std::vector<TensorId> inputs, TensorId output) {
    Node node;
    node.name = graph().tensor(output).name;
    node.place = "node " + std::to_string(graph().nodes.size());
    node.op = std::move(op);
    node.inputs = std::move(inputs);
    node.outputs = {output};
    graph().nodes.push_back(std::move(node));
    return output;
  }

  /// An output with the quantization of `like` (operators that keep it).
  TensorId same_grid(TensorId like, const Shape& dims) {
    const TensorId id = activation("y", dims);
    graph().tensor(id).quantization = graph().tensor(like).quantization;
    return id;
  }

  TensorId convolution(TensorId x) {
    const Shape in = shape(x);
    Conv2dOp op;
    std::int64_t channels = choice_.between(1, 24);
    if (choice_.chance(30)) {
      op.groups = in[3];
      channels = in[3] * choice_.between(1, 2);
    } else if (in[3] % 2 == 0 && choice_.chance(20)) {
      op.groups = 2;
      channels = 2 * choice_.between(1, 10);
    }
    const std::int64_t kh = choice_.between(1, 3);
    const std::int64_t kw = choice_.between(1, 3);
    op.stride_h = choice_.between(1, 2);
    op.stride_w = choice_.between(1, 2);
    op.dilation_h = choice_.chance(20) ? 2 : 1;
    op.pad_top = choice_.between(0, 2);
    op.pad_bottom = choice_.between(0, 2);
    op.pad_left = choice_.between(0, 2);
    op.pad_right = choice_.between(0, 2);
    op.activation = choice_.chance(30) ? Activation::relu : Activation::none;
    const std::int64_t span_h = (kh - 1) * op.dilation_h + 1;
    op.pad_bottom += std::max<std::int64_t>(0, span_h - in[1] - op.pad_top - op.pad_bottom);
    op.pad_right += std::max<std::int64_t>(0, kw - in[2] - op.pad_left - op.pad_right);
    const std::int64_t oh = (in[1] + op.pad_top + op.pad_bottom - span_h) / op.stride_h + 1;
    const std::int64_t ow = (in[2] + op.pad_left + op.pad_right - kw) / op.stride_w + 1;
    const TensorId w = weights({channels, kh, kw, in[3] / op.groups}, channels);
    return add_node(op, {x, w, bias(x, w, channels)}, activation("conv", {in[0], oh, ow, channels}));
  }

  TensorId transposed_convolution(TensorId x) {
    const Shape in = shape(x);
    TransposeConv2dOp op;
    op.stride_h = choice_.between(1, 2);
    op.stride_w = choice_.between(1, 2);
    const std::int64_t kh = choice_.between(1, 3);
    const std::int64_t kw = choice_.between(1, 3);
    op.pad_top = choice_.between(0, kh - 1);
    op.pad_left = choice_.between(0, kw - 1);
    const std::int64_t channels = choice_.between(1, 12);
    const std::int64_t oh = std::max<std::int64_t>(1, (in[1] - 1) * op.stride_h + kh - 2 * op.pad_top);
    const std::int64_t ow = std::max<std::int64_t>(1, (in[2] - 1) * op.stride_w + kw - 2 * op.pad_left);
    const TensorId w = weights({channels, kh, kw, in[3]}, channels);
    return add_node(op, {x, w, bias(x, w, channels)}, activation("up", {in[0], oh, ow, channels}));
  }

  TensorId fully_connected(TensorId x) {
    const std::int64_t depth = element_count(shape(x));
    const std::int64_t channels = choice_.between(1, 40);
    const TensorId flat = add_node(ReshapeOp{}, {x}, same_grid(x, {1, depth}));
    const TensorId w = weights({channels, depth}, channels);
    const TensorId y =
        add_node(FullyConnectedOp{}, {flat, w, bias(flat, w, channels)}, activation("fc", {1, channels}));
    return add_node(ReshapeOp{}, {y}, same_grid(y, {1, 1, 1, channels}));
  }

  TensorId pool(TensorId x) {
    const Shape in = shape(x);
    Pool2dOp op;
    op.kind = choice_.chance(50) ? PoolKind::max : PoolKind::average;
    op.kernel_h = choice_.between(1, std::min<std::int64_t>(3, in[1]));
    op.kernel_w = choice_.between(1, std::min<std::int64_t>(3, in[2]));
    op.stride_h = choice_.between(1, 2);
    op.stride_w = choice_.between(1, 2);
    op.pad_top = op.kernel_h > 1 ? choice_.between(0, 1) : 0;
    op.pad_left = op.kernel_w > 1 ? choice_.between(0, 1) : 0;
    const std::int64_t oh = (in[1] + op.pad_top - op.kernel_h) / op.stride_h + 1;
    const std::int64_t ow = (in[2] + op.pad_left - op.kernel_w) / op.stride_w + 1;
    return add_node(op, {x}, same_grid(x, {in[0], oh, ow, in[3]}));
  }

  TensorId binary(TensorId x) {
    const Shape dims = shape(x);
    const auto kind = choice_.of({BinaryKind::add, BinaryKind::sub, BinaryKind::mul});
    TensorId other = x;
    if (choice_.chance(50)) {
      other = activation("constant", choice_.chance(50) ? dims : Shape{1, 1, 1, dims[3]});
      graph().tensor(other).data = random_values(other);
    }
    return add_node(BinaryOp{kind, Activation::none}, {x, other}, activation("sum", dims));
  }

  TensorId pad(TensorId x) {
    const Shape in = shape(x);
    PadOp op;
    op.before = {0, choice_.between(0, 2), choice_.between(0, 2), 0};
    op.after = {0, choice_.between(0, 2), choice_.between(0, 2), 0};
    op.value = graph().tensor(x).quantization->zero_point();
    return add_node(
        op, {x},
        same_grid(x, {in[0], in[1] + op.before[1] + op.after[1], in[2] + op.before[2] + op.after[2], in[3]}));
  }

  TensorId slice(TensorId x) {
    const Shape in = shape(x);
    StridedSliceOp op;
    Shape dims;
    for (std::size_t d = 0; d < 4; ++d) {
      const std::int64_t begin = choice_.between(0, in[d] - 1);
      const std::int64_t stride = choice_.between(1, 2);
      op.begin.push_back(begin);
      op.stride.push_back(stride);
      op.count.push_back((in[d] - 1 - begin) / stride + 1);
      dims.push_back(op.count.back());
    }
    return add_node(op, {x}, same_grid(x, dims));
  }

  TensorId transpose(TensorId x) {
    const Shape in = shape(x);
    TransposeOp op;
    op.permutation = choice_.of<std::vector<int>>({{0, 2, 1, 3}, {0, 3, 1, 2}, {0, 2, 3, 1}, {0, 1, 3, 2}});
    Shape dims;
    for (const int p : op.permutation) dims.push_back(in[static_cast<std::size_t>(p)]);
    return add_node(op, {x}, same_grid(x, dims));
  }

  TensorId concat(TensorId x) {
    const Shape in = shape(x);
    const int axis = static_cast<int>(choice_.between(1, 3));
    Shape dims = in;
    dims[static_cast<std::size_t>(axis)] *= 2;
    return add_node(ConcatOp{axis}, {x, x}, same_grid(x, dims));
  }

  TensorId mean(TensorId x) {
    const Shape in = shape(x);
    return add_node(MeanOp{{1, 2}, true}, {x}, activation("mean", {in[0], 1, 1, in[3]}));
  }

  [[nodiscard]] bool is_onnx() const { return network_.graph.semantics == Semantics::onnx; }

  /// By itself transposed, by its own transposition, or by a matrix that all rows share.
  TensorId matmul(TensorId x) {
    const Shape in = shape(x);
    if (choice_.chance(40)) {
      return add_node(MatMulOp{true}, {x, x}, activation("product", {in[0], in[1], in[2], in[2]}));
    }
    if (choice_.chance(50)) {
      const TensorId turned =
          add_node(TransposeOp{{0, 1, 3, 2}}, {x}, same_grid(x, {in[0], in[1], in[3], in[2]}));
      return add_node(MatMulOp{}, {x, turned}, activation("product", {in[0], in[1], in[2], in[2]}));
    }
    const std::int64_t columns = choice_.between(1, 24);
    const TensorId shared = activation("matrix", {in[3], columns});
    graph().tensor(shared).data = random_values(shared);
    return add_node(MatMulOp{}, {x, shared}, activation("product", {in[0], in[1], in[2], columns}));
  }

  TensorId softmax(TensorId x) {
    const TensorId y = activation("softmax", shape(x));
    if (!is_onnx()) {
      const bool wide = activation_bits_ == 16;
      graph().tensor(y).quantization->scales = {wide ? 1.0F / 32768.0F : 1.0F / 256.0F};
      graph().tensor(y).quantization->zero_points = {wide ? 0 : -128};
    }
    return add_node(SoftmaxOp{}, {x}, y);
  }

  TensorId channel_constant(const std::string& name, std::int64_t channels) {
    TensorData data(ElementType::f32, {channels});
    for (float& value : data.as<float>()) value = choice_.scale() * 8.0F;
    return add_tensor(
        {name + std::to_string(graph().tensors.size()), {channels}, ElementType::f32, {}, data, {}, {}});
  }

  TensorId layer_norm(TensorId x) {
    const std::int64_t channels = shape(x)[3];
    const TensorId gamma = choice_.chance(80) ? channel_constant("gamma", channels) : kNoTensor;
    const TensorId beta = choice_.chance(80) ? channel_constant("beta", channels) : kNoTensor;
    return add_node(LayerNormOp{}, {x, gamma, beta}, activation("norm", shape(x)));
  }

  TensorId resize(TensorId x) {
    const Shape in = shape(x);
    ResizeOp op;
    op.mode = choice_.chance(50) ? ResizeMode::nearest : ResizeMode::linear;
    op.coordinates = choice_.of(
        {ResizeCoordinates::half_pixel, ResizeCoordinates::asymmetric, ResizeCoordinates::align_corners});
    op.rounding =
        choice_.of({ResizeRounding::floor, ResizeRounding::ceil, ResizeRounding::round_prefer_floor});
    op.integer_weights = choice_.chance(50);
    const Shape out{in[0], choice_.between(1, 12), choice_.between(1, 12), in[3]};
    op.scale_h = static_cast<float>(out[1]) / static_cast<float>(in[1]);
    op.scale_w = static_cast<float>(out[2]) / static_cast<float>(in[2]);
    return add_node(op, {x}, same_grid(x, out));
  }

  TensorId prelu(TensorId x) {
    const TensorId slope = activation("slope", {1, 1, 1, shape(x)[3]});
    graph().tensor(slope).data = random_values(slope);
    return add_node(PReluOp{}, {x, slope}, activation("prelu", shape(x)));
  }

  TensorId extremum(TensorId x) {
    const auto kind = choice_.of({BinaryKind::min, BinaryKind::max});
    const TensorId other = same_grid(x, {1, 1, 1, shape(x)[3]});
    graph().tensor(other).data = random_values(other);
    return add_node(BinaryOp{kind}, {x, other}, same_grid(x, shape(x)));
  }

  TensorId global_pool(TensorId x) {
    const Shape in = shape(x);
    Pool2dOp op;
    op.kind = PoolKind::average;
    op.kernel_h = op.stride_h = in[1];
    op.kernel_w = op.stride_w = in[2];
    return add_node(op, {x}, activation("pooled", {in[0], 1, 1, in[3]}));
  }

  /// Operations that only one of the two semantics or widths has.
  TensorId particular(TensorId x) {
    if (is_onnx()) return choice_.chance(60) ? layer_norm(x) : global_pool(x);
    return activation_bits_ == 8 ? prelu(x) : leaky(x);
  }

  TensorId requantize(TensorId x) { return add_node(QuantizeOp{}, {x}, activation("requantized", shape(x))); }
  TensorId leaky(TensorId x) {
    return add_node(UnaryOp{UnaryKind::leaky_relu, 0.1F}, {x}, activation("leaky", shape(x)));
  }

  TensorId layer(TensorId x) {
    const bool byte_activations = activation_bits_ % 8 == 0;
    switch (choice_.between(0, byte_activations ? 19 : 11)) {
      case 0:
      case 1:
      case 2:
        return convolution(x);
      case 3:
        return fully_connected(x);
      case 4:
        return transposed_convolution(x);
      case 5:
        return pool(x);
      case 6:
        return pad(x);
      case 7:
        return slice(x);
      case 8:
        return transpose(x);
      case 9:
        return concat(x);
      case 10:
        return requantize(x);
      case 11:
        return resize(x);
      case 12:
        return binary(x);
      case 13:
        return mean(x);
      case 14:
      case 15:
        return matmul(x);
      case 16:
        return softmax(x);
      case 17:
        return extremum(x);
      case 18:
        return particular(x);
      default:
        return leaky(x);
    }
  }

  Choice& choice_;
  RandomNetwork network_;
  int activation_bits_ = 8;
};

}  // namespace

RandomNetwork random_network(Choice& choice) {
  return Builder(choice).run();
}

HardwareConfig random_chip(Choice& choice) {
  HardwareConfig chip;
  chip.name = "random";
  chip.mac_array.rows = choice.between(1, 20);
  chip.mac_array.columns = choice.between(1, 20);
  chip.mac_array.double_buffered_weights = choice.chance(60);
  chip.mac_array.activation_bits = 16;
  chip.weight_buffer.capacity_kib = choice.of<std::int64_t>({2, 4, 8, 64});
  chip.weight_buffer.double_buffered = choice.chance(70);
  chip.activation_buffer.capacity_kib = choice.of<std::int64_t>({2, 4, 8, 64});
  chip.activation_buffer.double_buffered = choice.chance(70);
  chip.activation_buffer.read_port_bytes = choice.of<std::int64_t>({1, 4, 64});
  chip.accumulators.entries = choice.between(2, 40);
  chip.accumulators.double_buffered = choice.chance(70);
  chip.accumulators.width_bits = static_cast<int>(choice.of({16, 20, 24, 32, 32, 40, 48}));
  chip.accumulators.overflow =
      choice.chance(50) ? arithmetic::Overflow::wrap : arithmetic::Overflow::saturate;
  chip.requantizer.lanes = choice.between(1, 40);
  chip.vector_unit.lanes = choice.between(1, 16);
  chip.dma.transaction_bytes = choice.of<std::int64_t>({64, 256, 1024});
  chip.dram.latency_cycles = choice.between(0, 60);
  chip.dram.outstanding_requests = choice.between(1, 16);
  chip.dram.burst_bytes = choice.of<std::int64_t>({8, 32, 64});
  return chip;
}

}  // namespace qsim::test

// Nodes on the vector unit that move data: padding, slices, transposition, concatenation.
#include <algorithm>
#include <cstring>

#include "workloads/execute/execute_nodes.h"

namespace qsim {
namespace {

/// Elements of a tensor as a strided box: offset + sum index[d] * stride[d], in elements.
struct StridedBox {
  std::int64_t offset = 0;
  std::vector<std::int64_t> strides;
};

std::vector<std::int64_t> row_major_strides(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t d = shape.size(); d-- > 1;) strides[d - 1] = strides[d] * shape[d];
  return strides;
}

/// Copies a box of `shape` elements of one size from `in` to `out`.
class BoxCopy {
 public:
  BoxCopy(const Shape& shape, const TensorData& in, TensorData& out)
      : shape_(shape),
        element_bytes_(static_cast<std::int64_t>(element_size_bytes(in.type))),
        in_(in),
        out_(out) {}

  void run(const StridedBox& from, const StridedBox& to) { copy(0, from, to, from.offset, to.offset); }

 private:
  void copy(std::size_t d, const StridedBox& from, const StridedBox& to, std::int64_t in, std::int64_t out) {
    if (d == shape_.size()) return copy_run(in, out, 1);
    if (d + 1 == shape_.size() && from.strides[d] == 1 && to.strides[d] == 1)
      return copy_run(in, out, shape_[d]);
    for (std::int64_t i = 0; i < shape_[d]; ++i) {
      copy(d + 1, from, to, in + i * from.strides[d], out + i * to.strides[d]);
    }
  }
  void copy_run(std::int64_t in, std::int64_t out, std::int64_t count) {
    std::memcpy(out_.bytes.data() + out * element_bytes_, in_.bytes.data() + in * element_bytes_,
                static_cast<std::size_t>(count * element_bytes_));
  }

  const Shape& shape_;
  std::int64_t element_bytes_;
  const TensorData& in_;
  TensorData& out_;
};

void fill(TensorData& tensor, std::int64_t value) {
  visit_element_type(tensor.type, [&](auto zero) {
    const auto elements = tensor.as<decltype(zero)>();
    std::fill(elements.begin(), elements.end(), static_cast<decltype(zero)>(value));
  });
}

}  // namespace

void run_pad(const Node& node, const TensorData& input, TensorData& output) {
  const auto& op = std::get<PadOp>(node.op);
  if (output.type == ElementType::f32) {
    std::ranges::fill(output.as<float>(), op.real_value);
  } else {
    fill(output, op.value);
  }
  StridedBox to{0, row_major_strides(output.shape)};
  for (std::size_t d = 0; d < to.strides.size(); ++d) to.offset += op.before[d] * to.strides[d];
  BoxCopy(input.shape, input, output).run({0, row_major_strides(input.shape)}, to);
}

void run_strided_slice(const Node& node, const TensorData& input, TensorData& output) {
  const auto& op = std::get<StridedSliceOp>(node.op);
  StridedBox from{0, row_major_strides(input.shape)};
  for (std::size_t d = 0; d < from.strides.size(); ++d) {
    from.offset += op.begin[d] * from.strides[d];
    from.strides[d] *= op.stride[d];
  }
  BoxCopy(op.count, input, output).run(from, {0, row_major_strides(op.count)});
}

void run_transpose(const Node& node, const TensorData& input, TensorData& output) {
  const std::vector<std::int64_t> in_strides = row_major_strides(input.shape);
  StridedBox from;
  for (const int d : std::get<TransposeOp>(node.op).permutation) {
    from.strides.push_back(in_strides[static_cast<std::size_t>(d)]);
  }
  BoxCopy(output.shape, input, output).run(from, {0, row_major_strides(output.shape)});
}

void run_concat(const Graph& graph, const Node& node, const Operands& inputs, TensorData& output) {
  const auto axis = static_cast<std::size_t>(std::get<ConcatOp>(node.op).axis);
  StridedBox to{0, row_major_strides(output.shape)};
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const TensorData& input = *inputs[i];
    const arithmetic::UnaryFunction function =
        input.type == ElementType::f32 ? arithmetic::CopyFunction{} : unary_function(graph, node, i);
    TensorData rescaled;
    const TensorData* source = &input;
    if (!std::holds_alternative<arithmetic::CopyFunction>(function)) {
      rescaled = TensorData(output.type, input.shape);
      for (std::int64_t e = 0; e < input.size(); ++e) rescaled.set(e, evaluate(function, input.at(e)));
      source = &rescaled;
    }
    BoxCopy(input.shape, *source, output).run({0, row_major_strides(input.shape)}, to);
    to.offset += input.shape[axis] * to.strides[axis];
  }
}

}  // namespace qsim

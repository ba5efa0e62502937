// Reads one operator into nodes of the graph.
//
// Every operator has one function, written once for the plain operator ("Conv"). It sees operands and
// results, which are floats (a float operator), integers with their scales given beside them (QLinearConv),
// or integers that DequantizeLinear and QuantizeLinear enclose (a QDQ group).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "workloads/graph/graph.h"
#include "workloads/readers/onnx/attributes.h"
#include "workloads/readers/onnx/graph_builder.h"
#include "workloads/readers/onnx/qdq_groups.h"

namespace qsim::onnx_format {

class OperatorReader {
 public:
  OperatorReader(GraphBuilder& builder, const OnnxNode& node);
  /// Adds the node's operation; throws InputError where it cannot be.
  void read();
  /// Throws InputError where the operator is none that is read, whatever its inputs are.
  static void require_known(const GraphBuilder& builder, const OnnxNode& node);
  /// Nodes of the model that this operation took in.
  [[nodiscard]] const std::vector<std::size_t>& absorbed() const { return absorbed_; }

 private:
  using Reading = void (OperatorReader::*)();
  struct TableRow;
  [[nodiscard]] static const TableRow* find_row(const std::string& domain, const std::string& op_type);

  void take_quantized(const QuantizedOperator& op);
  void take_group(QdqGroup group);
  void take_plain(const TableRow& row);

  // operators_mac.cpp
  void read_conv();
  void read_conv_transpose();
  void read_gemm();
  void read_matmul();
  TensorId scaled_constant(std::size_t index, float factor, const DimensionOrder& order);
  TensorId bias(std::size_t index, std::int64_t channels, const Operand& x, const Operand& w);
  void read_matmul_constant();
  void read_matmul_activations();
  // operators_pool.cpp
  void read_max_pool();
  void read_average_pool();
  void read_global_average_pool();
  void read_global_max_pool();
  void read_resize();
  void read_pool(PoolKind kind);
  TensorId pad_before_pool(TensorId input, Pool2dOp& pool);
  void read_global_pool(PoolKind kind);
  // operators_reduce.cpp
  struct Reduction {
    std::vector<bool> reduces;  ///< One a dimension of the model.
    bool keeps = true;          ///< As dimensions of one element.
    Shape shape;                ///< Of the result.
  };
  Reduction reduction();
  void read_reduce_mean();
  void read_reduce_sum();
  void read_reduce_extreme();
  void read_instance_norm();
  // operators_elementwise.cpp
  void read_add() { read_binary(BinaryKind::add); }
  void read_sub() { read_binary(BinaryKind::sub); }
  void read_mul() { read_binary(BinaryKind::mul); }
  void read_div() { read_binary(BinaryKind::div); }
  void read_min() { read_binary(BinaryKind::min); }
  void read_max() { read_binary(BinaryKind::max); }
  void read_pow() { read_binary(BinaryKind::pow); }
  void read_binary(BinaryKind kind);
  TensorId broadcast_operand(std::size_t index, const DimensionOrder& order);
  [[nodiscard]] DimensionOrder common_order(std::size_t rank) const;
  void read_function();
  void read_clip();
  void read_integer_clip();
  void read_gelu();
  void read_prelu();
  void read_softmax();
  void read_flat_softmax(std::size_t axis);
  void read_batch_norm();
  void read_layer_norm();
  // operators_move.cpp
  void read_reshape();
  void read_flatten();
  void read_squeeze();
  void read_unsqueeze();
  void read_transpose();
  void read_concat();
  void read_split();
  void read_slice();
  void read_gather();
  void read_pad();
  void read_identity();
  void read_cast();
  void set_pad_value(PadOp& pad);
  // operators_space.cpp
  void read_depth_to_space();
  void read_space_to_depth();
  void read_pad_with_elements(const PadOp& pad, const Shape& shape, const DimensionOrder& from,
                              const std::string& mode);
  std::vector<TensorId> border(TensorId input, std::size_t axis, std::int64_t count, bool is_before,
                               const std::string& mode);
  void reshape_to(const std::optional<Shape>& shape, const std::string& what);
  void slice_to(const std::vector<SliceRange>& ranges, std::size_t result, const std::optional<Shape>& shape);
  // operators_quantize.cpp
  void read_quantize();
  void read_dequantize();
  // operators_dynamic.cpp
  void read_dynamic_quantize();
  /// What takes the operand's place where its zero point depends on the data.
  [[nodiscard]] std::optional<Operand> difference_operand(const QuantizedOperand& operand) const;
  void convert_slices(const Quantization& q, bool to_integers);

  // ---- operands ------------------------------------------------------------------------------------------
  [[noreturn]] void fail(const std::string& subject, const std::string& value, const std::string& expected,
                         const std::string& hint = {}) const;
  void expect_inputs(std::size_t min, std::size_t max) const;
  [[nodiscard]] bool has(std::size_t index) const {
    return index < operands_.size() && !operands_[index].is_absent();
  }
  [[nodiscard]] const Operand& operand(std::size_t index) const { return operands_[index]; }
  [[nodiscard]] const Shape& shape(std::size_t index) const {
    return builder_.info(operands_[index].value).shape;
  }
  [[nodiscard]] bool is_constant(std::size_t index) const {
    return builder_.is_constant(operands_[index].value);
  }
  [[nodiscard]] DimensionOrder order(std::size_t index) const {
    return builder_.order_of(operands_[index].value);
  }
  [[nodiscard]] TensorId tensor(std::size_t index, const DimensionOrder& order);
  /// Integers of an operand that has to be a constant ("shape", "axes"); nothing where it is absent.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> indices(std::size_t index, const char* what);
  /// The same from an attribute where older opsets have it there.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> list(std::size_t index, const char* attribute);
  /// The real numbers of an operand that has to be a constant; nothing where it is absent.
  [[nodiscard]] std::optional<std::vector<float>> reals(std::size_t index, const char* what);
  [[nodiscard]] std::int64_t wrapped_axis(std::int64_t axis, std::size_t rank, const char* what) const;
  [[nodiscard]] std::int64_t opset() const { return builder_.model().opset(); }
  [[nodiscard]] const std::string& file() const { return builder_.model().model().file; }

  // ---- windows -------------------------------------------------------------------------------------------
  /// Kernel, stride, dilation and padding of the spatial dimensions as height and width; a 1-D operator has
  /// height 1.
  struct Window {
    std::int64_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
    std::int64_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
    std::int64_t crop_top = 0, crop_left = 0;  ///< Padding below 0.
    Shape output;                              ///< Spatial dimensions of the output.
  };
  DimensionOrder image_order();
  /// The first input channels last, without what `window` leaves out.
  TensorId windowed_input(const Window& window, const DimensionOrder& order);
  [[nodiscard]] Window window(const std::vector<std::int64_t>& kernel, bool is_pool);
  /// The input has 1 or 2 spatial dimensions.
  void expect_spatial();

  /// ONNX Runtime has moved the channels of these integers last: QLinearConv made them, or operators that it
  /// moves them through did.
  [[nodiscard]] bool lies_behind_convolution(std::string value) const;

  // ---- weights: operand 1 --------------------------------------------------------------------------------
  /// "weights NAME" for messages, of weights that have to be constants.
  [[nodiscard]] std::string constant_weights() const;
  /// Spatial dimensions of a convolution's weights, as kernel_shape has to state them where it is given.
  [[nodiscard]] std::vector<std::int64_t> kernel_sizes() const;
  /// Where there are scales a channel, `axis` (of the model's order) is that of the channels.
  void expect_scales_along(std::int64_t axis) const;

  // ---- results -------------------------------------------------------------------------------------------
  [[nodiscard]] bool is_float() const { return results_.front().type == OnnxType::float32; }
  /// Stands between DequantizeLinear and QuantizeLinear.
  [[nodiscard]] bool is_group() const { return !absorbed_.empty(); }
  [[nodiscard]] Node new_node(Op op, std::vector<TensorId> inputs) const;
  /// Adds a node "NODE#suffix" on the way to a result; what it makes has the type and scale of its first
  /// input.
  TensorId add_step(const std::string& suffix, Op op, std::vector<TensorId> inputs, const Shape& graph_shape);
  /// Adds a node that makes result `index` of this shape (the model's order).
  void emit(Op op, std::vector<TensorId> inputs, const Shape& shape, const DimensionOrder& order,
            std::size_t index = 0);
  /// The same for operations that keep the integers: where the result has other parameters than the first
  /// operand, a requantizing node follows.
  void emit_move(Op op, std::vector<TensorId> inputs, const Shape& shape, const DimensionOrder& order,
                 std::size_t index = 0);

  GraphBuilder& builder_;
  const OnnxNode& node_;
  Attributes attributes_;
  std::string op_;  ///< The plain operator's name.
  std::string place_;
  std::vector<Operand> operands_;
  std::vector<Result> results_;
  Activation activation_ = Activation::none;
  std::vector<std::size_t> absorbed_;
  std::vector<std::string> quantize_names_;
};

}  // namespace qsim::onnx_format

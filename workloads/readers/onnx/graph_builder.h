// Model to Graph: what is known of each value, the tensors that hold it, and the nodes as they are added.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "workloads/graph/graph.h"
#include "workloads/readers/onnx/dimension_order.h"
#include "workloads/readers/onnx/fold.h"
#include "workloads/readers/onnx/model_graph.h"
#include "workloads/readers/onnx/operator_table.h"

namespace qsim::onnx_format {

/// What a value is read as. Without quantization: a float, or integers that nobody has given a scale yet.
struct Operand {
  std::string value;                         ///< "" where an optional operand is absent.
  std::optional<Quantization> quantization;  ///< `axis` is a dimension of the model.

  [[nodiscard]] bool is_absent() const { return value.empty(); }
};

/// What a node of the graph makes.
struct Result {
  std::string value;
  OnnxType type = OnnxType::undefined;
  std::optional<Quantization> quantization;
  std::optional<Requantization> requantization = {};
};

/// One value of the model: a constant, or what tensors of the graph hold at run time.
struct ValueInfo {
  OnnxType type = OnnxType::undefined;
  Shape shape;  ///< In the model's order.
  const OnnxTensor* constant = nullptr;
  /// Set where the value is DequantizeLinear of another: that one, and how it is read. No tensor holds the
  /// float before somebody wants it.
  std::optional<Operand> dequantized;
  std::size_t dequantize_node = 0;  ///< Of the model.
  std::vector<TensorId> forms;      ///< Tensors that hold it, the one under its own name first.
};

/// Who wants a tensor: nodes that prepare it are named after it.
struct NodeOrigin {
  std::string name, place;
  std::size_t index = 0;  ///< Of the model.
};

/// Where a node of the graph comes from.
struct NodeSource {
  std::size_t index = 0;  ///< Of the model.
  bool is_own = false;    ///< It has that node's name: it is no step on the way.
};

class GraphBuilder {
 public:
  GraphBuilder(const ModelGraph& model, Graph& graph);

  [[nodiscard]] const ModelGraph& model() const { return model_; }
  [[nodiscard]] Graph& graph() { return graph_; }

  // ---- values (value_table.cpp) --------------------------------------------------------------------------
  [[nodiscard]] bool is_known(const std::string& value) const { return values_.count(value) != 0; }
  /// Of a value that is known (asserted).
  [[nodiscard]] const ValueInfo& info(const std::string& value) const;
  /// The constant's values; a dequantized constant is computed at its first use. nullptr for what is computed
  /// at run time.
  const OnnxTensor* constant(const std::string& value);
  /// The same whatever it costs, or where the value is DequantizeLinear of a constant without computing it.
  [[nodiscard]] bool is_constant(const std::string& value) const;
  void add_constant(const std::string& value, OnnxTensor tensor);
  /// What to do where the value has to be a constant and is none.
  [[nodiscard]] std::string constant_remedy(const std::string& value,
                                            const std::string& otherwise = {}) const;
  void add_initializers();
  /// Another name for a value.
  void add_alias(const std::string& value, const std::string& original);
  void add_dequantized(const std::string& value, const Operand& source, std::size_t node);
  /// A float inside a group: no tensor holds it, but Shape may ask for its shape.
  void add_inner(const std::string& value, const Shape& shape);
  void add_input(const std::string& value, OnnxType type, const Shape& shape,
                 const std::optional<Quantization>& quantization, const DimensionOrder& order);
  /// Scale, zero point and width of `operand` from constants; `axis` and `block_size` as DequantizeLinear has
  /// them. `shape` is the quantized tensor's. Throws InputError with `place` for what is no constant or does
  /// not fit.
  Quantization quantization(const std::string& scale, const std::string& zero_point, OnnxType type,
                            const Shape& shape, std::int64_t axis, const std::string& place);
  /// Of an operator on integers (ConvInteger): scales are 1, the zero point may be absent.
  Quantization integer_quantization(const std::string& zero_point, OnnxType type, const Shape& shape,
                                    std::int64_t axis, const std::string& place);

  // ---- tensors (graph_builder.cpp) -----------------------------------------------------------------------
  /// A tensor that holds the operand in this order of dimensions and with these parameters; where none does
  /// yet, a constant is made, or nodes that move the elements ("NODE#layout") or read them at another scale
  /// ("NODE#scale") are added.
  TensorId tensor(const Operand& operand, const DimensionOrder& order, const NodeOrigin& user);
  /// A constant of our own making under the name of `value`.
  TensorId constant_tensor(const std::string& value, const OnnxTensor& tensor, const DimensionOrder& order,
                           const std::optional<Quantization>& quantization);
  /// How the value lies in the graph now (plain for constants).
  [[nodiscard]] DimensionOrder order_of(const std::string& value) const;
  /// A new tensor for a result, under the value's name.
  TensorId add_result(const Result& result, const Shape& shape, const DimensionOrder& order);
  /// A new tensor between nodes, named after `name`.
  TensorId add_tensor(const std::string& name, ElementType type, const Shape& graph_shape,
                      const std::optional<Quantization>& quantization);
  /// `origin`: the node of the model that it comes from. A move of integers in more dimensions than the chip
  /// has is split into several nodes (split_moves.h).
  void add_node(Node node, std::size_t origin);
  /// Where the graph's nodes come from, in their order.
  [[nodiscard]] const std::vector<NodeSource>& sources() const { return sources_; }

  /// Some user, through operators that keep the order of dimensions, wants channels last.
  [[nodiscard]] bool wants_channels_last(const std::string& value) const;
  /// A value that stands for another: its users want the same.
  void share_wishes(const std::string& value, const std::string& with);
  /// Some node is a quantizer of QONNX.
  [[nodiscard]] bool has_qonnx() const { return has_qonnx_; }
  /// Parameters under which the first user that says any reads integers.
  std::optional<Quantization> stated_quantization(const std::string& value, OnnxType type,
                                                  const Shape& shape);

 private:
  Quantization quantization(const OnnxTensor& scales, const std::string& zero_point, OnnxType type,
                            const Shape& shape, std::int64_t axis, const std::string& place);
  struct ConstantKey {
    std::string value;
    std::vector<int> axes;
    std::vector<float> scales;
    std::vector<std::int32_t> zero_points;
    auto operator<=>(const ConstantKey&) const = default;
  };

  /// What the users of a value want.
  struct Wish {
    bool channels_last = false;
    std::string scale, zero_point;  ///< Constants; "" where nobody says.
  };

  void find_wishes();
  void state_scales(const OnnxNode& node, const OperatorMeaning& meaning);
  ValueInfo& add_value(const std::string& value);
  /// A small file may ask for the same large constant again and again. Throws InputError beyond
  /// 256 MiB + 8 * (bytes of the model's initializers).
  void count_constant(const std::string& value, std::size_t bytes);
  TensorId constant_operand(const Operand& operand, const DimensionOrder& order);
  TensorId reordered(TensorId from, const Shape& shape, const DimensionOrder& target, const NodeOrigin& user);
  TensorId reinterpreted(TensorId from, const Quantization& quantization, const NodeOrigin& user);
  void dequantize(ValueInfo& info, const std::string& value);
  [[nodiscard]] DimensionOrder order_of(TensorId id) const;
  [[nodiscard]] std::string unique_tensor_name(const std::string& name);
  [[nodiscard]] std::string unique_node_name(const std::string& name);

  const ModelGraph& model_;
  Graph& graph_;
  bool has_qonnx_ = false;
  std::map<std::string, ValueInfo> values_;
  std::deque<OnnxTensor> constants_;  ///< Those that folding made.
  std::size_t constant_bytes_ = 0, constant_limit_ = std::size_t{256} << 20U;
  std::map<ConstantKey, TensorId> constant_tensors_;
  std::set<std::string> tensor_names_, node_names_;
  std::map<std::string, Wish> wishes_;
  std::vector<NodeSource> sources_;
};

}  // namespace qsim::onnx_format

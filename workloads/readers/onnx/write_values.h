// Private to the ONNX writer: the values of the graph's tensors in the order of dimensions that an operator
// wants.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "workloads/graph/graph.h"
#include "workloads/readers/onnx/write_builder.h"
#include "workloads/readers/onnx/write_layout.h"

namespace qsim::onnx_format {

class Values {
 public:
  Values(const Graph& graph, ModelBuilder& builder);

  /// Layout of the model that the graph was read from.
  [[nodiscard]] Layout model_layout(TensorId id) const;
  /// The layout in which a tensor was defined; of a constant the graph's.
  [[nodiscard]] Layout defined_layout(TensorId id) const;

  /// Declares that `id` gets a value in this layout and gives it a name: the tensor's own where the layout is
  /// the model's.
  std::string define(TensorId id, const Layout& layout);
  /// The tensor in this layout; inserts Reshape and Transpose, once a layout. Constants are moved when
  /// writing.
  std::string get(TensorId id, const Layout& layout);
  /// The same for an operand of an operation on tensors of `rank` dimensions, numpy's broadcasting: leading
  /// dimensions of one element are added in the graph's order, and `layout` is that of the result.
  std::string get_broadcast(TensorId id, const Layout& layout);

  /// DequantizeLinear of the value that tensor `id` has in this layout, once a value.
  std::string real(TensorId id, const std::string& value, const Layout& layout);
  /// Initializers of a tensor's scale and zero point; per slice where it has several.
  std::string scale(TensorId id);
  std::string zero_point(TensorId id);

 private:
  std::string move(TensorId id, const std::string& value, const Layout& from, const Layout& to);
  std::string constant_in(TensorId id, const Layout& layout);
  [[nodiscard]] const std::string& name(TensorId id) const { return graph_.tensor(id).name; }

  const Graph& graph_;
  ModelBuilder& builder_;
  std::map<TensorId, Layout> defined_;
  std::map<std::pair<TensorId, Layout>, std::string> values_;
  std::map<std::string, std::string> real_;
};

}  // namespace qsim::onnx_format

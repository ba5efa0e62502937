// How the nodes of an ONNX model hang together: who makes a value, who uses it, in which order they run.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "workloads/readers/onnx/onnx_model.h"

namespace qsim::onnx_format {

class ModelGraph {
 public:
  /// Throws InputError for values with two sources or none, inputs and outputs that no tensor is, and cycles,
  /// all of them together. The model must outlive the graph.
  explicit ModelGraph(const OnnxModel& model);

  [[nodiscard]] const OnnxModel& model() const { return model_; }
  /// Nodes in an order in which every value is made before it is used; the file's order where that is one.
  [[nodiscard]] const std::vector<std::size_t>& order() const { return order_; }
  [[nodiscard]] std::optional<std::size_t> producer(const std::string& value) const;
  /// Nodes that use a value, one entry a use.
  [[nodiscard]] const std::vector<std::size_t>& consumers(const std::string& value) const;
  [[nodiscard]] const OnnxTensor* initializer(const std::string& value) const;
  [[nodiscard]] bool is_output(const std::string& value) const;
  /// Inputs of the graph that are not initializers (old models list those too).
  [[nodiscard]] const std::vector<const OnnxValue*>& inputs() const { return inputs_; }
  /// Version of the default operator set.
  [[nodiscard]] std::int64_t opset() const { return opset_; }
  /// An operator set that is not read; its nodes may mean something else.
  [[nodiscard]] const std::vector<Problem>& opset_problems() const { return opset_problems_; }

 private:
  void check_opsets();
  void add_sources();
  void add_uses();
  void sort();
  void report_cycle(std::vector<std::size_t> waits);
  void report(const std::string& place, const std::string& value, const std::string& expected,
              const std::string& hint);

  const OnnxModel& model_;
  std::int64_t opset_ = 0;
  std::map<std::string, const OnnxTensor*> initializers_;
  std::map<std::string, std::size_t> producers_;
  std::map<std::string, std::vector<std::size_t>> consumers_;
  std::vector<const OnnxValue*> inputs_;
  std::vector<std::size_t> order_;
  std::vector<Problem> problems_, opset_problems_;
};

}  // namespace qsim::onnx_format

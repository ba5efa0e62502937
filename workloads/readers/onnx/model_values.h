// What is known of a model's values by name while its nodes are rewritten, before a graph is made of them.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "workloads/readers/onnx/onnx_model.h"

namespace qsim::onnx_format {

/// Constants, producers and uses of the nodes that are merged into no other, and constants that are added.
class ModelValues {
 public:
  struct Uses {
    std::size_t count = 0;  ///< By nodes.
    std::size_t last = 0;   ///< Node that uses it.
    bool is_output = false;

    [[nodiscard]] bool is_one_node() const { return count == 1 && !is_output; }
  };

  /// The model must outlive the values, and keep its initializers.
  explicit ModelValues(const OnnxModel& model);

  /// nullptr where it is none.
  [[nodiscard]] const OnnxTensor* constant(const std::string& name) const;
  /// Of a node's input, which may be absent.
  [[nodiscard]] const OnnxTensor* constant(const OnnxNode& node, std::size_t input) const;
  [[nodiscard]] std::optional<std::size_t> producer(const std::string& name) const;
  [[nodiscard]] Uses uses(const std::string& name) const;
  void set_last_use(const std::string& name, std::size_t node) { uses_[name].last = node; }

  /// Its name: `wanted`, with a number behind it where another value has that.
  std::string add_constant(const std::string& wanted, OnnxTensor tensor);
  /// The constants that were added become the model's.
  void give_constants_to(OnnxModel& model);

 private:
  void add_links(const OnnxNode& node, std::size_t index);

  std::map<std::string, const OnnxTensor*> constants_;
  std::map<std::string, std::size_t> producers_;
  std::map<std::string, Uses> uses_;
  std::deque<OnnxInitializer> added_;
};

}  // namespace qsim::onnx_format

// Attributes of one node with their types checked. What nobody asks for is an error in the end: an attribute
// that is not understood may change what the operator computes.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "workloads/readers/onnx/onnx_model.h"

namespace qsim::onnx_format {

class Attributes {
 public:
  Attributes(const OnnxNode& node, const std::string& file) : node_(node), file_(file) {}

  [[nodiscard]] std::int64_t integer(const std::string& name, std::int64_t fallback) const;
  [[nodiscard]] std::int64_t required_integer(const std::string& name) const;
  [[nodiscard]] bool flag(const std::string& name, bool fallback) const;
  [[nodiscard]] float real(const std::string& name, float fallback) const;
  [[nodiscard]] std::string text(const std::string& name, const std::string& fallback) const;
  [[nodiscard]] std::optional<std::vector<std::int64_t>> integers(const std::string& name) const;
  [[nodiscard]] const OnnxTensor* tensor(const std::string& name) const;
  [[nodiscard]] bool has(const std::string& name) const;
  /// Says of an attribute that it changes nothing here.
  void ignore(const std::string& name) const { asked_.insert(name); }

  /// Throws InputError naming the attributes that nobody asked for, and those given twice.
  void finish() const;

 private:
  template <typename T>
  [[nodiscard]] const T* find(const std::string& name, const char* expected) const;
  [[noreturn]] void fail(const std::string& name, const std::string& value,
                         const std::string& expected) const;

  const OnnxNode& node_;
  const std::string& file_;
  mutable std::set<std::string> asked_;
};

}  // namespace qsim::onnx_format

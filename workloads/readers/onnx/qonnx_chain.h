// What lies between an operator and the quantizer behind it: scales, biases and batch norms, as one factor
// and one summand a channel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "workloads/readers/onnx/graph_builder.h"

namespace qsim::onnx_format {

/// y = clamp(factor[n] * x + summand[n], low, high), in double from the model's float32 constants.
class AffineChain {
 public:
  /// Of a value of `rank` dimensions with `channels` elements along `axis`.
  AffineChain(GraphBuilder& builder, std::string value, std::size_t rank, std::size_t axis,
              std::int64_t channels);

  /// Takes in the nodes behind the value one by one, while each has the one before as its only user and is
  /// Mul, Add, Sub, Div by constants of one element or one a channel, BatchNormalization, Relu, Clip, Neg or
  /// Identity.
  void follow();
  /// The same for one node; false where it is none of these.
  bool take(std::size_t node);

  /// The one node that uses the value, or nothing where there are several or it is an output.
  [[nodiscard]] const OnnxNode* only_user() const;
  [[nodiscard]] const std::string& value() const { return value_; }
  [[nodiscard]] double factor(std::int64_t n) const { return at(factors_, n); }
  [[nodiscard]] double summand(std::int64_t n) const { return at(summands_, n); }
  [[nodiscard]] std::int64_t channels() const { return channels_; }
  /// One factor and summand for all channels.
  [[nodiscard]] bool is_uniform() const { return factors_.size() == 1 && summands_.size() == 1; }
  [[nodiscard]] double low() const { return low_; }
  [[nodiscard]] double high() const { return high_; }
  [[nodiscard]] const std::vector<std::size_t>& nodes() const { return nodes_; }
  /// factor[n] * s + bias[n]; before any node is taken.
  void add_bias(const std::vector<double>& bias);

 private:
  using Numbers = std::vector<double>;  ///< One, or one a channel.

  static double at(const Numbers& numbers, std::int64_t n) {
    return numbers[numbers.size() == 1 ? 0 : static_cast<std::size_t>(n)];
  }
  bool take_binary(const OnnxNode& node);
  bool take_batch_norm(const OnnxNode& node);
  bool take_limits(double low, double high);
  /// A constant with one element, or one a channel; empty otherwise.
  [[nodiscard]] Numbers numbers(const std::string& constant) const;
  /// The same of a list of one a channel.
  [[nodiscard]] Numbers list(const std::string& constant) const;
  bool multiply(const Numbers& by);
  bool add(const Numbers& what, double sign = 1.0);

  GraphBuilder* builder_;
  std::string value_;
  std::size_t rank_, axis_;
  std::int64_t channels_;
  Numbers factors_{1.0}, summands_{0.0};
  double low_ = -std::numeric_limits<double>::infinity();
  double high_ = std::numeric_limits<double>::infinity();
  std::vector<std::size_t> nodes_;
};

}  // namespace qsim::onnx_format

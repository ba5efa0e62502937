#include "workloads/readers/onnx/qonnx_chain.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "workloads/readers/onnx/attributes.h"
#include "workloads/readers/onnx/qdq_groups.h"

namespace qsim::onnx_format {

AffineChain::AffineChain(GraphBuilder& builder, std::string value, std::size_t rank, std::size_t axis,
                         std::int64_t channels)
    : builder_(&builder), value_(std::move(value)), rank_(rank), axis_(axis), channels_(channels) {}

void AffineChain::add_bias(const std::vector<double>& bias) {
  add(bias);
}

void AffineChain::follow() {
  while (const OnnxNode* user = only_user()) {
    if (!take(static_cast<std::size_t>(user - builder_->model().model().nodes.data()))) return;
  }
}

const OnnxNode* AffineChain::only_user() const {
  if (builder_->model().is_output(value_)) return nullptr;
  const OnnxNode* user = nullptr;
  for (const std::size_t index : builder_->model().consumers(value_)) {
    const OnnxNode& consumer = builder_->model().model().nodes[index];
    if (consumer.op_type == "Shape") continue;
    if (user != nullptr) return nullptr;
    user = &consumer;
  }
  return user;
}

bool AffineChain::take(std::size_t index) {
  const OnnxNode& node = builder_->model().model().nodes[index];
  if (!node.domain.empty() || node.outputs.size() != 1) {
    const bool is_norm = node.domain.empty() && node.op_type == "BatchNormalization";
    if (!is_norm || node.outputs.empty()) return false;
  }
  bool is_taken = false;
  if (node.op_type == "Relu") {
    is_taken = take_limits(0.0, std::numeric_limits<double>::infinity());
  } else if (node.op_type == "Clip") {
    const std::optional<ClipBounds> bounds = clip_bounds(*builder_, node);
    is_taken = bounds && bounds->low <= bounds->high &&
               take_limits(static_cast<double>(bounds->low), static_cast<double>(bounds->high));
  } else if (node.op_type == "Neg") {
    is_taken = multiply({-1.0});
  } else if (node.op_type == "Identity") {
    is_taken = true;
  } else if (node.op_type == "BatchNormalization") {
    is_taken = take_batch_norm(node);
  } else {
    is_taken = take_binary(node);
  }
  if (!is_taken) return false;
  nodes_.push_back(index);
  value_ = node.outputs.front();
  return true;
}

bool AffineChain::take_limits(double low, double high) {
  low_ = std::clamp(low_, low, high);
  high_ = std::clamp(high_, low, high);
  return true;
}

bool AffineChain::take_binary(const OnnxNode& node) {
  if (node.inputs.size() != 2) return false;
  const bool is_first = node.inputs[0] == value_;
  if (is_first && node.inputs[1] == value_) return false;
  const Numbers other = numbers(node.inputs[is_first ? 1 : 0]);
  const bool has_limits = std::isfinite(low_) || std::isfinite(high_);
  if (other.empty() || (has_limits && other.size() != 1)) return false;
  if (node.op_type == "Mul") return multiply(other);
  if (node.op_type == "Add") return add(other);
  if (node.op_type == "Sub") return is_first ? add(other, -1.0) : multiply({-1.0}) && add(other);
  if (node.op_type != "Div" || !is_first) return false;
  Numbers inverse = other;
  for (double& number : inverse) {
    if (number == 0.0) return false;
    number = 1.0 / number;
  }
  return multiply(inverse);
}

/// gamma * (x - mean) / sqrt(variance + epsilon) + beta, as float32 parameters say it.
bool AffineChain::take_batch_norm(const OnnxNode& node) {
  const Attributes attributes(node, builder_->model().model().file);
  if (node.inputs.size() != 5 || axis_ != 1 || attributes.integer("training_mode", 0) != 0) return false;
  const auto epsilon = static_cast<double>(attributes.real("epsilon", 1e-5F));
  const Numbers gamma = list(node.inputs[1]);
  const Numbers beta = list(node.inputs[2]);
  const Numbers mean = list(node.inputs[3]);
  const Numbers variance = list(node.inputs[4]);
  if (gamma.empty() || beta.empty() || mean.empty() || variance.empty()) return false;
  Numbers factor;
  Numbers summand;
  for (std::int64_t n = 0; n < channels_; ++n) {
    factor.push_back(at(gamma, n) / std::sqrt(at(variance, n) + epsilon));
    summand.push_back(at(beta, n) - at(mean, n) * factor.back());
    if (!std::isfinite(factor.back()) || !std::isfinite(summand.back())) return false;
  }
  return multiply(factor) && add(summand);
}

AffineChain::Numbers AffineChain::numbers(const std::string& constant) const {
  if (!builder_->is_known(constant) || !builder_->is_constant(constant)) return {};
  const OnnxTensor* tensor = builder_->constant(constant);
  if (tensor == nullptr || !tensor->is_real() || tensor->shape.size() > rank_) return {};
  Numbers result;
  for (std::int64_t i = 0; i < tensor->size(); ++i) result.push_back(tensor->real(i));
  if (result.size() == 1) return result;
  // numpy aligns dimensions at the end.
  for (std::size_t d = 0; d < tensor->shape.size(); ++d) {
    const std::size_t along = rank_ - tensor->shape.size() + d;
    if (tensor->shape[d] != (along == axis_ ? channels_ : 1)) return {};
  }
  return static_cast<std::int64_t>(result.size()) == channels_ ? result : Numbers{};
}

AffineChain::Numbers AffineChain::list(const std::string& constant) const {
  if (!builder_->is_known(constant) || !builder_->is_constant(constant)) return {};
  const OnnxTensor* tensor = builder_->constant(constant);
  if (tensor == nullptr || !tensor->is_real() || tensor->size() != channels_) return {};
  Numbers result;
  for (std::int64_t i = 0; i < tensor->size(); ++i) result.push_back(tensor->real(i));
  return result;
}

/// Limits are one for all channels.
bool AffineChain::multiply(const Numbers& by) {
  const bool has_limits = std::isfinite(low_) || std::isfinite(high_);
  if (has_limits && (by.size() != 1 || by.front() == 0.0)) return false;
  for (Numbers* numbers : {&factors_, &summands_}) {
    if (numbers->size() < by.size()) numbers->resize(by.size(), numbers->front());
    for (std::size_t n = 0; n < numbers->size(); ++n) (*numbers)[n] *= at(by, static_cast<std::int64_t>(n));
  }
  if (!has_limits) return true;
  low_ *= by.front();
  high_ *= by.front();
  if (by.front() < 0.0) std::swap(low_, high_);
  return true;
}

bool AffineChain::add(const Numbers& what, double sign) {
  const bool has_limits = std::isfinite(low_) || std::isfinite(high_);
  if (has_limits && what.size() != 1) return false;
  if (summands_.size() < what.size()) summands_.resize(what.size(), summands_.front());
  for (std::size_t n = 0; n < summands_.size(); ++n)
    summands_[n] += sign * at(what, static_cast<std::int64_t>(n));
  if (!has_limits) return true;
  low_ += sign * what.front();
  high_ += sign * what.front();
  return true;
}

}  // namespace qsim::onnx_format

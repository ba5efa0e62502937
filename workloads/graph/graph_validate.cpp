// validate(): tensors, names and wiring; ops/node_check.h and the rows of the operations have the nodes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/checked.h"
#include "hw_models/arithmetic/mx_block.h"
#include "workloads/graph/graph_check.h"
#include "workloads/ops/node_check.h"

namespace qsim {
namespace {

using arithmetic::IntegerFormat;

class GraphChecker {
 public:
  explicit GraphChecker(const Graph& graph) : graph_(graph) {}

  std::vector<GraphProblem> check() {
    check_ids();
    const bool ids_hold = problems_.empty();
    const std::vector<std::vector<std::size_t>> users = ids_hold ? find_users() : no_users();
    for (std::size_t t = 0; t < graph_.tensors.size(); ++t) {
      nodes_ = users[t];
      check_tensor(graph_.tensors[t]);
    }
    nodes_.clear();
    if (!ids_hold) return std::move(problems_);  // What follows follows the ids.
    if (graph_.nodes.empty()) {
      report("graph", "no operators", "at least one", "there is nothing to run; is it the right file?");
    }
    check_nodes();
    check_order();
    return std::move(problems_);
  }

 private:
  void report(std::string place, std::string value, std::string expected, std::string hint = {}) {
    if (hint.empty()) hint = kModelRemedy;
    problems_.push_back(
        {{graph_.source, std::move(place), std::move(value), std::move(expected), std::move(hint)}, nodes_});
  }

  [[nodiscard]] std::vector<std::vector<std::size_t>> no_users() const {
    return std::vector<std::vector<std::size_t>>(graph_.tensors.size());
  }
  /// Nodes that read or write each tensor, each once.
  [[nodiscard]] std::vector<std::vector<std::size_t>> find_users() const {
    std::vector<std::vector<std::size_t>> users = no_users();
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      for (const auto* ids : {&graph_.nodes[n].inputs, &graph_.nodes[n].outputs}) {
        for (const TensorId id : *ids) {
          if (id == kNoTensor) continue;
          std::vector<std::size_t>& list = users[static_cast<std::size_t>(id)];
          if (list.empty() || list.back() != n) list.push_back(n);
        }
      }
    }
    return users;
  }

  /// Checks of operations rely on their tensors: not of those whose tensors are wrong.
  void check_nodes() {
    std::vector<bool> is_wrong(graph_.nodes.size(), false);
    for (const GraphProblem& problem : problems_) {
      for (const std::size_t n : problem.nodes) is_wrong[n] = true;
    }
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (is_wrong[n]) continue;
      std::vector<Problem> found;
      NodeCheck(graph_, graph_.nodes[n], found).run();
      for (Problem& problem : found) problems_.push_back({std::move(problem), {n}});
    }
  }

  void check_tensor(const Tensor& tensor) {
    const std::string place = "tensor \"" + tensor.name + "\"";
    if (tensor.name.empty()) report(place, "", "a name");
    if (!names_.insert(tensor.name).second) report(place, "a name used twice", "a name of its own");
    const std::int64_t count = checked_element_count(tensor.shape);
    if (count < 0) {
      report(place, "shape " + to_string(tensor.shape),
             "dimensions of at least 1 and at most " + std::to_string(kMaxTensorElements) + " elements");
    } else if (tensor.data) {
      check_data(place, tensor, count);
    }
    if (tensor.quantization) check_quantization(place, tensor);
    if (!tensor.model_axes.empty()) check_model_axes(place, tensor);
  }

  /// Different dimensions of the shape; what they leave out has one element.
  void check_model_axes(const std::string& place, const Tensor& tensor) {
    std::vector<bool> used(tensor.shape.size(), false);
    for (const int axis : tensor.model_axes) {
      const bool fits = axis >= 0 && static_cast<std::size_t>(axis) < used.size();
      if (!fits || used[static_cast<std::size_t>(axis)]) {
        return report(place, "axis " + std::to_string(axis) + " of the model's layout",
                      "each dimension of shape " + to_string(tensor.shape) + " at most once");
      }
      used[static_cast<std::size_t>(axis)] = true;
    }
    for (std::size_t d = 0; d < used.size(); ++d) {
      if (used[d] || tensor.shape[d] == 1) continue;
      report(place, "a layout of the model without dimension " + std::to_string(d),
             "all dimensions of more than one element of shape " + to_string(tensor.shape));
    }
  }

  void check_data(const std::string& place, const Tensor& tensor, std::int64_t count) {
    const TensorData& data = *tensor.data;
    const std::int64_t expected_bytes = count * static_cast<std::int64_t>(element_size_bytes(tensor.type));
    if (data.type != tensor.type || data.shape != tensor.shape) {
      report(place, std::string(element_type_name(data.type)) + " data of shape " + to_string(data.shape),
             std::string(element_type_name(tensor.type)) + " data of shape " + to_string(tensor.shape));
    } else if (static_cast<std::int64_t>(data.bytes.size()) != expected_bytes) {
      report(place, std::to_string(data.bytes.size()) + " bytes of data",
             std::to_string(expected_bytes) + " bytes");
    } else if (tensor.quantization && tensor.quantization->bits <= 32 && !tensor.is_float()) {
      check_values(place, data, tensor.quantization->format());
    }
  }

  /// One signed bit stands for -1 and 1.
  void check_values(const std::string& place, const TensorData& data, IntegerFormat format) {
    const auto type_bits = static_cast<int>(8 * element_size_bytes(data.type));
    if (format.bits >= type_bits) return;  // Every value of the type is inside.
    const bool is_binary = format.bits == 1 && format.is_signed;
    for (std::int64_t i = 0; i < data.size(); ++i) {
      const std::int64_t value = data.at(i);
      if (is_binary ? value == 1 || value == -1 : value >= format.min() && value <= format.max()) continue;
      const std::string range = std::to_string(format.min()) + " to " + std::to_string(format.max()) + " (" +
                                std::to_string(format.bits) + " bits)";
      report(place + " element " + std::to_string(i), std::to_string(value),
             is_binary ? "-1 or 1 (1 bit)" : range);
      return;
    }
  }

  void check_quantization(const std::string& place, const Tensor& tensor) {
    const Quantization& q = *tensor.quantization;
    const auto type_bits = static_cast<int>(8 * element_size_bytes(tensor.type));
    const bool type_is_signed = tensor.type != ElementType::u8 && tensor.type != ElementType::u16;
    if (tensor.is_float()) return report(place, "quantization of a float tensor", "none");
    if (q.bits < 1 || q.bits > type_bits || q.is_signed != type_is_signed) {
      return report(place, std::to_string(q.bits) + (q.is_signed ? " signed bits" : " unsigned bits"),
                    "1 to " + std::to_string(type_bits) + (type_is_signed ? " signed" : " unsigned") +
                        " bits, as the element type " + element_type_name(tensor.type) + " holds them");
    }
    if (q.block_size != 0 && !check_blocks(place, tensor, q)) return;
    if (q.has_groups() ? !check_groups(place, tensor, q) : !check_no_groups(place, q)) return;
    check_scales(place, tensor, q);
  }

  bool check_blocks(const std::string& place, const Tensor& tensor, const Quantization& q) {
    const bool is_mxint8 = q.block_size == arithmetic::kMxBlock && q.bits == 8 && q.is_signed &&
                           !q.has_groups() && !tensor.shape.empty();
    if (is_mxint8 && arithmetic::mx_channels(tensor.shape.back()) > 0) return true;
    report(place, "blocks of " + std::to_string(q.block_size) + " in shape " + to_string(tensor.shape),
           "MXINT8: blocks of 32 signed bytes, each with an exponent behind it");
    return false;
  }

  bool check_no_groups(const std::string& place, const Quantization& q) {
    if (q.group_size == 0 && q.group_multipliers.empty()) return true;
    report(place,
           q.group_size < 0 ? "group_size " + std::to_string(q.group_size)
                            : std::to_string(q.group_multipliers.size()) + " multipliers of groups",
           q.group_size < 0 ? "0 (no groups), or the channels of a group" : "group_size above 0");
    return false;
  }

  bool check_groups(const std::string& place, const Tensor& tensor, const Quantization& q) {
    const std::int64_t channels = tensor.shape.empty() ? 0 : tensor.shape.back();
    const std::string size = "group_size " + std::to_string(q.group_size);
    if (!tensor.is_constant() || tensor.shape.size() < 2 || q.bits > 16) {
      report(place, size, "no groups (0)", "groups are of the weights of layers on the MAC array alone");
      return false;
    }
    if (channels < 1 || channels % q.group_size != 0) {
      report(place, size, "a divisor of the " + std::to_string(channels) + " input channels of a kernel tap",
             "groups run along the channels within a tap, and none may be shorter than the others: choose "
             "another size, or one scale a channel (0)");
      return false;
    }
    const auto groups = static_cast<std::size_t>(element_count(tensor.shape) / q.group_size);
    if (q.axis != 0 || q.group_multipliers.size() != groups) {
      report(place, std::to_string(q.group_multipliers.size()) + " multipliers of groups",
             std::to_string(groups) + ", one a group, beside scales along axis 0");
      return false;
    }
    const auto wrong = std::find_if(q.group_multipliers.begin(), q.group_multipliers.end(),
                                    [](std::int32_t m) { return m < 1 || m > kMaxGroupMultiplier; });
    if (wrong == q.group_multipliers.end()) return true;
    report(place, "multiplier " + std::to_string(*wrong) + " of a group",
           "1 to " + std::to_string(kMaxGroupMultiplier));
    return false;
  }

  void check_scales(const std::string& place, const Tensor& tensor, const Quantization& q) {
    const auto rank = static_cast<int>(tensor.shape.size());
    std::size_t slices = 1;
    if (q.axis < -1 || q.axis >= rank) {
      return report(place, "quantization axis " + std::to_string(q.axis),
                    "-1 to " + std::to_string(rank - 1));
    }
    if (q.axis >= 0) slices = static_cast<std::size_t>(tensor.shape[static_cast<std::size_t>(q.axis)]);
    if (q.scales.size() != 1 && q.scales.size() != slices) {
      return report(place, std::to_string(q.scales.size()) + " scales",
                    slices == 1 ? "1" : "1 or " + std::to_string(slices) + ", one a slice of the axis");
    }
    const std::size_t counted = q.has_groups() ? q.group_multipliers.size() : q.scales.size();
    if (q.zero_points.size() != 1 && q.zero_points.size() != counted) {
      return report(
          place, std::to_string(q.zero_points.size()) + " zero points",
          "1 or " + std::to_string(counted) + ", as many as " + (q.has_groups() ? "groups" : "scales"));
    }
    // A bias has a scale, but nothing is computed with it.
    const bool is_used = q.bits <= 16;
    for (const float scale : q.scales) {
      if (is_used ? scale >= kMinScale && scale <= kMaxScale : std::isfinite(scale) && scale > 0.0F) continue;
      return report(place, fmt::format("scale {:g}", scale),
                    is_used ? fmt::format("a finite number above 0, from {:g} to {:g}", kMinScale, kMaxScale)
                            : "a finite number above 0",
                    "scales of real networks lie between a millionth and a thousand");
    }
    if (q.bits > 32) return;
    const IntegerFormat format = q.format();
    for (const std::int32_t zero_point : q.zero_points) {
      if (zero_point >= format.min() && zero_point <= format.max()) continue;
      return report(place, "zero point " + std::to_string(zero_point),
                    std::to_string(format.min()) + " to " + std::to_string(format.max()));
    }
  }

  [[nodiscard]] bool in_range(TensorId id) const {
    return id >= 0 && static_cast<std::size_t>(id) < graph_.tensors.size();
  }

  void check_ids() {
    const std::string range = "0 to " + std::to_string(static_cast<std::int64_t>(graph_.tensors.size()) - 1);
    const auto check_list = [&](const std::vector<TensorId>& ids, const std::string& place, bool optional) {
      for (const TensorId id : ids) {
        if (in_range(id) || (optional && id == kNoTensor)) continue;
        report(place, "tensor index " + std::to_string(id), range);
      }
    };
    for (const Node& node : graph_.nodes) {
      check_list(node.inputs, node.place + " inputs", true);
      check_list(node.outputs, node.place + " outputs", false);
    }
    check_list(graph_.inputs, "graph inputs", false);
    check_list(graph_.outputs, "graph outputs", false);
    if (graph_.outputs.empty()) report("graph outputs", "none", "at least one");
  }

  /// Every tensor has at most one source, and it has its value before it is used (so that there is no cycle).
  void check_order() {
    std::vector<bool> has_value(graph_.tensors.size(), false);
    const auto provide = [&](TensorId id, const std::string& place) {
      const auto index = static_cast<std::size_t>(id);
      if (has_value[index]) {
        report(place, "tensor \"" + graph_.tensor(id).name + "\", which has a value already",
               "one source of each tensor");
      }
      has_value[index] = true;
    };
    const auto require = [&](TensorId id, const std::string& place) {
      if (id == kNoTensor || has_value[static_cast<std::size_t>(id)]) return;
      report(place, "tensor \"" + graph_.tensor(id).name + "\", which has no value there",
             "a constant, a graph input or the output of an earlier operation");
    };
    for (std::size_t i = 0; i < graph_.tensors.size(); ++i) has_value[i] = graph_.tensors[i].is_constant();
    for (const TensorId id : graph_.inputs) provide(id, "graph inputs");
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      const Node& node = graph_.nodes[n];
      nodes_ = {n};
      for (const TensorId id : node.inputs) require(id, node.place + " inputs");
      for (const TensorId id : node.outputs) provide(id, node.place + " outputs");
    }
    nodes_.clear();
    for (const TensorId id : graph_.outputs) require(id, "graph outputs");
  }

  const Graph& graph_;
  std::set<std::string> names_;
  std::vector<std::size_t> nodes_;  ///< Those that the next problem stops.
  std::vector<GraphProblem> problems_;
};

}  // namespace

std::int64_t checked_element_count(const Shape& shape) {
  const std::int64_t count = checked_product(shape, kMaxTensorElements).value_or(-1);
  return count > 0 ? count : -1;
}

std::vector<GraphProblem> find_graph_problems(const Graph& graph) {
  return GraphChecker(graph).check();
}

void validate(const Graph& graph) {
  std::vector<Problem> problems;
  for (GraphProblem& found : find_graph_problems(graph)) problems.push_back(std::move(found.problem));
  if (!problems.empty()) throw InputError(std::move(problems));
}

}  // namespace qsim

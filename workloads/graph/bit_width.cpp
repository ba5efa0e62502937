#include "workloads/graph/bit_width.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "base/json_reader.h"
#include "workloads/graph/requantize_tensor.h"
#include "workloads/ops/definition.h"

namespace qsim {
namespace {

bool has_weights(const Node& node) {
  return definition(node.op).has_weights;
}

/// Operands that share their integers with the output.
std::size_t shared_operands(const Graph& graph, const Node& node) {
  if (!keeps_integers(node.op, graph.semantics)) return 0;
  return output_grid(node.op, graph.semantics) == OutputGrid::compared ? 2 : 1;
}

bool fixes_output_scale(const Graph& graph, const Node& node) {
  return graph.semantics == Semantics::tflite && value_range(node.op).has_value();
}

class BitWidthPass {
 public:
  BitWidthPass(Graph& graph, const BitWidthOptions& options) : graph_(graph), options_(options) {}

  void run() {
    check_names();
    check_widths(options_.all, "--weight-bits, --activation-bits");
    for (const Node& node : graph_.nodes) check_widths(own_widths(node), node.name);
    check_quantizers();
    if (!problems_.empty()) throw InputError(problems_);
    group_tensors();
    plan_activations();
    pin_fixed_formats();
    plan_weights();
    if (!problems_.empty()) throw InputError(problems_);
    apply();
    describe();
  }

 private:
  [[nodiscard]] BitWidths own_widths(const Node& node) const {
    const auto found = options_.nodes.find(node.name);
    return found == options_.nodes.end() ? BitWidths{} : found->second;
  }

  void report(std::string place, std::string value, std::string expected, std::string hint = {}) {
    const std::string file = options_.nodes_file.empty() ? graph_.source : options_.nodes_file;
    problems_.push_back({file, std::move(place), std::move(value), std::move(expected), std::move(hint)});
  }

  void check_names() {
    std::vector<std::string> names;
    for (const Node& node : graph_.nodes) names.push_back(node.name);
    const std::set<std::string> known(names.begin(), names.end());
    std::map<std::string, BitWidths> sorted(options_.nodes.begin(), options_.nodes.end());
    for (const auto& [name, widths] : sorted) {
      if (known.contains(name)) continue;
      const std::string nearest = nearest_name(name, names);
      report(name, {}, "the name of a node of " + graph_.source,
             nearest.empty() ? "a report lists them in layers[].nodes" : "did you mean \"" + nearest + "\"?");
    }
  }

  void check_widths(const BitWidths& widths, const std::string& place) {
    for (const std::optional<int>& bits : {widths.weights, widths.activations}) {
      if (bits && (*bits < 1 || *bits > 16)) report(place, std::to_string(*bits), "1 to 16 bits");
    }
  }

  /// Factors and summands before a quantizer of QONNX belong to the scales that the network was trained with.
  void check_quantizers() {
    for (const Node& node : graph_.nodes) {
      if (!node.requantization) continue;
      report(node.name, "another width", "the trained widths of a network with quantizers of QONNX",
             "leave out widths, or train the network for them");
      return;
    }
  }

  /// Representative of the tensors that share their integers.
  TensorId group_of(TensorId id) {
    auto& parent = group_[static_cast<std::size_t>(id)];
    return parent == id ? id : parent = group_of(parent);
  }

  void group_tensors() {
    group_.resize(graph_.tensors.size());
    std::iota(group_.begin(), group_.end(), 0);
    for (const Node& node : graph_.nodes) {
      for (std::size_t i = 0; i < shared_operands(graph_, node); ++i) {
        group_[static_cast<std::size_t>(group_of(node.inputs[i]))] = group_of(node.outputs[0]);
      }
    }
  }

  void want(TensorId id, std::optional<int> bits, const std::string& place) {
    const std::optional<Quantization>& q = graph_.tensor(id).quantization;
    if (!bits || !q || q->bits == 32) return;  // Accumulators keep their width.
    if (*bits == q->bits && (!options_.grid || graph_.tensor(id).is_constant())) return;
    if (*bits == 1 && q->is_signed && !options_.grid) {
      report(place, "1", "2 to 16 bits for signed activations",
             "one bit needs unsigned activations, or the range of the values");
      return;
    }
    const auto [found, first] = wanted_.emplace(group_of(id), *bits);
    if (!first && found->second != *bits) {
      report(
          place, std::to_string(*bits),
          std::to_string(found->second) + " bits for \"" + graph_.tensor(id).name + "\", as asked for before",
          "a tensor has one width");
    }
  }

  void plan_activations() {
    for (const TensorId id : graph_.inputs) want(id, options_.all.activations, "--activation-bits");
    for (const Node& node : graph_.nodes) {
      const BitWidths own = own_widths(node);
      if (shared_operands(graph_, node) > 0) {
        if (own.activations) {
          report(node.name, std::to_string(*own.activations),
                 "no activation width for a node that keeps its input's integers",
                 "set it at the node that computes them");
        }
        continue;
      }
      const std::string place = own.activations ? node.name : "--activation-bits";
      const std::optional<int> bits = own.activations ? own.activations : options_.all.activations;
      if (definition(node.op).constants_are_activations) {
        for (const TensorId id : node.inputs) {
          if (graph_.tensor(id).is_constant()) want(id, bits, place);
        }
      }
      want(node.outputs[0], bits, place);
    }
  }

  void pin(TensorId id) {
    const auto found = wanted_.find(group_of(id));
    if (found == wanted_.end()) return;
    wanted_.erase(found);
    pinned_.insert(graph_.tensor(id).name);
  }

  void pin_fixed_formats() {
    for (const Node& node : graph_.nodes) {
      if (!fixes_output_scale(graph_, node)) continue;
      pin(node.outputs[0]);
      const TensorId x = node.inputs[0];
      const auto found = wanted_.find(group_of(x));
      const bool crosses =
          found != wanted_.end() && (found->second > 8) != (graph_.tensor(x).quantization->bits > 8);
      if (crosses) pin(x);
    }
    // TFLite's 16-bit concatenation copies integers whatever their scales.
    for (const Node& node : graph_.nodes) {
      if (!definition(node.op).copies_wide_integers || graph_.semantics != Semantics::tflite) continue;
      const std::set<TensorId> inputs(node.inputs.begin(), node.inputs.end());
      for (const TensorId id : inputs) check_concatenation(node, id);
    }
  }

  void check_concatenation(const Node& node, TensorId id) {
    const Quantization x = planned(id);
    const Quantization y = planned(node.outputs[0]);
    const bool equal = x.bits == y.bits && x.scale() == y.scale() && x.zero_point() == y.zero_point();
    if (x.bits > 8 && !equal) {
      report(node.name, std::to_string(x.bits) + " bits of \"" + graph_.tensor(id).name + "\"",
             "at most 8 bits, or inputs and output of one scale and width",
             "TFLite copies wider integers whatever their scales");
    }
  }

  [[nodiscard]] Quantization planned(TensorId id) {
    const Quantization& q = *graph_.tensor(id).quantization;
    const auto found = wanted_.find(group_of(id));
    return found == wanted_.end() ? q : grid_at(q, found->second);
  }

  [[nodiscard]] Quantization grid_at(const Quantization& q, int bits) const {
    return options_.grid ? options_.grid(q, bits) : at_width(q, bits);
  }

  void plan_weights() {
    std::map<TensorId, const Node*> users;
    for (const Node& node : graph_.nodes) {
      const BitWidths own = own_widths(node);
      if (!has_weights(node)) {
        if (own.weights)
          report(node.name, std::to_string(*own.weights), "no weight width: the node has no weights");
        continue;
      }
      const TensorId id = node.inputs[1];
      const std::optional<int> bits = own.weights ? own.weights : options_.all.weights;
      const int resulting = bits.value_or(graph_.tensor(id).quantization->bits);
      const auto [user, first] = users.emplace(id, &node);
      const auto [width, inserted] = weight_bits_.emplace(id, resulting);
      if (!first && !inserted && width->second != resulting) {
        report(node.name, std::to_string(resulting),
               std::to_string(width->second) + " bits, as node \"" + user->second->name +
                   "\" has, which uses the same weights");
      }
    }
  }

  void apply() {
    std::map<TensorId, Quantization> old_weights, old_inputs;
    for (const Node& node : graph_.nodes) {
      if (!has_weights(node)) continue;
      old_weights.emplace(node.inputs[1], *graph_.tensor(node.inputs[1]).quantization);
      old_inputs.emplace(node.inputs[0], *graph_.tensor(node.inputs[0]).quantization);
    }
    apply_activations();
    for (const auto& [id, bits] : weight_bits_) {
      Tensor& weights = graph_.tensor(id);
      if (bits == weights.quantization->bits) continue;
      bits == 1 ? binarize_weights(weights) : requantize_constant(weights, bits);
      ++changed_weights_[bits];
    }
    std::set<TensorId> done;
    for (const Node& node : graph_.nodes) {
      if (has_weights(node) && node.inputs.size() > 2 && node.inputs[2] != kNoTensor) {
        apply_bias(node, old_inputs.at(node.inputs[0]), old_weights.at(node.inputs[1]), done);
      }
    }
  }

  void apply_activations() {
    for (Node& node : graph_.nodes) {
      const auto requantize = definition(node.op).requantize;
      const TensorId x = node.inputs[0];
      if (requantize == nullptr || !graph_.tensor(x).quantization) continue;
      requantize(node.op, *graph_.tensor(x).quantization, planned(x));
    }
    for (std::size_t i = 0; i < graph_.tensors.size(); ++i) {
      Tensor& tensor = graph_.tensors[i];
      const auto found = wanted_.find(group_of(static_cast<TensorId>(i)));
      if (found == wanted_.end() || !tensor.quantization) continue;
      if (!options_.grid || tensor.quantization->bits != found->second) ++changed_activations_[found->second];
      if (tensor.is_constant()) {
        requantize_constant(tensor, found->second);
        continue;
      }
      tensor.quantization = grid_at(*tensor.quantization, found->second);
      tensor.type = smallest_element_type(found->second, tensor.quantization->is_signed);
    }
  }

  void apply_bias(const Node& node, const Quantization& old_x, const Quantization& old_w,
                  std::set<TensorId>& done) {
    const Quantization& x = *graph_.tensor(node.inputs[0]).quantization;
    const Quantization& w = *graph_.tensor(node.inputs[1]).quantization;
    std::vector<double> ratios;
    bool changes = false;
    for (std::size_t n = 0; n < w.scales.size(); ++n) {
      const auto channel = static_cast<std::int64_t>(n);
      const double before = static_cast<double>(old_x.scale()) * static_cast<double>(old_w.scale(channel));
      const double after = static_cast<double>(x.scale()) * static_cast<double>(w.scale(channel));
      ratios.push_back(before / after);
      changes = changes || before != after;
    }
    if (!changes) return;
    if (!done.insert(node.inputs[2]).second) {
      throw InputError(Problem{graph_.source,
                               node.name,
                               {},
                               "a bias of its own",
                               "a bias that several nodes share cannot be rescaled for each of them"});
    }
    rescale_bias(graph_.tensor(node.inputs[2]), ratios);
  }

  void describe() {
    const auto line = [&](const std::string& what, const std::map<int, int>& counts,
                          const std::string& formula) {
      for (const auto& [bits, count] : counts) {
        graph_.provenance.push_back(what + " requantized to " + std::to_string(bits) +
                                    (bits == 1 ? " bit" : " bits") + " (" + std::to_string(count) +
                                    (count == 1 ? " tensor): " : " tensors): ") +
                                    (bits == 1 && what == "weights" ? "q' = +-1, s' = s*mean|q|" : formula) +
                                    "; biases rescaled to s_x*s'");
      }
    };
    line("weights", changed_weights_, "q' = clamp(rne(q*p'/p)), s' = s*p/p'");
    line("activations", changed_activations_,
         options_.grid ? "s' and z' of the old range" : "s' = s*p/p', z' = clamp(rne(z*p'/p))");
    if (pinned_.empty()) return;
    std::string names;
    for (const std::string& name : pinned_) names += (names.empty() ? "" : ", ") + name;
    graph_.provenance.push_back("activation widths kept where the operation's arithmetic fixes the format: " +
                                names);
  }

  Graph& graph_;
  const BitWidthOptions& options_;
  std::vector<Problem> problems_;
  std::vector<TensorId> group_;
  std::map<TensorId, int> wanted_;  ///< New activation width by group.
  std::map<TensorId, int> weight_bits_;
  std::set<std::string> pinned_;
  std::map<int, int> changed_weights_, changed_activations_;  ///< Tensors by new width.
};

}  // namespace

void apply_bit_widths(Graph& graph, const BitWidthOptions& options) {
  BitWidthPass(graph, options).run();
}

std::unordered_map<std::string, BitWidths> read_bit_widths(const std::string& path) {
  const nlohmann::ordered_json json = parse_json_file(path);
  ProblemList problems(path, "qsim --help has an example");
  const JsonObject root(json, "", problems);
  std::unordered_map<std::string, BitWidths> nodes;
  for (const auto& member : root.json().items()) {
    JsonObject object(member.value(), member.key(), problems);
    BitWidths widths;
    if (object.has("weights")) widths.weights = static_cast<int>(object.integer("weights", 1, 16));
    if (object.has("activations"))
      widths.activations = static_cast<int>(object.integer("activations", 1, 16));
    for (const char* key : {"weights", "activations"}) (void)object.raw(key);
    object.finish();
    nodes[member.key()] = widths;
  }
  problems.throw_if_any();
  return nodes;
}

}  // namespace qsim

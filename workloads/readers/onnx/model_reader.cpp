#include "workloads/readers/onnx/model_reader.h"

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "workloads/graph/graph_check.h"
#include "workloads/readers/onnx/constant_operands.h"
#include "workloads/readers/onnx/double_pairs.h"
#include "workloads/readers/onnx/fold_functions.h"
#include "workloads/readers/onnx/given_constants.h"
#include "workloads/readers/onnx/qonnx_clip_form.h"
#include "workloads/readers/onnx/qonnx_quantizer.h"
#include "workloads/readers/onnx/read_operator.h"

namespace qsim::onnx_format {
namespace {

using Kind = NodeOutcome::Kind;

class ModelReader {
 public:
  ModelReader(const OnnxModel& model, const ReadOptions& options)
      : model_(model), options_(options), links_(model), builder_(links_, reading_.graph) {
    reading_.graph.source = model.file;
    reading_.graph.name = std::filesystem::path(model.file).stem().string();
    reading_.graph.semantics = Semantics::onnx;
    reading_.nodes.resize(model.nodes.size());
    done_.resize(model.nodes.size(), false);
    has_own_.resize(model.nodes.size(), false);
  }

  ModelReading read() {
    builder_.add_initializers();
    add_given_constants();
    // Constants first: scales and shapes may come from nodes that stand behind their users.
    for (const std::size_t index : links_.order()) {
      const std::vector<std::string>& inputs = model_.nodes[index].inputs;
      const bool is_constant = std::all_of(inputs.begin(), inputs.end(), [&](const std::string& input) {
        return input.empty() || builder_.is_constant(input);
      });
      if (is_constant) collect(index, [&] { fold(index); });
    }
    add_inputs();
    for (const std::size_t index : links_.order()) {
      if (!done_[index]) collect(index, [&] { convert(index); });
    }
    add_outputs();
    note_merged();
    note_dequantizations();
    reading_.problems.insert(reading_.problems.begin(), links_.opset_problems().begin(),
                             links_.opset_problems().end());
    return std::move(reading_);
  }

 private:
  /// Problems of one node stay with it; what it makes is then unknown, and the nodes behind it are hidden.
  template <typename Action>
  void collect(std::size_t index, const Action& action) {
    const std::size_t before = reading_.graph.nodes.size();
    NodeOutcome& outcome = reading_.nodes[index];
    try {
      action();
    } catch (const InputError& error) {
      outcome.kind = Kind::refused;
      outcome.problems = error.problems();
      done_[index] = true;
    }
    claim(index, before);
  }

  /// Gives the graph's new nodes to the nodes of the model that they come from: not only `index`, but also a
  /// DequantizeLinear that is wanted only now, or the QuantizeLinear of a group.
  void claim(std::size_t index, std::size_t before) {
    for (std::size_t n = before; n < reading_.graph.nodes.size(); ++n) {
      const NodeSource& source = builder_.sources()[n];
      NodeOutcome& outcome = reading_.nodes[source.index];
      const bool is_first = source.is_own && !has_own_[source.index];
      if (is_first) has_own_[source.index] = true;
      outcome.graph_nodes.insert(is_first ? outcome.graph_nodes.begin() : outcome.graph_nodes.end(), n);
      if (source.index != index) outcome.kind = Kind::converted;
    }
  }

  void fold(std::size_t index) {
    const OnnxNode& node = model_.nodes[index];
    if (is_dequantize(node) || is_qonnx_quantizer(node)) {
      read_operator(builder_, index);
      finish(index, Kind::folded);
      return;
    }
    if (move_dequantized(index)) return finish(index, Kind::folded);
    const Attributes attributes(node, model_.file);
    FoldRequest request{node, model_.file, attributes, links_.opset(), {}};
    for (const std::string& input : node.inputs)
      request.inputs.push_back(input.empty() ? nullptr : builder_.constant(input));
    std::optional<OnnxTensor> value = fold_node(request);
    if (!value) return;  // Another operator on constants; convert() has its say.
    attributes.finish();
    builder_.add_constant(node.outputs.front(), std::move(*value));
    finish(index, Kind::folded);
  }

  /// Transpose of a dequantized constant: of its integers, so that a group may still have them as weights.
  bool move_dequantized(std::size_t index) {
    const OnnxNode& node = model_.nodes[index];
    const OperatorRow* row = find_operator(node);
    if (row == nullptr || row->fold != fold_transpose || node.inputs.size() != 1) return false;
    const std::optional<Operand> source = builder_.info(node.inputs.front()).dequantized;
    if (!source || !source->quantization) return false;
    const OnnxTensor& integers = *builder_.constant(source->value);
    const Attributes attributes(node, model_.file);
    FoldRequest request{node, model_.file, attributes, links_.opset(), {&integers}};
    OnnxTensor moved = *fold_node(request);
    attributes.finish();
    Operand operand{source->value + "#" + node.outputs.front(), source->quantization};
    if (operand.quantization->axis >= 0) {
      std::vector<std::int64_t> permutation(integers.shape.size());
      std::iota(permutation.rbegin(), permutation.rend(), 0);
      permutation = attributes.integers("perm").value_or(permutation);
      const auto at = std::find(permutation.begin(), permutation.end(), operand.quantization->axis);
      operand.quantization->axis = static_cast<int>(at - permutation.begin());
    }
    builder_.add_constant(operand.value, std::move(moved));
    builder_.add_dequantized(node.outputs.front(), operand, index);
    return true;
  }

  void convert(std::size_t index) {
    const OnnxNode& node = model_.nodes[index];
    const bool known = std::all_of(node.inputs.begin(), node.inputs.end(), [&](const std::string& input) {
      return input.empty() || builder_.is_known(input);
    });
    if (!known) {
      require_known(builder_, node);
      return;
    }
    if (fold_shape(node)) return finish(index, Kind::folded);
    fold_again(index);
    if (done_[index]) return;
    const std::vector<std::size_t> absorbed = read_operator(builder_, index);
    finish(index, Kind::converted);
    for (const std::size_t member : absorbed) {
      done_[member] = true;
      reading_.nodes[member].kind = Kind::absorbed;
      reading_.nodes[member].remarks.push_back("part of " + node.op_type + " \"" + node.name + "\"");
    }
  }

  /// Inputs may have become constants by Shape.
  void fold_again(std::size_t index) {
    const std::vector<std::string>& inputs = model_.nodes[index].inputs;
    const bool is_constant = std::all_of(inputs.begin(), inputs.end(), [&](const std::string& input) {
      return input.empty() || builder_.is_constant(input);
    });
    if (is_constant) fold(index);
  }

  bool fold_shape(const OnnxNode& node) {
    const OperatorRow* row = find_operator(node);
    if (row == nullptr || row->fold_shape == nullptr) return false;
    if (node.inputs.size() != 1 || node.inputs.front().empty()) return false;
    const Attributes attributes(node, model_.file);
    OnnxTensor value = row->fold_shape(attributes, builder_.info(node.inputs.front()).shape);
    attributes.finish();
    builder_.add_constant(node.outputs.front(), std::move(value));
    return true;
  }

  void finish(std::size_t index, Kind kind) {
    done_[index] = true;
    NodeOutcome& outcome = reading_.nodes[index];
    outcome.kind = kind;
    if (kind == Kind::folded) outcome.remarks.emplace_back("a constant when reading");
  }

  void report(const std::string& place, const std::string& value, const std::string& expected,
              const std::string& hint) {
    reading_.problems.push_back({model_.file, place, value, expected, hint});
  }

  /// Inputs that have to be known, with the values that the caller gives.
  void add_given_constants() {
    for (const OnnxValue* input : links_.inputs()) {
      const auto given = options_.arrays.find(input->name);
      if (given == options_.arrays.end() || !is_parameter(links_, input->name)) continue;
      builder_.add_constant(input->name, read_given_constant(*input, given->second));
      reading_.graph.constant_inputs.push_back(input->name);
      reading_.graph.provenance.push_back("input \"" + input->name + "\" is a constant: " +
                                          std::filesystem::path(given->second).filename().string());
    }
  }

  void add_inputs() {
    for (const auto& [name, shape] : options_.shapes) {
      const bool is_input =
          std::any_of(links_.inputs().begin(), links_.inputs().end(),
                      [&, wanted = name](const OnnxValue* input) { return input->name == wanted; });
      if (is_input) continue;
      std::string names;
      for (const OnnxValue* input : links_.inputs()) names += (names.empty() ? "" : ", ") + input->name;
      throw InputError(
          Problem{"--shape", name, "a name that no input has", "one of " + names, "check the name"});
    }
    for (const OnnxValue* input : links_.inputs()) {
      if (!builder_.is_constant(input->name)) add_input(*input);
    }
  }

  void add_input(const OnnxValue& input) {
    const std::string place = "graph input \"" + input.name + "\"";
    const std::optional<Shape> shape = input_shape(input, place);
    if (!shape) return;
    const int bits = onnx_integer_bits(input.type);
    if (input.type != OnnxType::float32 && (bits == 0 || bits > 16)) {
      report(place, onnx_type_name(input.type), "FLOAT or integers of at most 16 bits",
             "make it an initializer where it is a constant, or convert the model to float32");
      return;
    }
    if (checked_element_count(*shape) < 0) {
      report(place, "shape " + to_string(*shape),
             "dimensions of at least 1 and at most " + std::to_string(kMaxTensorElements) + " elements",
             "fix it with --shape " + input.name + "=1,3,224,224");
      return;
    }
    std::optional<Quantization> quantization;
    try {
      if (bits != 0) {
        quantization = builder_.stated_quantization(input.name, input.type, *shape);
        if (!quantization) quantization = Quantization{bits, onnx_is_signed(input.type), {1.0F}, {0}, -1, 0};
      }
    } catch (const InputError& error) {
      reading_.problems.insert(reading_.problems.end(), error.problems().begin(), error.problems().end());
      return;
    }
    const DimensionOrder order = builder_.wants_channels_last(input.name)
                                     ? DimensionOrder::channels_last(shape->size())
                                     : DimensionOrder::plain(shape->size());
    builder_.add_input(input.name, input.type, *shape, quantization, order);
  }

  /// The declared shape with sizes in its open dimensions: --shape's, those that --shape gives another
  /// dimension of the same name, and 1 for a first one.
  std::optional<Shape> input_shape(const OnnxValue& input, const std::string& place) {
    const auto given = options_.shapes.find(input.name);
    const std::string option = "--shape " + input.name + "=";
    if (!input.shape) {
      if (given != options_.shapes.end()) return given->second;
      report(place, "no shape", "a shape", "give it with " + option + "1,3,224,224");
      return std::nullopt;
    }
    if (given != options_.shapes.end()) return given_shape(input, given->second);
    Shape shape;
    for (std::size_t d = 0; d < input.shape->size(); ++d) {
      const std::optional<std::int64_t> size = dimension_size((*input.shape)[d], d == 0);
      if (!size) {
        report(place, "open dimensions [" + declared_shape(input) + "]", "a size for each",
               "fix them, as in " + option + example_shape(input));
        return std::nullopt;
      }
      shape.push_back(*size);
    }
    note_open_batch(input);
    return shape;
  }

  [[nodiscard]] std::optional<std::int64_t> dimension_size(const OnnxDimension& dimension,
                                                           bool is_first) const {
    if (const auto* size = std::get_if<std::int64_t>(&dimension)) return *size;
    const auto& name = std::get<std::string>(dimension);
    if (const std::optional<std::int64_t> size = named_size(name)) return size;
    return is_first ? std::optional<std::int64_t>(1) : std::nullopt;
  }

  /// The size of an open dimension of that name in a shape that --shape gives.
  [[nodiscard]] std::optional<std::int64_t> named_size(const std::string& name) const {
    if (name.empty()) return std::nullopt;
    for (const OnnxValue* input : links_.inputs()) {
      const auto given = options_.shapes.find(input->name);
      if (given == options_.shapes.end() || !input->shape || input->shape->size() != given->second.size())
        continue;
      for (std::size_t d = 0; d < input->shape->size(); ++d) {
        const auto* own = std::get_if<std::string>(&(*input->shape)[d]);
        if (own != nullptr && *own == name) return given->second[d];
      }
    }
    return std::nullopt;
  }

  void note_open_batch(const OnnxValue& input) {
    if (input.shape->empty()) return;
    const auto* name = std::get_if<std::string>(&input.shape->front());
    if (name == nullptr || named_size(*name)) return;
    reading_.graph.provenance.push_back("input \"" + input.name +
                                        "\" leaves its first dimension open: 1 of [" + declared_shape(input) +
                                        "]; --batch N or --shape takes more");
  }

  /// "N,3,?,224"
  static std::string declared_shape(const OnnxValue& input) {
    return shape_text(input, [](const std::string& name) { return name.empty() ? "?" : name; });
  }

  /// "1,3,1,224": a size in each open dimension.
  static std::string example_shape(const OnnxValue& input) {
    return shape_text(input, [](const std::string& /*name*/) { return std::string("1"); });
  }

  template <typename Open>
  static std::string shape_text(const OnnxValue& input, Open open) {
    std::string text;
    for (const OnnxDimension& dimension : *input.shape) {
      const auto* size = std::get_if<std::int64_t>(&dimension);
      text += text.empty() ? "" : ",";
      text += size != nullptr ? std::to_string(*size) : open(std::get<std::string>(dimension));
    }
    return text;
  }

  static Shape given_shape(const OnnxValue& input, const Shape& given) {
    bool fits = given.size() == input.shape->size();
    for (std::size_t d = 0; fits && d < given.size(); ++d) {
      const auto* size = std::get_if<std::int64_t>(&(*input.shape)[d]);
      fits = size == nullptr || *size == given[d];
    }
    if (fits) return given;
    throw InputError(Problem{"--shape", input.name, to_string(given),
                             "a shape that fits [" + declared_shape(input) + "]",
                             "as in --shape " + input.name + "=" + example_shape(input)});
  }

  void add_outputs() {
    for (const OnnxValue& output : model_.outputs) {
      const std::string place = "graph output \"" + output.name + "\"";
      if (!builder_.is_known(output.name)) continue;  // Whoever should make it has a problem.
      if (builder_.is_constant(output.name)) {
        report(place, "a constant", "a value that depends on the inputs",
               "leave the output out of the model");
        continue;
      }
      const std::size_t before = reading_.graph.nodes.size();
      const std::size_t producer = links_.producer(output.name).value_or(0);
      const NodeOrigin user{output.name, place, producer};
      const TensorId id = builder_.tensor({output.name, std::nullopt}, builder_.order_of(output.name), user);
      claim(producer, before);
      reading_.graph.outputs.push_back(id);
    }
  }

  void note_merged() {
    for (std::size_t i = 0; i < model_.nodes.size(); ++i) {
      if (!model_.nodes[i].merged_into) continue;
      reading_.nodes[i].kind = Kind::absorbed;
      const OnnxNode& target = model_.nodes[*model_.nodes[i].merged_into];
      reading_.nodes[i].remarks.push_back(
          "merged into " + target.name +
          (is_qonnx_quantizer(target) ? ": a quantizer of fewer bits"
                                      : ": two pairs of QuantizeLinear and DequantizeLinear are one"));
    }
  }

  /// DequantizeLinear nodes whose float nobody wanted.
  void note_dequantizations() {
    Graph& graph = reading_.graph;
    for (std::size_t i = 0; i < model_.nodes.size(); ++i) {
      NodeOutcome& outcome = reading_.nodes[i];
      const bool is_unused = outcome.kind == Kind::converted && outcome.graph_nodes.empty();
      if (is_unused) {
        outcome.kind = Kind::absorbed;
        outcome.remarks.emplace_back("read as part of the operators that use its value");
      }
      if (outcome.kind == Kind::folded || outcome.kind == Kind::absorbed)
        graph.folded_nodes.push_back(model_.nodes[i].name);
    }
  }

  const OnnxModel& model_;
  const ReadOptions& options_;
  ModelReading reading_;
  ModelGraph links_;
  GraphBuilder builder_;
  std::vector<bool> done_;
  std::vector<bool> has_own_;  ///< A node of the graph has the node's own name.
};

}  // namespace

ModelReading read_model(OnnxModel& model, const ReadOptions& options) {
  merge_double_pairs(model);
  merge_clip_form(model);
  return ModelReader(model, options).read();
}

}  // namespace qsim::onnx_format

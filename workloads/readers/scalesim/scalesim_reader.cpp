#include "workloads/readers/scalesim/scalesim_reader.h"

#include <cmath>
#include <filesystem>
#include <set>

#include "base/checked.h"
#include "workloads/graph/generator.h"
#include "workloads/readers/scalesim/scalesim_rows.h"
#include "workloads/readers/support_parts.h"
#include "workloads/readers/workload_format.h"

namespace qsim {
namespace {

constexpr std::uint64_t kSeed = 1;
constexpr std::int64_t kMaxElements = std::int64_t{1} << 30;
constexpr std::int64_t kMaxTensorBytes = std::int64_t{1} << 33;  ///< Of all tensors, a byte an element.
constexpr float kOperandScale = 1.0F / 128.0F;
/// Standard deviations: of a uniform int8, sqrt((256^2 - 1) / 12); of generated weights, 127 / 4; of outputs.
constexpr double kInputDeviation = 73.9;
constexpr double kWeightDeviation = 31.75;
constexpr double kOutputDeviation = 32.0;

/// Product of the extents, kMaxElements + 1 where it is larger.
std::int64_t elements(const Shape& shape) {
  return checked_product(shape, kMaxElements).value_or(kMaxElements + 1);
}

class TopologyGraph {
 public:
  explicit TopologyGraph(const std::string& path) : path_(path) {
    graph_.name = std::filesystem::path(path).stem().string();
    graph_.source = path;
    graph_.semantics = Semantics::tflite;
  }

  /// Adds a layer's tensors and node; where they are too large a problem instead.
  void add(ScalesimRow& row) {
    const ScalesimLayer& layer = *row.layer;
    const bool is_gemm = layer.form == ScalesimForm::gemm;
    const std::int64_t outputs =
        layer.is_depthwise ? elements({layer.channels, layer.filters}) : layer.filters;
    const std::int64_t depth_channels = layer.is_depthwise ? 1 : layer.channels;
    const Shape input = is_gemm ? Shape{layer.ifmap_height, layer.channels}
                                : Shape{1, layer.ifmap_height, layer.ifmap_width, layer.channels};
    const Shape weights = is_gemm ? Shape{outputs, layer.channels}
                                  : Shape{outputs, layer.filter_height, layer.filter_width, depth_channels};
    const Shape output = is_gemm ? Shape{layer.ifmap_height, outputs}
                                 : Shape{1, layer.output_height(), layer.output_width(), outputs};
    if (!check_sizes(row, {input, weights, output})) return;

    const std::string name = unused(row.name);
    const double depth = static_cast<double>(elements(weights)) / static_cast<double>(outputs);
    const auto output_scale =
        static_cast<float>(static_cast<double>(kOperandScale) * static_cast<double>(kOperandScale) *
                           std::sqrt(depth) * kInputDeviation * kWeightDeviation / kOutputDeviation);
    Node node;
    node.name = name;
    node.place = "line " + std::to_string(row.line);
    node.op = is_gemm ? Op{FullyConnectedOp{}} : Op{convolution(layer)};
    node.inputs = {add_tensor(name + ".input", input, kOperandScale),
                   add_tensor(name + ".weights", weights, kOperandScale), kNoTensor};
    node.outputs = {add_tensor(name, output, output_scale)};
    graph_.inputs.push_back(node.inputs[0]);
    graph_.outputs.push_back(node.outputs[0]);
    graph_.nodes.push_back(std::move(node));
  }

  /// Gives the weights their values.
  Graph take() {
    for (const Node& node : graph_.nodes) {
      Tensor& weights = graph_.tensor(node.inputs[1]);
      weights.data.emplace(ElementType::i8, weights.shape);
      const arithmetic::IntegerFormat format = weights.quantization->format();
      generate(WordGenerator(kSeed, weights.name), NormalValues{0, default_weight_deviation_256ths(format)},
               format, *weights.data);
    }
    return std::move(graph_);
  }

 private:
  bool check_sizes(ScalesimRow& row, const std::vector<Shape>& shapes) {
    const std::string place = "line " + std::to_string(row.line);
    for (const Shape& shape : shapes) {
      if (elements(shape) <= kMaxElements) continue;
      row.problems.push_back({path_, place, "a tensor of " + to_string(shape) + " elements",
                              "at most " + std::to_string(kMaxElements) + " elements",
                              "take a smaller layer"});
      return false;
    }
    for (const Shape& shape : shapes) bytes_ += elements(shape);
    if (bytes_ <= kMaxTensorBytes) return true;
    row.problems.push_back({path_, place, std::to_string(bytes_) + " bytes of tensors up to here",
                            "at most " + std::to_string(kMaxTensorBytes) + " bytes", "split the file"});
    return false;
  }

  static Conv2dOp convolution(const ScalesimLayer& layer) {
    Conv2dOp op;
    op.stride_h = layer.stride_height;
    op.stride_w = layer.stride_width;
    op.pad_bottom =
        (layer.output_height() - 1) * layer.stride_height + layer.filter_height - layer.ifmap_height;
    op.pad_right = (layer.output_width() - 1) * layer.stride_width + layer.filter_width - layer.ifmap_width;
    op.groups = layer.is_depthwise ? layer.channels : 1;
    return op;
  }

  TensorId add_tensor(const std::string& name, const Shape& shape, float scale) {
    Tensor tensor;
    tensor.name = name;
    tensor.shape = shape;
    tensor.quantization.emplace().scales = {scale};
    graph_.tensors.push_back(std::move(tensor));
    return static_cast<TensorId>(graph_.tensors.size() - 1);
  }

  /// Of equal names the later ones get "#2", "#3"; a layer's tensors have names of their own, too.
  std::string unused(const std::string& wanted) {
    std::string name = wanted;
    const auto is_taken = [&] {
      return names_.contains(name) || names_.contains(name + ".input") || names_.contains(name + ".weights");
    };
    for (int copy = 2; is_taken(); ++copy) name = wanted + "#" + std::to_string(copy);
    names_.insert({name, name + ".input", name + ".weights"});
    return name;
  }

  std::string path_;
  Graph graph_;
  std::set<std::string> names_;
  std::int64_t bytes_ = 0;
};

}  // namespace

Graph read_scalesim(const std::string& path) {
  std::vector<ScalesimRow> rows = read_scalesim_rows(path);
  TopologyGraph topology(path);
  ProblemCollector problems;
  for (ScalesimRow& row : rows) {
    if (row.layer) topology.add(row);
    for (Problem& problem : row.problems) problems.add(std::move(problem));
  }
  problems.throw_if_any();
  Graph graph = topology.take();
  validate(graph);
  return graph;
}

namespace {

WorkloadSurvey survey_scalesim(const std::string& path, const ReadOptions& /*options*/) {
  std::vector<ScalesimRow> rows = read_scalesim_rows(path);
  TopologyGraph topology(path);
  WorkloadSurvey survey;
  survey.name = std::filesystem::path(path).stem().string();
  std::size_t nodes = 0;
  for (ScalesimRow& row : rows) {
    NodeSupport& support = survey.nodes.emplace_back();
    support.name = row.name;
    support.place = "line " + std::to_string(row.line);
    support.op = row.form == ScalesimForm::gemm ? "GEMM" : "convolution";
    if (row.layer) topology.add(row);
    if (row.problems.empty()) support.graph_node = nodes++;
    support.problems = std::move(row.problems);
  }
  finish_survey(survey, topology.take(), {});
  return survey;
}

}  // namespace

const WorkloadFormat& scalesim_workload_format() {
  static constexpr WorkloadFormat kFormat{
      .name = "scalesim",
      .title = "SCALE-Sim topology",
      .extension = ".csv",
      .short_name = "SCALE-Sim .csv",
      .phrase = "a SCALE-Sim topology in .csv",
      .remedy = "mend it in the workload file",
      .read = [](const std::string& path, const ReadOptions& /*options*/) { return read_scalesim(path); },
      .survey = survey_scalesim};
  return kFormat;
}

}  // namespace qsim

#include "workloads/readers/onnx/onnx_write.h"

#include <onnx/onnx_pb.h>

#include <algorithm>

#include "base/error.h"
#include "workloads/graph/blocks.h"
#include "workloads/graph/layout.h"
#include "workloads/readers/onnx/node_writer.h"

namespace qsim {
namespace {

using namespace onnx_format;

/// protobuf's limit, with room for what is no constant.
constexpr std::int64_t kMaxBytes = (std::int64_t{1} << 31) - (std::int64_t{1} << 26);

void write_inputs(const Graph& graph, ModelBuilder& builder, Values& values) {
  for (const TensorId id : graph.inputs) {
    const Tensor& tensor = graph.tensor(id);
    builder.input(values.define(id, values.model_layout(id)), data_type(tensor.type), model_shape(tensor));
  }
}

/// Outputs have the model's layout, and a value of their own: an input or a constant is copied.
void write_outputs(const Graph& graph, ModelBuilder& builder, Values& values) {
  for (const TensorId id : graph.outputs) {
    const Tensor& tensor = graph.tensor(id);
    const std::string value = values.get(id, values.model_layout(id));
    const bool is_computed = !tensor.is_constant() &&
                             std::find(graph.inputs.begin(), graph.inputs.end(), id) == graph.inputs.end();
    std::string name = value;
    if (!is_computed) {
      name = builder.unique_value(tensor.name + "#output");
      builder.node("Identity", tensor.name + "#output", {value}, name);
    }
    builder.output(name, data_type(tensor.type), model_shape(tensor));
  }
}

void check_size(const Graph& graph) {
  std::int64_t bytes = 0;
  for (const Tensor& tensor : graph.tensors) {
    if (tensor.data) bytes += static_cast<std::int64_t>(tensor.data->bytes.size());
  }
  if (bytes <= kMaxBytes) return;
  throw InputError({graph.source, "constants", std::to_string(bytes) + " bytes",
                    "at most " + std::to_string(kMaxBytes) + ", which fit into one ONNX file",
                    "write a workload in JSON"});
}

void write_nodes(const Graph& graph, OnnxStyle style, ModelBuilder& builder, Values& values) {
  WriteContext writer{graph, style, builder, values};
  std::vector<Problem> problems;
  for (const Node& node : graph.nodes) {
    try {
      write_node(writer, node);
    } catch (const InputError& error) {
      problems.insert(problems.end(), error.problems().begin(), error.problems().end());
      // What reads its output still finds one.
      static_cast<void>(values.define(node.outputs[0], values.defined_layout(node.outputs[0])));
    }
  }
  if (!problems.empty()) throw InputError(std::move(problems));
}

}  // namespace

std::vector<std::byte> encode_onnx(const Graph& graph, OnnxStyle style) {
  refuse_blocks_in_files(graph);
  check_size(graph);
  ModelBuilder builder(graph.name);
  Values values(graph, builder);
  write_inputs(graph, builder, values);
  write_nodes(graph, style, builder, values);
  write_outputs(graph, builder, values);
  std::vector<std::byte> bytes(builder.model().ByteSizeLong());
  if (!builder.model().SerializeToArray(bytes.data(), static_cast<int>(bytes.size())))
    throw InputError({graph.source, "", "a model that cannot be encoded", "at most 2 GiB", {}});
  return bytes;
}

std::vector<std::string> onnx_conversion_notes(const Graph& graph) {
  std::vector<std::string> notes;
  if (graph.semantics == Semantics::tflite) {
    notes.emplace_back(
        "ONNX operators round in float32: values may differ by a step from those of TFLite's kernels");
  }
  if (graph.rounding_profile && *graph.rounding_profile != arithmetic::RoundingProfile::float32) {
    notes.push_back("ONNX has no rounding profile " +
                    std::string(arithmetic::rounding_profile_name(*graph.rounding_profile)) +
                    ": operators round in float32");
  }
  const bool has_dynamic_ranges = std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const Node& node) {
    return is_float_node(graph, node) && mac_count(graph, node) > 0 &&
           graph.tensor(node.inputs[1]).quantization.has_value();
  });
  if (has_dynamic_ranges) {
    notes.emplace_back(
        "integer weights of float operators are dequantized: TFLite quantizes the activations on the way, "
        "ONNX "
        "computes with floats");
  }
  const bool has_widths = std::any_of(graph.tensors.begin(), graph.tensors.end(), [](const Tensor& tensor) {
    return tensor.quantization && tensor.quantization->bits < 32 &&
           tensor.quantization->bits != static_cast<int>(8 * element_size_bytes(tensor.type));
  });
  if (has_widths) {
    notes.emplace_back("bit widths other than 8 and 16 are kept as clamps and as values, not as types");
  }
  return notes;
}

}  // namespace qsim

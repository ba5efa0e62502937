#include "sim/cli/inputs.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "base/json_reader.h"
#include "workloads/execute/execute.h"
#include "workloads/formats/npy.h"
#include "workloads/graph/generator.h"
#include "workloads/graph/graph_memory.h"
#include "workloads/graph/layout.h"
#include "workloads/graph/quantize_value.h"

namespace qsim::cli {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

/// Which argument gives which input (index in graph.inputs -> path).
std::map<std::size_t, std::string> match_arguments(const Graph& graph,
                                                   const std::vector<InputArgument>& arguments) {
  std::vector<std::string> names;
  for (const TensorId id : graph.inputs) names.push_back(graph.tensor(id).name);
  std::map<std::size_t, std::string> paths;
  ProblemList problems("--input");
  std::vector<std::string> constants = graph.constant_inputs;
  for (const InputArgument& argument : arguments) {
    const auto constant = std::find(constants.begin(), constants.end(), argument.name);
    if (constant != constants.end()) {
      constants.erase(constant);  // Read with the model; given twice it is an error.
      continue;
    }
    const auto found = std::find(names.begin(), names.end(), argument.name);
    auto index = static_cast<std::size_t>(found - names.begin());
    if (argument.name.empty() && names.size() == 1) index = 0;
    if (index == names.size()) {
      const std::string nearest = nearest_name(argument.name, names);
      problems.add("", '"' + argument.name + '"', "NAME=FILE.npy with one of the inputs " + joined(names),
                   nearest.empty() ? "" : "did you mean " + nearest + "?");
    } else if (!paths.emplace(index, argument.path).second) {
      problems.add(names[index], '"' + argument.path + '"', "each input once", "drop one of the two");
    }
  }
  problems.throw_if_any();
  return paths;
}

const char* numpy_type(ElementType type) {
  switch (type) {
    case ElementType::i8:
      return "int8";
    case ElementType::u8:
      return "uint8";
    case ElementType::i16:
      return "int16";
    case ElementType::u16:
      return "uint16";
    case ElementType::i32:
      return "int32";
    case ElementType::i64:
      return "int64";
    case ElementType::f32:
      return "float32";
  }
  return "";
}

TensorData quantized(const TensorData& real, const Tensor& tensor, const std::string& path) {
  TensorData data(tensor.type, real.shape);
  const std::span<const float> values = real.as<float>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) {
      throw InputError({path, "element " + std::to_string(i), "NaN", "a number", "clean the array"});
    }
    data.set(static_cast<std::int64_t>(i), quantize_value(values[i], *tensor.quantization));
  }
  return data;
}

void check_range(const TensorData& data, const Tensor& tensor, const std::string& path) {
  if (!tensor.quantization) return;
  const arithmetic::IntegerFormat format = tensor.quantization->format();
  for (std::int64_t i = 0; i < data.size(); ++i) {
    const std::int64_t value = data.at(i);
    if (value >= format.min() && value <= format.max()) continue;
    throw InputError({path, "element " + std::to_string(i), std::to_string(value),
                      "a value from " + std::to_string(format.min()) + " to " + std::to_string(format.max()) +
                          " (" + std::to_string(format.bits) + " bits)",
                      "quantize to the input's width, or give a float array"});
  }
}

/// In the model's layout.
TensorData read_input(const Tensor& tensor, const std::string& path) {
  const NpyInfo info = read_npy_info(path);
  const Shape shape = model_shape(tensor);
  if (info.shape != shape) {
    throw InputError({path, "", "shape " + to_string(info.shape),
                      "shape " + to_string(shape) + " of input " + tensor.name,
                      "reshape the array (numpy.reshape), or set --batch"});
  }
  TensorData data = read_npy(path);
  const bool is_quantized = tensor.quantization.has_value() && !tensor.is_float();
  if (is_quantized && data.type == ElementType::f32) return quantized(data, tensor, path);
  if (data.type != tensor.type) {
    throw InputError({path, "", std::string("type ") + numpy_type(data.type),
                      std::string("type ") + numpy_type(tensor.type) + " of input " + tensor.name +
                          (is_quantized ? ", or float32 to have it quantized" : ""),
                      std::string("convert the array: array.astype(numpy.") + numpy_type(tensor.type) + ")"});
  }
  if (!tensor.is_float()) check_range(data, tensor, path);
  return data;
}

}  // namespace

InputArgument input_argument(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) return {"", text};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

void check_input_names(const Graph& graph, const std::vector<InputArgument>& arguments) {
  static_cast<void>(match_arguments(graph, arguments));
}

InputArrays named_arrays(const std::vector<InputArgument>& arguments) {
  InputArrays arrays;
  for (const InputArgument& argument : arguments) arrays.emplace(argument.name, argument.path);
  return arrays;
}

PreparedInputs prepare_inputs(const Graph& graph, const std::vector<InputArgument>& arguments,
                              std::uint64_t seed, Values values) {
  const std::map<std::size_t, std::string> paths = match_arguments(graph, arguments);
  if (values != Values::none)
    check_run_bytes(graph, activation_bytes(graph, false), "values of the run", kLargeValuesHint);
  PreparedInputs prepared;
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    const Tensor& tensor = graph.tensor(graph.inputs[i]);
    InputOrigin origin{tensor.name, to_string(model_shape(tensor)), element_type_name(tensor.type), "none"};
    if (values != Values::none) {
      const auto path = paths.find(i);
      if (path != paths.end()) {
        prepared.values.push_back(from_model_layout(read_input(tensor, path->second), tensor));
        check_input(graph, graph.inputs[i], prepared.values.back(), path->second);
        origin.origin = std::filesystem::path(path->second).filename().string();
      } else if (tensor.required_value) {
        prepared.values.push_back(*tensor.required_value);
        origin.origin = "model";  // the only value that its declared shapes allow
      } else {
        const arithmetic::IntegerFormat format =
            tensor.quantization ? tensor.quantization->format() : arithmetic::IntegerFormat{};
        prepared.values.push_back(from_model_layout(
            generate_input(tensor.name, seed, tensor.type, format, model_shape(tensor)), tensor));
        origin.origin = "seed " + std::to_string(seed);
      }
    }
    prepared.origins.push_back(std::move(origin));
  }
  return prepared;
}

}  // namespace qsim::cli

#include "sim/cli/calibration.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <memory>
#include <numeric>
#include <random>

#include "base/error.h"
#include "sim/cli/data_spec.h"
#include "sim/report/json_blocks.h"
#include "workloads/dataset/dataset.h"
#include "workloads/dataset/preprocess.h"
#include "workloads/dataset/row_list.h"
#include "workloads/formats/npy.h"
#include "workloads/graph/generator.h"
#include "workloads/graph/layout.h"

namespace qsim::cli {
namespace {

constexpr std::int64_t kSeededInputs = 8;
constexpr std::uint64_t kSeed = 1;

/// Index in graph.inputs of the input that calibration fills.
std::size_t open_input(const Graph& graph) {
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    if (!graph.tensor(graph.inputs[i]).required_value) open.push_back(i);
  }
  if (open.size() == 1) return open.front();
  throw InputError({"--calibration", "", std::to_string(open.size()) + " inputs in " + graph.source,
                    "a network with one input", "leave --calibration out: the inputs are seeded then"});
}

/// All inputs of the graph, the open one with `value`.
std::vector<TensorData> with_input(const Graph& graph, std::size_t open, TensorData value) {
  std::vector<TensorData> inputs;
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    inputs.push_back(i == open ? std::move(value) : *graph.tensor(graph.inputs[i]).required_value);
  }
  return inputs;
}

/// Which of `size` inputs are taken: so many at most, drawn by the seed without repetition, or spread evenly.
std::vector<std::int64_t> chosen_among(const CalibrationOptions& options, std::int64_t size,
                                       std::int64_t most) {
  const std::int64_t count = std::min(most, size);
  std::vector<std::int64_t> indices;
  if (!options.seed) {
    for (std::int64_t i = 0; i < count; ++i) indices.push_back(size / count * i + size % count * i / count);
    return indices;
  }
  std::mt19937_64 random(*options.seed);
  std::vector<std::int64_t> all(static_cast<std::size_t>(size));
  std::iota(all.begin(), all.end(), 0);
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    std::swap(all[i], all[i + random() % (all.size() - i)]);
  }
  return {all.begin(), all.begin() + count};
}

/// The same of all inputs, or of those that the list names.
std::vector<std::int64_t> chosen(const CalibrationOptions& options, std::int64_t size) {
  if (options.list.empty()) return chosen_among(options, size, options.items.value_or(options.default_items));
  const std::vector<std::int64_t> rows =
      read_row_list(options.list, size, data_without_folders(options.data));
  const std::int64_t count = std::ssize(rows);
  std::vector<std::int64_t> indices;
  for (const std::int64_t i : chosen_among(options, count, options.items.value_or(count)))
    indices.push_back(rows[static_cast<std::size_t>(i)]);
  return indices;
}

/// ", rows of train.txt"
std::string list_words(const CalibrationOptions& options) {
  return options.list.empty() ? "" : ", rows of " + base_name(options.list);
}

arithmetic::IntegerFormat format_of(const Tensor& tensor) {
  return tensor.quantization ? tensor.quantization->format() : arithmetic::IntegerFormat{};
}

CalibrationData seeded(const Graph& graph) {
  CalibrationData data;
  data.count = kSeededInputs;
  data.description = std::to_string(kSeededInputs) +
                     " seeded inputs (no calibration data was given: accuracy means nothing)";
  data.inputs = [&graph](std::int64_t item) {
    std::vector<TensorData> inputs;
    for (const TensorId id : graph.inputs) {
      const Tensor& tensor = graph.tensor(id);
      inputs.push_back(
          tensor.required_value
              ? *tensor.required_value
              : from_model_layout(generate_input(tensor.name, kSeed + static_cast<std::uint64_t>(item),
                                                 tensor.type, format_of(tensor), model_shape(tensor)),
                                  tensor));
    }
    return inputs;
  };
  return data;
}

CalibrationData images(const Graph& graph, const CalibrationOptions& options, const ShippedFiles& files) {
  const std::size_t open = open_input(graph);
  const std::shared_ptr<const Dataset> set = open_dataset(options.data);
  const Preprocess preprocess = options.preprocess.empty()
                                    ? no_preprocess(files.preprocess)
                                    : read_preprocess(options.preprocess, files.preprocess);
  CalibrationData data;
  const std::vector<std::int64_t> indices = chosen(options, set->size());
  data.count = std::ssize(indices);
  data.description = std::to_string(data.count) + " images of " + data_without_folders(options.data) +
                     (options.preprocess.empty() ? "" : " (" + base_name(options.preprocess) + ")") +
                     list_words(options);
  data.inputs = [&graph, open, set, preprocess, indices](std::int64_t item) {
    const std::int64_t index = indices[static_cast<std::size_t>(item)];
    return with_input(
        graph, open,
        preprocess_image(set->image(index), preprocess, graph.tensor(graph.inputs[open]), set->name(index)));
  };
  return data;
}

/// Inputs in one array: its shape, or that of the input with more than one in front.
std::int64_t inputs_in(const TensorData& array, const Tensor& tensor, const std::string& path) {
  const Shape shape = model_shape(tensor);
  const bool is_float = array.type == ElementType::f32;
  const bool same_rest = array.shape.size() == shape.size() && !shape.empty() &&
                         std::equal(shape.begin() + 1, shape.end(), array.shape.begin() + 1) &&
                         array.shape[0] % shape[0] == 0;
  if (!is_float || !same_rest) {
    throw InputError({path, "",
                      std::string(element_type_name(array.type)) + " of shape " + to_string(array.shape),
                      "F32 of shape " + to_string(shape) + " of input " + tensor.name +
                          ", or several of them along the first dimension",
                      "save a float32 array with numpy.save"});
  }
  const auto values = array.as<float>();
  if (!std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); })) {
    throw InputError({path, "", "an infinity or NaN", "finite numbers", "clean the array"});
  }
  return array.shape[0] / shape[0];
}

TensorData slice_of(const TensorData& array, const Tensor& tensor, std::int64_t index) {
  TensorData value(ElementType::f32, model_shape(tensor));
  std::memcpy(value.bytes.data(), array.bytes.data() + static_cast<std::size_t>(index) * value.bytes.size(),
              value.bytes.size());
  return from_model_layout(std::move(value), tensor);
}

CalibrationData arrays(const Graph& graph, const CalibrationOptions& options,
                       const std::vector<std::string>& paths) {
  const std::size_t open = open_input(graph);
  const Tensor& tensor = graph.tensor(graph.inputs[open]);
  auto values = std::make_shared<std::vector<TensorData>>();
  const bool takes_all = options.seed.has_value() || !options.list.empty();
  const std::int64_t most = options.items.value_or(options.default_items);
  for (const std::string& path : paths) {
    const TensorData array = read_npy(path);
    const std::int64_t count = inputs_in(array, tensor, path);
    for (std::int64_t i = 0; i < count && (takes_all || std::ssize(*values) < most); ++i) {
      values->push_back(slice_of(array, tensor, i));
    }
  }
  if (takes_all) {
    std::vector<TensorData> drawn;
    for (const std::int64_t i : chosen(options, std::ssize(*values))) {
      drawn.push_back((*values)[static_cast<std::size_t>(i)]);
    }
    *values = std::move(drawn);
  }
  CalibrationData data;
  data.count = std::ssize(*values);
  data.description =
      std::to_string(data.count) + " inputs of " + base_name(options.data) + list_words(options);
  data.inputs = [&graph, open, values](std::int64_t item) {
    return with_input(graph, open, (*values)[static_cast<std::size_t>(item)]);
  };
  return data;
}

std::vector<std::string> arrays_of_folder(const std::string& folder) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".npy") paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  if (paths.empty()) {
    throw InputError({"--calibration", "", '"' + folder + '"', "a folder of .npy files",
                      "save float32 arrays there, or name a data set: FORMAT:PATH"});
  }
  return paths;
}

}  // namespace

CalibrationData no_calibration(const CalibrationOptions& options, const ShippedFiles& files) {
  const Preprocess preprocess = options.preprocess.empty()
                                    ? no_preprocess(files.preprocess)
                                    : read_preprocess(options.preprocess, files.preprocess);
  CalibrationData data;
  const std::size_t channels = std::max(preprocess.mean.size(), preprocess.std.size());
  for (std::size_t c = 0; c < channels; ++c) {
    const float mean = preprocess.mean[preprocess.mean.size() == 1 ? 0 : c];
    const float deviation = preprocess.std[preprocess.std.size() == 1 ? 0 : c];
    for (const float pixel : {0.0F, preprocess.unit_scale ? 1.0F : 255.0F}) {
      data.input_range.include((pixel - mean) / deviation);
    }
  }
  data.description = options.preprocess.empty() ? "pixels as they are, 0 to 255"
                                                : "the pixels of " + base_name(options.preprocess);
  return data;
}

CalibrationData make_calibration(const Graph& graph, const CalibrationOptions& options,
                                 const ShippedFiles& files) {
  if (options.data.empty()) return seeded(graph);
  if (options.data.ends_with(".npy")) return arrays(graph, options, {options.data});
  if (std::filesystem::is_directory(options.data)) {
    return arrays(graph, options, arrays_of_folder(options.data));
  }
  return images(graph, options, files);
}

}  // namespace qsim::cli

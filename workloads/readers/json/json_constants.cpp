#include "workloads/readers/json/json_constants.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

/// Most bytes that all constants of a workload may take.
constexpr std::int64_t kMaxConstantBytes = std::int64_t{1} << 33;
const std::vector<std::string> kGenerators{"normal", "uniform"};

bool is_binary(const Quantization& q) {
  return q.bits == 1 && q.is_signed;
}

/// Values as the format holds them; one signed bit stands for -1 and +1.
bool fits(const Quantization& q, std::int64_t value) {
  return is_binary(q) ? value == 1 || value == -1 : value >= q.format().min() && value <= q.format().max();
}

/// What the integers of a constant are limited by: its quantization, 32 bits where it states none (a bias).
Quantization limits_of(const Tensor& tensor) {
  Quantization q = tensor.quantization.value_or(Quantization{});
  if (!tensor.quantization || q.bits > 32) q.bits = 32;
  return q;
}

std::string allowed_values(const Quantization& q) {
  if (is_binary(q)) return "-1 or 1 (1 bit)";
  return std::to_string(q.format().min()) + " to " + std::to_string(q.format().max()) + " (" +
         std::to_string(q.bits) + " bits)";
}

}  // namespace

ConstantSources::ConstantSources(const nlohmann::ordered_json* tensors, ProblemList& problems)
    : problems_(problems) {
  if (tensors == nullptr) return;
  std::string name;
  if (tensors->is_string()) {
    name = tensors->get<std::string>();
    wants_file_ = true;
  } else {
    JsonObject object(*tensors, "tensors", problems);
    wants_file_ = object.has("file");
    if (wants_file_) name = object.string("file");
    if (!wants_file_) generator_ = kGenerators[object.choice("generator", kGenerators)];
    seed_ =
        static_cast<std::uint64_t>(object.integer("seed", 0, std::numeric_limits<std::int64_t>::max(), 0));
    object.finish();
  }
  if (!wants_file_) return;
  const std::filesystem::path folder = std::filesystem::path(problems.file()).parent_path();
  try {
    file_ = std::make_unique<SafetensorsReader>((folder / name).string());
  } catch (const InputError& error) {
    for (const Problem& problem : error.problems()) {
      problems.add("tensors", '"' + name + '"', "a safetensors file beside the workload",
                   problem.to_string());
    }
  }
}

void ConstantSources::add(const Graph& graph, TensorId id, JsonObject& description, const std::string& path,
                          std::int64_t deviation_256ths) {
  const Tensor& tensor = graph.tensor(id);
  const std::size_t problems_before = problems_.all().size();
  Source source = read_source(tensor, description, deviation_256ths);
  const bool from_file = std::holds_alternative<FromFile>(source);
  if (from_file) check_file_entry(tensor, path);
  count_bytes(tensor, path);
  const bool is_broken = problems_.all().size() > problems_before || total_bytes_ > kMaxConstantBytes ||
                         (from_file && file_ == nullptr);
  entries_.push_back({id, path, std::move(source), is_broken});
}

void ConstantSources::add(const Graph& graph, TensorId id, const std::string& path,
                          std::int64_t deviation_256ths) {
  static const Json kEmpty = Json::object();
  JsonObject description(kEmpty, path, problems_);
  add(graph, id, description, path, deviation_256ths);
}

ConstantSources::Source ConstantSources::read_source(const Tensor& tensor, JsonObject& description,
                                                     std::int64_t deviation_256ths) {
  if (tensor.is_float()) return read_float_source(tensor, description);
  const Quantization q = limits_of(tensor);
  const auto format = q.format();
  if (description.raw("values") != nullptr) {
    std::vector<std::int64_t> values = description.integers(
        "values", std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max());
    if (static_cast<std::int64_t>(values.size()) != element_count(tensor.shape)) {
      description.problem("values", std::to_string(element_count(tensor.shape)) + " values, as the shape " +
                                        to_string(tensor.shape) + " has");
    }
    return values;
  }
  if (wants_file_ && !description.has("generator")) return FromFile{};
  const std::size_t kind = description.choice("generator", kGenerators, generator_);
  if (is_binary(q)) return SignValues{};
  if (kGenerators[kind] == "uniform") {
    const std::int64_t reach = q.bits > 16 ? deviation_256ths / 256 : format.max();
    const std::int64_t lowest = format.is_signed ? -reach : 0;
    const std::int64_t low = description.integer("low", format.min(), format.max(), lowest);
    return UniformValues{low, description.integer("high", low, format.max(), std::max(low, reach))};
  }
  const std::int64_t middle = format.is_signed ? 0 : format.max() / 2 + 1;
  NormalValues normal{description.integer("mean", format.min(), format.max(), middle), deviation_256ths};
  if (description.raw("deviation") != nullptr) {
    const double limit = static_cast<double>(NormalValues::kMaxDeviation256ths) / 256.0;
    normal.deviation_256ths = std::llround(description.number("deviation", 0.0, limit) * 256.0);
  }
  return normal;
}

/// Floats come from the file or are written out.
ConstantSources::Source ConstantSources::read_float_source(const Tensor& tensor, JsonObject& description) {
  const Json* list = description.raw("values");
  if (list == nullptr && wants_file_) return FromFile{};
  std::vector<float> values;
  for (const Json& value : list != nullptr && list->is_array() ? *list : Json::array()) {
    if (value.is_number()) values.push_back(value.get<float>());
  }
  if (list == nullptr || !list->is_array() || values.size() != list->size() ||
      static_cast<std::int64_t>(values.size()) != element_count(tensor.shape)) {
    description.problem("values",
                        std::to_string(element_count(tensor.shape)) + " numbers, as the shape " +
                            to_string(tensor.shape) + " has",
                        "floats are not generated");
  }
  return values;
}

void ConstantSources::check_file_entry(const Tensor& tensor, const std::string& path) {
  if (file_ == nullptr) return;
  if (!file_->has(tensor.name)) {
    const std::string nearest = problems_.is_full() ? "" : nearest_name(tensor.name, file_->names());
    problems_.add(path, "no such tensor", "a tensor \"" + tensor.name + "\" in " + file_->path(),
                  nearest.empty() ? "write it there, or name another with \"name\""
                                  : "the nearest name in it is \"" + nearest + "\"");
    return;
  }
  const ElementType type = file_->type(tensor.name);
  const Shape& shape = file_->shape(tensor.name);
  if (type != tensor.type || shape != tensor.shape) {
    problems_.add(
        path, std::string(element_type_name(type)) + " of shape " + to_string(shape) + " in " + file_->path(),
        std::string(element_type_name(tensor.type)) + " of shape " + to_string(tensor.shape));
  }
}

void ConstantSources::count_bytes(const Tensor& tensor, const std::string& path) {
  const std::int64_t before = total_bytes_;
  total_bytes_ += element_count(tensor.shape) * static_cast<std::int64_t>(element_size_bytes(tensor.type));
  if (before <= kMaxConstantBytes && total_bytes_ > kMaxConstantBytes) {
    problems_.add(path, std::to_string(total_bytes_) + " bytes of constants up to here",
                  "at most " + std::to_string(kMaxConstantBytes) + " bytes in a workload");
  }
}

void ConstantSources::fill(Graph& graph, ProblemList& problems) {
  for (Entry& entry : entries_) {
    if (!entry.is_broken) fill(graph.tensor(entry.id), entry, problems);
  }
}

std::vector<TensorId> ConstantSources::unfilled() const {
  std::vector<TensorId> ids;
  for (const Entry& entry : entries_) {
    if (entry.is_broken) ids.push_back(entry.id);
  }
  return ids;
}

void ConstantSources::fill(Tensor& tensor, Entry& entry, ProblemList& problems) {
  if (const auto* floats = std::get_if<std::vector<float>>(&entry.source)) {
    tensor.data.emplace(tensor.type, tensor.shape);
    std::copy(floats->begin(), floats->end(), tensor.data->as<float>().begin());
    return;
  }
  if (std::holds_alternative<FromFile>(entry.source) && !tensor.quantization) {
    tensor.data = file_->read(tensor.name);
    return;
  }
  const Quantization q = limits_of(tensor);
  const WordGenerator words(seed_, tensor.name);
  const auto* values = std::get_if<std::vector<std::int64_t>>(&entry.source);
  if (std::holds_alternative<FromFile>(entry.source)) {
    tensor.data = file_->read(tensor.name);
  } else {
    tensor.data.emplace(tensor.type, tensor.shape);
  }
  if (const auto* normal = std::get_if<NormalValues>(&entry.source)) {
    generate(words, *normal, q.format(), *tensor.data);
  } else if (const auto* uniform = std::get_if<UniformValues>(&entry.source)) {
    generate(words, *uniform, *tensor.data);
  } else if (const auto* sign = std::get_if<SignValues>(&entry.source)) {
    generate(words, *sign, *tensor.data);
  } else {
    const bool whole_type = q.bits >= 32 || q.bits == 8 * static_cast<int>(element_size_bytes(tensor.type));
    const std::int64_t count = values == nullptr && whole_type ? 0 : tensor.data->size();
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t value =
          values == nullptr ? tensor.data->at(i) : (*values)[static_cast<std::size_t>(i)];
      if (!fits(q, value)) {
        problems.add(entry.path, "element " + std::to_string(i) + " = " + std::to_string(value),
                     allowed_values(q));
        tensor.data.reset();
        entry.is_broken = true;
        return;
      }
      if (values != nullptr) tensor.data->set(i, value);
    }
  }
}

}  // namespace qsim

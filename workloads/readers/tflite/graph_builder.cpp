#include "workloads/readers/tflite/graph_builder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>
#include <set>

#include "base/error.h"
#include "workloads/graph/graph_check.h"

namespace qsim::tflite {
namespace {

constexpr std::size_t kMaxProblems = 20;

std::optional<ElementType> element_type(TypeCode type) {
  switch (type) {
    case TypeCode::float32:
      return ElementType::f32;
    case TypeCode::int32:
      return ElementType::i32;
    case TypeCode::uint8:
      return ElementType::u8;
    case TypeCode::int64:
      return ElementType::i64;
    case TypeCode::int16:
      return ElementType::i16;
    case TypeCode::int8:
    case TypeCode::int4:
      return ElementType::i8;
    default:
      return std::nullopt;
  }
}

int bits_of(TypeCode type, ElementType element) {
  return type == TypeCode::int4 ? 4 : static_cast<int>(8 * element_size_bytes(element));
}

/// Two 4-bit integers a byte, the low half first.
std::vector<std::byte> unpack_int4(std::span<const std::byte> packed, std::int64_t count) {
  std::vector<std::byte> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const unsigned nibble = (std::to_integer<unsigned>(packed[i / 2]) >> (4 * (i % 2))) & 0xFU;
    values[i] = static_cast<std::byte>(nibble >= 8 ? nibble | 0xF0U : nibble);
  }
  return values;
}

TensorData read_data(const ModelTensor& source, ElementType type, const std::string& file,
                     const std::string& place) {
  const std::int64_t count = element_count(source.shape);
  const std::int64_t bits = bits_of(source.type, type);
  const auto expected_bytes = static_cast<std::size_t>((count * bits + 7) / 8);
  if (source.data.size() != expected_bytes) {
    throw InputError({file, place, std::to_string(source.data.size()) + " bytes of data",
                      std::to_string(expected_bytes) + " bytes for shape " + to_string(source.shape),
                      kModelRemedy});
  }
  TensorData data;
  data.type = type;
  data.shape = source.shape;
  data.bytes = source.type == TypeCode::int4 ? unpack_int4(source.data, count)
                                             : std::vector<std::byte>(source.data.begin(), source.data.end());
  return data;
}

/// Scales that are no scales (biases of some converters) are left out; validate() reports a missing one.
std::optional<Quantization> read_quantization(const ModelTensor& source, ElementType type,
                                              const std::string& file, const std::string& place) {
  if (type == ElementType::f32 || source.scales.empty()) return std::nullopt;
  Quantization q;
  q.bits = bits_of(source.type, type);
  q.is_signed = type != ElementType::u8;
  q.scales = source.scales;
  q.zero_points.clear();
  for (const std::int64_t zero_point : source.zero_points) {
    if (zero_point < std::numeric_limits<std::int32_t>::min() ||
        zero_point > std::numeric_limits<std::int32_t>::max()) {
      throw InputError(
          {file, place, "zero point " + std::to_string(zero_point), "a 32-bit integer", kModelRemedy});
    }
    q.zero_points.push_back(static_cast<std::int32_t>(zero_point));
  }
  if (q.zero_points.empty()) q.zero_points.push_back(0);
  q.axis = q.scales.size() > 1 ? source.quantized_dimension : -1;
  const bool is_bias = type == ElementType::i32 || type == ElementType::i64;
  const bool all_valid =
      std::all_of(q.scales.begin(), q.scales.end(), [](float s) { return std::isfinite(s) && s > 0.0F; });
  if (is_bias && !all_valid) return std::nullopt;
  return q;
}

}  // namespace

Graph GraphBuilder::build() {
  ConvertedModel converted = convert();
  std::vector<Problem> problems = std::move(converted.problems);
  for (ConvertedOperator& converted_operator : converted.operators) {
    if (problems.size() >= kMaxProblems) break;
    for (Problem& problem : converted_operator.problems) problems.push_back(std::move(problem));
  }
  if (!problems.empty()) throw InputError(problems);
  return std::move(converted.graph);
}

ConvertedModel GraphBuilder::convert() {
  ConvertedModel converted;
  graph_.source = model_.file;
  graph_.semantics = Semantics::tflite;
  const std::string inputs = "subgraph 0 inputs";
  const std::string outputs = "subgraph 0 outputs";
  const auto collect = [&](const auto& action) {
    try {
      action();
    } catch (const InputError& error) {
      std::ranges::copy(error.problems(), std::back_inserter(converted.problems));
    }
  };
  for (const std::int32_t index : model_.inputs) {
    collect([&] { graph_.inputs.push_back(use(index, inputs)); });
  }
  std::set<std::int32_t> missing;  // What operators with problems would have made.
  for (const ModelOperator& op : model_.operators) {
    converted.operators.push_back(try_converting(op));
    if (!converted.operators.back().problems.empty()) missing.insert(op.outputs.begin(), op.outputs.end());
  }
  for (const std::int32_t index : model_.outputs) {
    if (missing.count(index) == 0) collect([&] { graph_.outputs.push_back(use(index, outputs)); });
  }
  if (model_.subgraph_count > 1) {
    graph_.provenance.push_back("subgraph 0 of " + std::to_string(model_.subgraph_count) +
                                " is the workload");
  }
  converted.graph = std::move(graph_);
  return converted;
}

ConvertedOperator GraphBuilder::try_converting(const ModelOperator& op) {
  ConvertedOperator result;
  try {
    result.is_folded = fold(op);
    if (result.is_folded) {
      graph_.folded_nodes.push_back(model_.tensors[static_cast<std::size_t>(op.outputs[0])].name);
    } else {
      OperatorReader(*this, op).read();
      result.node = graph_.nodes.size() - 1;
    }
  } catch (const InputError& error) {
    result.problems = error.problems();
    for (Problem& problem : result.problems) {
      if (problem.place.empty()) problem.place = op.place;
    }
  }
  return result;
}

TensorId GraphBuilder::use(std::int32_t index, const std::string& place) {
  if (index < 0) return kNoTensor;
  const auto found = ids_.find(index);
  if (found != ids_.end()) return found->second;
  const auto id = static_cast<TensorId>(graph_.tensors.size());
  graph_.tensors.push_back(make_tensor(model_.tensors[static_cast<std::size_t>(index)], place));
  ids_[index] = id;
  return id;
}

Tensor GraphBuilder::make_tensor(const ModelTensor& source, const std::string& place) const {
  const std::string subject = place + " tensor \"" + source.name + "\"";
  const auto type = element_type(source.type);
  if (!type)
    throw InputError(
        {model_.file, subject, type_name(source.type), "INT8, INT16, INT32 or FLOAT32", kQuantizeHint});
  if (source.is_sparse) {
    throw InputError(
        {model_.file, subject, "sparse weights", "dense weights", "convert the model without sparsity"});
  }
  if (source.is_variable) {
    throw InputError({model_.file, subject, "a variable", "a network without state",
                      "export the network with its state as inputs and outputs"});
  }
  if (checked_element_count(source.shape) < 0) {
    throw InputError(
        {model_.file, subject, "shape " + to_string(source.shape),
         "dimensions of at least 1 and at most " + std::to_string(kMaxTensorElements) + " elements",
         "convert the model with a fixed input shape"});
  }
  Tensor tensor;
  tensor.name = source.name;
  tensor.shape = source.shape;
  tensor.type = *type;
  tensor.quantization = read_quantization(source, *type, model_.file, subject);
  if (!source.data.empty()) tensor.data = read_data(source, *type, model_.file, subject);
  return tensor;
}

}  // namespace qsim::tflite

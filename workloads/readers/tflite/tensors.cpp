// Tensors of a model as the graph has them: their types, quantization and constants.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "workloads/graph/graph_check.h"
#include "workloads/readers/tflite/graph_builder.h"

namespace qsim::tflite {
namespace {

std::optional<ElementType> element_type(ElementCode type) {
  switch (type) {
    case ElementCode::FLOAT32:
      return ElementType::f32;
    case ElementCode::INT32:
      return ElementType::i32;
    case ElementCode::UINT8:
      return ElementType::u8;
    case ElementCode::INT64:
      return ElementType::i64;
    case ElementCode::INT16:
      return ElementType::i16;
    case ElementCode::INT8:
    case ElementCode::INT4:
      return ElementType::i8;
    default:
      return std::nullopt;
  }
}

int bits_of(ElementCode type, ElementType element) {
  return type == ElementCode::INT4 ? 4 : static_cast<int>(8 * element_size_bytes(element));
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
  data.bytes = source.type == ElementCode::INT4
                   ? unpack_int4(source.data, count)
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

TensorId GraphBuilder::depthwise_weights(std::int32_t index, const std::string& place) {
  const auto known = depthwise_weights_.find(index);
  if (known != depthwise_weights_.end()) return known->second;
  Tensor tensor = make_tensor(model_.tensors[static_cast<std::size_t>(index)], place);
  if (!tensor.data) {
    throw InputError({model_.file, place + " weights \"" + tensor.name + "\"",
                      "a tensor computed by the network", "a constant", kModelRemedy});
  }
  const bool shared = ids_.count(index) != 0;
  const std::int64_t outputs = tensor.shape[3];
  const std::int64_t taps = tensor.shape[1] * tensor.shape[2];
  TensorData turned(tensor.type, {outputs, tensor.shape[1], tensor.shape[2], 1});
  const std::size_t size = element_size_bytes(tensor.type);
  for (std::int64_t n = 0; n < outputs; ++n) {
    for (std::int64_t t = 0; t < taps; ++t) {
      std::memcpy(turned.bytes.data() + static_cast<std::size_t>(n * taps + t) * size,
                  tensor.data->bytes.data() + static_cast<std::size_t>(t * outputs + n) * size, size);
    }
  }
  tensor.shape = turned.shape;
  tensor.data = std::move(turned);
  if (tensor.quantization && tensor.quantization->axis >= 0) tensor.quantization->axis = 0;
  if (shared) tensor.name += "#depthwise";
  const auto id = static_cast<TensorId>(graph_.tensors.size());
  graph_.tensors.push_back(std::move(tensor));
  depthwise_weights_[index] = id;
  return id;
}

std::optional<IndexConstant> GraphBuilder::index_constant(std::int32_t index,
                                                          const std::string& place) const {
  const auto folded = folded_.find(index);
  if (folded != folded_.end()) return folded->second;
  const ModelTensor& tensor = model_.tensors[static_cast<std::size_t>(index)];
  const bool is_index = tensor.type == ElementCode::INT32 || tensor.type == ElementCode::INT64;
  if (tensor.data.empty() || !is_index) return std::nullopt;
  const std::string subject = place + " tensor \"" + tensor.name + "\"";
  const std::size_t bytes = tensor.type == ElementCode::INT64 ? 8 : 4;
  const std::int64_t count = checked_element_count(tensor.shape);
  if (count < 0 || tensor.data.size() != static_cast<std::size_t>(count) * bytes) {
    throw InputError({model_.file,
                      subject,
                      std::to_string(tensor.data.size()) + " bytes of data",
                      "the data of " + type_name(tensor.type) + " of shape " + to_string(tensor.shape),
                      {}});
  }
  if (count > kMaxIndices) return std::nullopt;
  TensorData data(*element_type(tensor.type), tensor.shape);
  std::ranges::copy(tensor.data, data.bytes.begin());
  IndexConstant constant{tensor.shape, {}};
  for (std::int64_t i = 0; i < count; ++i) constant.values.push_back(data.at(i));
  return constant;
}

}  // namespace qsim::tflite

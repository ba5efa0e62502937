// Small .tflite files for tests, written table by table from field numbers.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <cstdint>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// One field of a table: how it is added. Offsets are made before the table is started.
using TableField = std::function<void(flatbuffers::FlatBufferBuilder&)>;

inline flatbuffers::voffset_t slot(int field) {
  return static_cast<flatbuffers::voffset_t>(4 + 2 * field);
}

template <typename T>
TableField scalar_field(int field, T value) {
  return [=](flatbuffers::FlatBufferBuilder& builder) {
    // A default that no value equals: the field is always written.
    builder.AddElement<T>(slot(field), value, static_cast<T>(value + 1));
  };
}
inline TableField offset_field(int field, flatbuffers::uoffset_t offset) {
  return [=](flatbuffers::FlatBufferBuilder& builder) {
    builder.AddOffset(slot(field), flatbuffers::Offset<void>(offset));
  };
}

struct TensorSpec {
  std::string name;
  std::vector<std::int32_t> shape;
  std::int8_t type = 9;  ///< INT8
  std::vector<std::uint8_t> data;
  std::vector<float> scales{0.5F};
  std::vector<std::int64_t> zero_points{0};
  std::int32_t quantized_dimension = 0;
};

struct OperatorSpec {
  std::int32_t code = 0;
  std::vector<std::int32_t> inputs, outputs;
  std::vector<TableField> options;
  std::string custom_code{};                   ///< Of code 32, CUSTOM.
  std::optional<std::uint8_t> options_type{};  ///< Where it is not the operator's own.
};

struct ModelSpec {
  std::vector<TensorSpec> tensors;
  std::vector<OperatorSpec> operators;
  std::vector<std::int32_t> inputs, outputs;
};

/// The member of the schema's union BuiltinOptions that an operator's options are; 0, none, of the others.
inline std::uint8_t options_type(std::int32_t code) {
  static const std::map<std::int32_t, std::uint8_t> types{
      {0, 11}, {1, 5},   {2, 10},  {3, 1},   {4, 2},   {9, 8},   {17, 5},  {18, 21},   {23, 15},
      {25, 9}, {40, 27}, {41, 28}, {45, 32}, {67, 49}, {97, 74}, {98, 75}, {126, 101}, {150, 116}};
  const auto found = types.find(code);
  return found != types.end() ? found->second : 0;
}

class TfliteWriter {
 public:
  std::vector<std::uint8_t> write(const ModelSpec& spec) {
    std::vector<flatbuffers::uoffset_t> buffers{table({})};
    std::vector<flatbuffers::uoffset_t> tensors;
    for (const TensorSpec& tensor : spec.tensors) {
      std::uint32_t buffer = 0;
      if (!tensor.data.empty()) {
        buffer = static_cast<std::uint32_t>(buffers.size());
        buffers.push_back(table({vector_field(0, tensor.data)}));
      }
      tensors.push_back(write_tensor(tensor, buffer));
    }
    std::vector<flatbuffers::uoffset_t> codes;
    std::vector<flatbuffers::uoffset_t> operators;
    for (const OperatorSpec& op : spec.operators) {
      const auto index = static_cast<std::uint32_t>(codes.size());
      const auto deprecated_code = static_cast<std::int8_t>(std::min(op.code, 127));
      std::vector<TableField> code{scalar_field<std::int8_t>(0, deprecated_code),
                                   scalar_field<std::int32_t>(3, op.code)};
      if (!op.custom_code.empty()) code.push_back(offset_field(1, builder_.CreateString(op.custom_code).o));
      codes.push_back(table(code));
      operators.push_back(table(
          {scalar_field<std::uint32_t>(0, index), vector_field(1, op.inputs), vector_field(2, op.outputs),
           scalar_field<std::uint8_t>(3, op.options_type.value_or(options_type(op.code))),
           offset_field(4, table(op.options))}));
    }
    const auto subgraph = table({tables_field(0, tensors), vector_field(1, spec.inputs),
                                 vector_field(2, spec.outputs), tables_field(3, operators)});
    const auto model = table({scalar_field<std::uint32_t>(0, 3), tables_field(1, codes),
                              tables_field(2, {subgraph}), tables_field(4, buffers)});
    builder_.Finish(flatbuffers::Offset<void>(model), "TFL3");
    return {builder_.GetBufferPointer(), builder_.GetBufferPointer() + builder_.GetSize()};
  }

 private:
  flatbuffers::uoffset_t table(const std::vector<TableField>& fields) {
    const auto start = builder_.StartTable();
    for (const TableField& field : fields) field(builder_);
    return builder_.EndTable(start);
  }
  template <typename T>
  TableField vector_field(int field, const std::vector<T>& values) {
    return offset_field(field, builder_.CreateVector(values).o);
  }
  TableField tables_field(int field, const std::vector<flatbuffers::uoffset_t>& tables) {
    std::vector<flatbuffers::Offset<void>> offsets(tables.begin(), tables.end());
    return offset_field(field, builder_.CreateVector(offsets).o);
  }
  flatbuffers::uoffset_t write_tensor(const TensorSpec& tensor, std::uint32_t buffer) {
    const auto quantization = table({vector_field(2, tensor.scales), vector_field(3, tensor.zero_points),
                                     scalar_field<std::int32_t>(6, tensor.quantized_dimension)});
    return table({vector_field(0, tensor.shape), scalar_field<std::int8_t>(1, tensor.type),
                  scalar_field<std::uint32_t>(2, buffer),
                  offset_field(3, builder_.CreateString(tensor.name).o), offset_field(4, quantization)});
  }

  flatbuffers::FlatBufferBuilder builder_;
};

inline void write_bytes(const std::string& path, const std::vector<std::uint8_t>& bytes) {
  std::ofstream stream(path, std::ios::binary);
  stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

/// CONV_2D, 4 outputs of 3 channels, 3x3, stride 2, SAME, RELU; x is 1x7x6x3, so that y is 1x4x3x4.
inline ModelSpec conv_model() {
  ModelSpec spec;
  spec.tensors = {
      {"x", {1, 7, 6, 3}, 9, {}, {0.5F}, {-3}, 0},
      {"w", {4, 3, 3, 3}, 9, std::vector<std::uint8_t>(108, 1), {0.1F, 0.2F, 0.3F, 0.4F}, {0, 0, 0, 0}, 0},
      {"b", {4}, 2, std::vector<std::uint8_t>(16, 0), {0.05F, 0.1F, 0.15F, 0.2F}, {0, 0, 0, 0}, 0},
      {"y", {1, 4, 3, 4}, 9, {}, {0.7F}, {5}, 0}};
  spec.operators = {{3,
                     {0, 1, 2},
                     {3},
                     {scalar_field<std::int8_t>(0, 0), scalar_field<std::int32_t>(1, 2),
                      scalar_field<std::int32_t>(2, 2), scalar_field<std::int8_t>(3, 1)}}};
  spec.inputs = {0};
  spec.outputs = {3};
  return spec;
}

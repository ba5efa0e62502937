#include "workloads/readers/tflite/verify.h"

#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "workloads/readers/tflite/schema.h"

namespace qsim::tflite {
namespace {

using flatbuffers::Table;
using flatbuffers::Vector;

/// Fewer bytes hold no table (FLATBUFFERS_MIN_BUFFER_SIZE).
constexpr std::size_t kMinBytes =
    sizeof(flatbuffers::uoffset_t) + sizeof(flatbuffers::soffset_t) + 2 * sizeof(flatbuffers::voffset_t);
constexpr flatbuffers::uoffset_t kMaxDepth = 16;
constexpr flatbuffers::uoffset_t kMaxTables = 1'000'000;

/// Offset of a field's entry in a vtable.
constexpr flatbuffers::voffset_t slot(int field) {
  return static_cast<flatbuffers::voffset_t>(4 + 2 * field);
}

/// Scalars of an options table by size in bytes.
struct OptionFields {
  std::vector<int> bytes_1, bytes_4;
};

OptionFields option_fields(OperatorCode code) {
  switch (code) {
    case OperatorCode::conv_2d:
      return {
          {window_field::padding, conv_field::activation},
          {window_field::stride_w, window_field::stride_h, conv_field::dilation_w, conv_field::dilation_h}};
    case OperatorCode::depthwise_conv_2d:
      return {{window_field::padding, depthwise_field::activation},
              {window_field::stride_w, window_field::stride_h, depthwise_field::dilation_w,
               depthwise_field::dilation_h}};
    case OperatorCode::average_pool_2d:
    case OperatorCode::max_pool_2d:
      return {{window_field::padding, pool_field::activation},
              {window_field::stride_w, window_field::stride_h, pool_field::filter_w, pool_field::filter_h}};
    case OperatorCode::transpose_conv:
      return {{window_field::padding, transpose_conv_field::activation},
              {window_field::stride_w, window_field::stride_h}};
    case OperatorCode::fully_connected:
      return {{fully_connected_field::activation, fully_connected_field::weights_format,
               fully_connected_field::keep_num_dims},
              {}};
    case OperatorCode::concatenation:
      return {{concatenation_field::activation}, {concatenation_field::axis}};
    case OperatorCode::add:
    case OperatorCode::sub:
      return {{binary_field::activation, binary_field::pot_scale_int16}, {}};
    case OperatorCode::mul:
      return {{binary_field::activation}, {}};
    case OperatorCode::strided_slice:
      return {
          {strided_slice_field::offset},
          {strided_slice_field::begin_mask, strided_slice_field::end_mask, strided_slice_field::ellipsis_mask,
           strided_slice_field::new_axis_mask, strided_slice_field::shrink_axis_mask}};
    case OperatorCode::mean:
      return {{reducer_field::keep_dims}, {}};
    case OperatorCode::softmax:
      return {{}, {softmax_field::beta}};
    case OperatorCode::leaky_relu:
      return {{}, {leaky_relu_field::alpha}};
    case OperatorCode::pack:
      return {{}, {pack_field::axis}};
    default:
      return {};
  }
}

/// Walks down from the root; each check returns false at the first failure and leaves its place behind.
class ModelVerifier {
 public:
  explicit ModelVerifier(std::span<const std::byte> bytes)
      : bytes_(reinterpret_cast<const std::uint8_t*>(bytes.data())),
        size_(bytes.size()),
        verifier_(bytes_, size_, kMaxDepth, kMaxTables) {}

  std::string run() {
    const flatbuffers::uoffset_t root = size_ < kMinBytes ? 0 : verifier_.VerifyOffset(0);
    if (root == 0) return "the root table";
    return check_model(*reinterpret_cast<const Table*>(bytes_ + root)) ? "" : place_;
  }

 private:
  bool at(const std::string& place, bool holds) {
    if (!holds && place_.empty()) place_ = place;
    return holds;
  }
  template <typename T>
  bool scalar(const Table& table, int field) const {
    return table.VerifyField<T>(verifier_, slot(field), sizeof(T));
  }
  template <typename T>
  bool scalars(const Table& table, const std::vector<int>& fields) const {
    for (const int field : fields) {
      if (!scalar<T>(table, field)) return false;
    }
    return true;
  }
  template <typename T>
  bool vector(const Table& table, int field) const {
    return table.VerifyOffset(verifier_, slot(field)) &&
           verifier_.VerifyVector(table.GetPointer<const Vector<T>*>(slot(field)));
  }
  bool string(const Table& table, int field) const {
    return table.VerifyOffset(verifier_, slot(field)) &&
           verifier_.VerifyString(table.GetPointer<const flatbuffers::String*>(slot(field)));
  }

  /// A table and, by `check`, its fields.
  template <typename Check>
  bool table_at(const Table& table, const std::string& place, const Check& check) {
    return at(place, table.VerifyTableStart(verifier_)) && at(place, check(table)) && verifier_.EndTable();
  }
  template <typename Check>
  bool child(const Table& parent, int field, const std::string& place, const Check& check) {
    if (!at(place, parent.VerifyOffset(verifier_, slot(field)))) return false;
    const auto* table = parent.GetPointer<const Table*>(slot(field));
    return table == nullptr || table_at(*table, place, check);
  }
  template <typename Check>
  bool children(const Table& parent, int field, const std::string& place, const Check& check) {
    if (!at(place, vector<flatbuffers::Offset<Table>>(parent, field))) return false;
    const auto* list = parent.GetPointer<const Vector<flatbuffers::Offset<Table>>*>(slot(field));
    for (flatbuffers::uoffset_t i = 0; list != nullptr && i < list->size(); ++i) {
      const std::string element = place + "[" + std::to_string(i) + "]";
      if (!table_at(*list->Get(i), element, [&](const Table& table) { return check(table, element); }))
        return false;
    }
    return true;
  }

  bool check_model(const Table& model) {
    return table_at(model, "the root table", [this](const Table& root) {
      return children(
                 root, model_field::operator_codes, "operator_codes",
                 [this](const Table& code, const std::string& place) { return check_code(code, place); }) &&
             children(root, model_field::subgraphs, "subgraphs",
                      [this](const Table& graph, const std::string& place) {
                        return check_subgraph(graph, place);
                      }) &&
             children(root, model_field::buffers, "buffers",
                      [this](const Table& buffer, const std::string&) { return check_buffer(buffer); });
    });
  }

  bool check_code(const Table& code, const std::string& place) {
    const bool holds = scalar<std::int8_t>(code, operator_code_field::deprecated_builtin_code) &&
                       scalar<std::int32_t>(code, operator_code_field::builtin_code) &&
                       at(place + ".custom_code", string(code, operator_code_field::custom_code));
    if (!holds) return false;
    codes_.push_back(static_cast<OperatorCode>(std::max<std::int32_t>(
        code.GetField<std::int8_t>(slot(operator_code_field::deprecated_builtin_code), 0),
        code.GetField<std::int32_t>(slot(operator_code_field::builtin_code), 0))));
    return true;
  }

  bool check_buffer(const Table& buffer) const {
    return vector<std::uint8_t>(buffer, buffer_field::data) &&
           scalar<std::uint64_t>(buffer, buffer_field::offset) &&
           scalar<std::uint64_t>(buffer, buffer_field::size);
  }

  bool check_subgraph(const Table& graph, const std::string& place) {
    return children(
               graph, subgraph_field::tensors, place + ".tensors",
               [this](const Table& tensor, const std::string& at) { return check_tensor(tensor, at); }) &&
           at(place + ".inputs", vector<std::int32_t>(graph, subgraph_field::inputs)) &&
           at(place + ".outputs", vector<std::int32_t>(graph, subgraph_field::outputs)) &&
           children(graph, subgraph_field::operators, place + ".operators",
                    [this](const Table& op, const std::string& at) { return check_operator(op, at); });
  }

  bool check_tensor(const Table& tensor, const std::string& place) {
    return at(place + ".shape", vector<std::int32_t>(tensor, tensor_field::shape)) &&
           scalar<std::int8_t>(tensor, tensor_field::type) &&
           scalar<std::uint32_t>(tensor, tensor_field::buffer) &&
           at(place + ".name", string(tensor, tensor_field::name)) &&
           scalar<std::uint8_t>(tensor, tensor_field::is_variable) &&
           child(tensor, tensor_field::sparsity, place + ".sparsity", [](const Table&) { return true; }) &&
           child(tensor, tensor_field::quantization, place + ".quantization",
                 [this](const Table& quantization) { return check_quantization(quantization); });
  }

  bool check_quantization(const Table& quantization) const {
    return vector<float>(quantization, quantization_field::scale) &&
           vector<std::int64_t>(quantization, quantization_field::zero_point) &&
           scalar<std::int32_t>(quantization, quantization_field::quantized_dimension);
  }

  bool check_operator(const Table& op, const std::string& place) {
    if (!scalar<std::uint32_t>(op, operator_field::opcode_index)) return false;
    const auto index = op.GetField<std::uint32_t>(slot(operator_field::opcode_index), 0);
    const OptionFields fields = index < codes_.size() ? option_fields(codes_[index]) : OptionFields{};
    return at(place + ".inputs", vector<std::int32_t>(op, operator_field::inputs)) &&
           at(place + ".outputs", vector<std::int32_t>(op, operator_field::outputs)) &&
           scalar<std::uint8_t>(op, operator_field::options_type) &&
           child(op, operator_field::options, place + ".builtin_options", [&](const Table& options) {
             return scalars<std::uint8_t>(options, fields.bytes_1) &&
                    scalars<std::uint32_t>(options, fields.bytes_4);
           });
  }

  const std::uint8_t* bytes_;
  std::size_t size_;
  flatbuffers::Verifier verifier_;
  std::vector<OperatorCode> codes_;
  std::string place_;
};

}  // namespace

std::string find_unverified_place(std::span<const std::byte> bytes) {
  return ModelVerifier(bytes).run();
}

}  // namespace qsim::tflite

#include "workloads/readers/tflite/model.h"

#include <map>
#include <set>

#include "base/error.h"
#include "base/printable.h"
#include "workloads/readers/tflite/verify.h"

namespace qsim::tflite {
namespace {

// Far above what networks have; they bound memory when lists of a hostile file overlap.
constexpr std::uint32_t kMaxTables = 1 << 20;
constexpr std::uint32_t kMaxDimensions = 8;
constexpr std::uint32_t kMaxOperands = 1024;
constexpr std::uint32_t kMaxChannels = 1 << 20;
constexpr std::size_t kMaxNameBytes = 4096;

class ModelReader {
 public:
  explicit ModelReader(const FlatBuffer& buffer) : buffer_(buffer), root_(buffer.root()) {}

  Model read() {
    const std::vector<FlatTable> subgraphs = root_.tables(model_field::subgraphs, kMaxTables);
    if (subgraphs.empty()) fail("subgraphs", "none", "at least one");
    buffers_ = root_.tables(model_field::buffers, kMaxTables);
    codes_ = root_.tables(model_field::operator_codes, kMaxTables);
    const FlatTable& subgraph = subgraphs.front();
    model_.file = buffer_.file();
    model_.subgraph_count = subgraphs.size();
    for (const FlatTable& tensor : subgraph.tables(subgraph_field::tensors, kMaxTables)) read_tensor(tensor);
    make_names_unique();
    for (const FlatTable& op : subgraph.tables(subgraph_field::operators, kMaxTables)) read_operator(op);
    model_.inputs = read_indices(subgraph, subgraph_field::inputs, "subgraph 0 inputs", false);
    model_.outputs = read_indices(subgraph, subgraph_field::outputs, "subgraph 0 outputs", false);
    return std::move(model_);
  }

 private:
  [[noreturn]] void fail(const std::string& place, const std::string& value,
                         const std::string& expected) const {
    throw InputError(
        {buffer_.file(), place, value, expected, "the file is damaged; convert the model again"});
  }

  void read_tensor(const FlatTable& table) {
    const std::string place = "subgraph 0 tensor " + std::to_string(model_.tensors.size());
    ModelTensor tensor;
    tensor.name = valid_utf8(table.string(tensor_field::name).substr(0, kMaxNameBytes));
    for (const std::int32_t d : table.scalars<std::int32_t>(tensor_field::shape, kMaxDimensions)) {
      tensor.shape.push_back(d);
    }
    tensor.type = static_cast<TypeCode>(table.scalar<std::int8_t>(tensor_field::type, 0));
    tensor.data = read_buffer(table.scalar<std::uint32_t>(tensor_field::buffer, 0), place);
    tensor.is_variable = table.boolean(tensor_field::is_variable, false);
    tensor.is_sparse = table.table(tensor_field::sparsity).has_value();
    if (const auto quantization = table.table(tensor_field::quantization)) {
      tensor.scales = quantization->scalars<float>(quantization_field::scale, kMaxChannels);
      tensor.zero_points = quantization->scalars<std::int64_t>(quantization_field::zero_point, kMaxChannels);
      tensor.quantized_dimension =
          quantization->scalar<std::int32_t>(quantization_field::quantized_dimension, 0);
    }
    count_memory(sizeof(ModelTensor) + tensor.name.size() + tensor.data.size() +
                     tensor.scales.size() * sizeof(float) + tensor.zero_points.size() * sizeof(std::int64_t),
                 place);
    model_.tensors.push_back(std::move(tensor));
  }

  /// Lists of a hostile file may overlap, so that what they hold together is larger than the file.
  void count_memory(std::uint64_t bytes, const std::string& place) {
    constexpr std::uint64_t kAllowance = 16;
    constexpr std::uint64_t kSmallFile = 1 << 20;
    memory_bytes_ += bytes;
    const std::uint64_t limit = kAllowance * (buffer_.size() + kSmallFile);
    if (memory_bytes_ > limit) fail(place, "lists that share their data many times", "data of their own");
  }

  /// Large models keep data behind the FlatBuffer: offset > 1 is a byte position in the file.
  [[nodiscard]] std::span<const std::byte> read_buffer(std::uint32_t index, const std::string& place) const {
    if (index >= buffers_.size()) {
      fail(place, "buffer " + std::to_string(index),
           "0 to " + std::to_string(buffers_.size()) + " exclusive");
    }
    const FlatTable& table = buffers_[index];
    const auto offset = table.scalar<std::uint64_t>(buffer_field::offset, 0);
    if (offset > 1) return buffer_.bytes(offset, table.scalar<std::uint64_t>(buffer_field::size, 0));
    const FlatVector data = table.vector(buffer_field::data, 1);
    return buffer_.bytes(data.position, data.count);
  }

  /// An empty name becomes tensor_<index>; of equal names the later ones get #2, #3.
  void make_names_unique() {
    std::set<std::string> taken;
    std::map<std::string, int> uses;
    for (std::size_t i = 0; i < model_.tensors.size(); ++i) {
      std::string& name = model_.tensors[i].name;
      if (name.empty()) name = "tensor_" + std::to_string(i);
      const std::string base = name;
      while (!taken.insert(name).second)
        name = base + "#" + std::to_string(++uses.try_emplace(base, 1).first->second);
    }
  }

  void read_operator(const FlatTable& table) {
    const std::string number = "subgraph 0 operator " + std::to_string(model_.operators.size());
    const auto code_index = table.scalar<std::uint32_t>(operator_field::opcode_index, 0);
    if (code_index >= codes_.size()) {
      fail(number, "operator code " + std::to_string(code_index),
           "0 to " + std::to_string(codes_.size()) + " exclusive");
    }
    const FlatTable& code = codes_[code_index];
    ModelOperator op;
    op.code = static_cast<OperatorCode>(
        std::max<std::int32_t>(code.scalar<std::int8_t>(operator_code_field::deprecated_builtin_code, 0),
                               code.scalar<std::int32_t>(operator_code_field::builtin_code, 0)));
    op.name = operator_name(op.code);
    if (op.code == OperatorCode::custom) {
      op.custom_name = valid_utf8(code.string(operator_code_field::custom_code).substr(0, kMaxNameBytes));
      op.name += " \"" + op.custom_name + "\"";
    }
    op.place = number + " " + op.name;
    op.inputs = read_indices(table, operator_field::inputs, op.place + " inputs", true);
    op.outputs = read_indices(table, operator_field::outputs, op.place + " outputs", false);
    op.options = table.table(operator_field::options);
    count_memory(sizeof(ModelOperator) + (op.inputs.size() + op.outputs.size()) * sizeof(std::int32_t),
                 op.place);
    if (op.outputs.empty()) fail(op.place, "no outputs", "at least one");
    model_.operators.push_back(std::move(op));
  }

  [[nodiscard]] std::vector<std::int32_t> read_indices(const FlatTable& table, int field,
                                                       const std::string& place, bool optional) const {
    std::vector<std::int32_t> indices = table.scalars<std::int32_t>(field, kMaxOperands);
    for (const std::int32_t index : indices) {
      const bool in_range = index >= 0 && static_cast<std::size_t>(index) < model_.tensors.size();
      if (in_range || (optional && index == -1)) continue;
      fail(place, "tensor " + std::to_string(index),
           "0 to " + std::to_string(model_.tensors.size()) + " exclusive");
    }
    return indices;
  }

  const FlatBuffer& buffer_;
  FlatTable root_;
  std::vector<FlatTable> buffers_, codes_;
  std::uint64_t memory_bytes_ = 0;
  Model model_;
};

}  // namespace

Model read_model(const FlatBuffer& buffer) {
  const std::string unverified = find_unverified_place(buffer.bytes(0, buffer.size()));
  Model model = ModelReader(buffer).read();  // What is wrong shows here with its byte, where it shows at all.
  if (!unverified.empty()) {
    throw InputError({buffer.file(), unverified, "what the FlatBuffers verifier rejects",
                      "a table, vector or string that lies in the file, is aligned and ends where it should",
                      "the file is damaged or was not written by a FlatBuffers library; convert it again"});
  }
  return model;
}

}  // namespace qsim::tflite

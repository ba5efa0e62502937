#include "workloads/readers/tflite/model.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/printable.h"
#include "workloads/readers/tflite/operator_table.h"
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
  ModelReader(std::span<const std::byte> bytes, const std::string& path)
      : bytes_(bytes), root_(verified_model(bytes, path)) {
    model_.file = path;
  }

  Model read() {
    model_.subgraph_count = count(root_.subgraphs(), kMaxTables, "subgraphs");
    if (model_.subgraph_count == 0) {
      const auto root = flatbuffers::ReadScalar<flatbuffers::uoffset_t>(bytes_.data());
      fail("subgraphs", "none in the table at byte " + std::to_string(root), "at least one");
    }
    const file::Subgraph& subgraph = *root_.subgraphs()->Get(0);
    const std::uint32_t tensors = count(subgraph.tensors(), kMaxTables, "subgraph 0 tensors");
    for (std::uint32_t i = 0; i < tensors; ++i) read_tensor(*subgraph.tensors()->Get(i));
    make_names_unique();
    const std::uint32_t operators = count(subgraph.operators(), kMaxTables, "subgraph 0 operators");
    for (std::uint32_t i = 0; i < operators; ++i) read_operator(*subgraph.operators()->Get(i));
    model_.inputs = read_indices(subgraph.inputs(), "subgraph 0 inputs", false);
    model_.outputs = read_indices(subgraph.outputs(), "subgraph 0 outputs", false);
    return std::move(model_);
  }

 private:
  [[noreturn]] void fail(const std::string& place, const std::string& value,
                         const std::string& expected) const {
    throw InputError({model_.file, place, value, expected, "the file is damaged; convert the model again"});
  }

  /// Elements of a list that may be absent.
  template <typename T>
  std::uint32_t count(const flatbuffers::Vector<T>* list, std::uint32_t max, const std::string& place) const {
    const std::uint32_t found = list == nullptr ? 0 : list->size();
    if (found > max) fail(place, std::to_string(found) + " elements", "at most " + std::to_string(max));
    return found;
  }
  template <typename T>
  std::vector<T> scalars(const flatbuffers::Vector<T>* list, std::uint32_t max,
                         const std::string& place) const {
    if (count(list, max, place) == 0) return {};
    return {list->begin(), list->end()};
  }
  static std::string text(const flatbuffers::String* string) {
    return string == nullptr ? "" : valid_utf8(string->string_view().substr(0, kMaxNameBytes));
  }

  void read_tensor(const file::Tensor& table) {
    const std::string place = "subgraph 0 tensor " + std::to_string(model_.tensors.size());
    ModelTensor tensor;
    tensor.name = text(table.name());
    for (const std::int32_t d : scalars(table.shape(), kMaxDimensions, place + " shape"))
      tensor.shape.push_back(d);
    tensor.type = table.type();
    tensor.data = read_buffer(table.buffer(), place);
    tensor.is_variable = table.is_variable();
    tensor.is_sparse = table.sparsity() != nullptr;
    if (const file::Quantization* quantization = table.quantization()) {
      tensor.scales = scalars(quantization->scale(), kMaxChannels, place + " scale");
      tensor.zero_points = scalars(quantization->zero_point(), kMaxChannels, place + " zero_point");
      tensor.quantized_dimension = quantization->quantized_dimension();
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
    const std::uint64_t limit = kAllowance * (bytes_.size() + kSmallFile);
    if (memory_bytes_ > limit) fail(place, "lists that share their data many times", "data of their own");
  }

  [[nodiscard]] std::span<const std::byte> read_buffer(std::uint32_t index, const std::string& place) const {
    const std::uint32_t buffers = count(root_.buffers(), kMaxTables, "buffers");
    if (index >= buffers) {
      fail(place, "buffer " + std::to_string(index), "0 to " + std::to_string(buffers) + " exclusive");
    }
    const file::Buffer& buffer = *root_.buffers()->Get(index);
    const std::uint64_t offset = buffer.offset();
    if (offset <= 1) {
      if (buffer.data() == nullptr) return {};
      return std::as_bytes(std::span(buffer.data()->data(), buffer.data()->size()));
    }
    if (offset > bytes_.size() || buffer.size() > bytes_.size() - offset) {
      fail(place + " byte " + std::to_string(offset), "data of " + std::to_string(buffer.size()) + " bytes",
           "at most the file's " + std::to_string(bytes_.size()) + " bytes");
    }
    return bytes_.subspan(offset, buffer.size());
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

  void read_operator(const file::Operator& table) {
    const std::string number = "subgraph 0 operator " + std::to_string(model_.operators.size());
    const std::uint32_t codes = count(root_.operator_codes(), kMaxTables, "operator_codes");
    if (table.opcode_index() >= codes) {
      fail(number, "operator code " + std::to_string(table.opcode_index()),
           "0 to " + std::to_string(codes) + " exclusive");
    }
    const file::OperatorCode& code = *root_.operator_codes()->Get(table.opcode_index());
    ModelOperator op;
    op.code = std::max<std::int32_t>(code.deprecated_builtin_code(), code.builtin_code());
    op.name = operator_name(op.code);
    if (op.code == kCustomOperator) {
      op.custom_name = text(code.custom_code());
      op.name += " \"" + op.custom_name + "\"";
    }
    op.place = number + " " + op.name;
    op.inputs = read_indices(table.inputs(), op.place + " inputs", true);
    op.outputs = read_indices(table.outputs(), op.place + " outputs", false);
    op.table = &table;
    count_memory(sizeof(ModelOperator) + (op.inputs.size() + op.outputs.size()) * sizeof(std::int32_t),
                 op.place);
    if (op.outputs.empty()) fail(op.place, "no outputs", "at least one");
    model_.operators.push_back(std::move(op));
  }

  [[nodiscard]] std::vector<std::int32_t> read_indices(const flatbuffers::Vector<std::int32_t>* list,
                                                       const std::string& place, bool optional) const {
    std::vector<std::int32_t> indices = scalars(list, kMaxOperands, place);
    for (const std::int32_t index : indices) {
      const bool in_range = index >= 0 && static_cast<std::size_t>(index) < model_.tensors.size();
      if (in_range || (optional && index == -1)) continue;
      fail(place, "tensor " + std::to_string(index),
           "0 to " + std::to_string(model_.tensors.size()) + " exclusive");
    }
    return indices;
  }

  std::span<const std::byte> bytes_;
  const file::Model& root_;
  std::uint64_t memory_bytes_ = 0;
  Model model_;
};

}  // namespace

std::string type_name(ElementCode type) {
  const char* name = file::EnumNameElementCode(type);
  return *name != '\0' ? name : "type " + std::to_string(static_cast<int>(type));
}

Model read_model(std::span<const std::byte> bytes, const std::string& path) {
  return ModelReader(bytes, path).read();
}

}  // namespace qsim::tflite

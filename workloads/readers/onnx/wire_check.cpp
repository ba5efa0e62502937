#include "workloads/readers/onnx/wire_check.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.h"

namespace qsim::onnx_format {
namespace {

enum class MessageKind {
  model,
  opset,
  metadata,
  training,
  function,
  graph,
  node,
  attribute,
  tensor,
  segment,
  sparse_tensor,
  value_info,
  type,
  tensor_type,
  sequence_type,
  map_type,
  shape,
  dimension,
  annotation,
};

/// A field that holds a message.
struct MessageField {
  MessageKind holder;
  std::uint64_t number;
  MessageKind held;
  const char* name;
};

// Every field of onnx.proto whose value is a message. All other length-delimited fields are strings, bytes or
// packed numbers.
constexpr std::array kMessageFields{
    MessageField{MessageKind::model, 7, MessageKind::graph, "graph"},
    MessageField{MessageKind::model, 8, MessageKind::opset, "opset_import"},
    MessageField{MessageKind::model, 14, MessageKind::metadata, "metadata_props"},
    MessageField{MessageKind::model, 20, MessageKind::training, "training_info"},
    MessageField{MessageKind::model, 25, MessageKind::function, "functions"},
    MessageField{MessageKind::training, 1, MessageKind::graph, "initialization"},
    MessageField{MessageKind::training, 2, MessageKind::graph, "algorithm"},
    MessageField{MessageKind::training, 3, MessageKind::metadata, "initialization_binding"},
    MessageField{MessageKind::training, 4, MessageKind::metadata, "update_binding"},
    MessageField{MessageKind::function, 7, MessageKind::node, "node"},
    MessageField{MessageKind::function, 9, MessageKind::opset, "opset_import"},
    MessageField{MessageKind::graph, 1, MessageKind::node, "node"},
    MessageField{MessageKind::graph, 5, MessageKind::tensor, "initializer"},
    MessageField{MessageKind::graph, 11, MessageKind::value_info, "input"},
    MessageField{MessageKind::graph, 12, MessageKind::value_info, "output"},
    MessageField{MessageKind::graph, 13, MessageKind::value_info, "value_info"},
    MessageField{MessageKind::graph, 14, MessageKind::annotation, "quantization_annotation"},
    MessageField{MessageKind::graph, 15, MessageKind::sparse_tensor, "sparse_initializer"},
    MessageField{MessageKind::node, 5, MessageKind::attribute, "attribute"},
    MessageField{MessageKind::attribute, 5, MessageKind::tensor, "t"},
    MessageField{MessageKind::attribute, 6, MessageKind::graph, "g"},
    MessageField{MessageKind::attribute, 10, MessageKind::tensor, "tensors"},
    MessageField{MessageKind::attribute, 11, MessageKind::graph, "graphs"},
    MessageField{MessageKind::attribute, 14, MessageKind::type, "tp"},
    MessageField{MessageKind::attribute, 15, MessageKind::type, "type_protos"},
    MessageField{MessageKind::attribute, 22, MessageKind::sparse_tensor, "sparse_tensor"},
    MessageField{MessageKind::attribute, 23, MessageKind::sparse_tensor, "sparse_tensors"},
    MessageField{MessageKind::tensor, 3, MessageKind::segment, "segment"},
    MessageField{MessageKind::tensor, 13, MessageKind::metadata, "external_data"},
    MessageField{MessageKind::sparse_tensor, 1, MessageKind::tensor, "values"},
    MessageField{MessageKind::sparse_tensor, 2, MessageKind::tensor, "indices"},
    MessageField{MessageKind::value_info, 2, MessageKind::type, "type"},
    MessageField{MessageKind::type, 1, MessageKind::tensor_type, "tensor_type"},
    MessageField{MessageKind::type, 4, MessageKind::sequence_type, "sequence_type"},
    MessageField{MessageKind::type, 5, MessageKind::map_type, "map_type"},
    MessageField{MessageKind::type, 8, MessageKind::tensor_type, "sparse_tensor_type"},
    MessageField{MessageKind::type, 9, MessageKind::sequence_type, "optional_type"},
    MessageField{MessageKind::sequence_type, 1, MessageKind::type, "elem_type"},
    MessageField{MessageKind::map_type, 2, MessageKind::type, "value_type"},
    MessageField{MessageKind::tensor_type, 2, MessageKind::shape, "shape"},
    MessageField{MessageKind::shape, 1, MessageKind::dimension, "dim"},
    MessageField{MessageKind::annotation, 2, MessageKind::metadata, "quant_parameter_tensor_names"},
};

// What protobuf allocates at most for an object of its own, for one repeated value of it, and for an element
// of a packed list (8 bytes for what may be 1 byte in the file).
constexpr std::uint64_t kMessageBytes = 256;
constexpr std::uint64_t kStringBytes = 48;
constexpr std::uint64_t kPackedGrowth = 8;
constexpr int kMaxDepth = 64;

const MessageField* find_field(MessageKind holder, std::uint64_t number) {
  const auto* found = std::ranges::find_if(kMessageFields, [&](const MessageField& field) {
    return field.holder == holder && field.number == number;
  });
  return found == kMessageFields.end() ? nullptr : found;
}

class WireWalker {
 public:
  WireWalker(std::span<const std::byte> bytes, const std::string& file) : bytes_(bytes), file_(file) {
    constexpr std::uint64_t kAllowance = 16;
    constexpr std::uint64_t kSmallFile = 1 << 20;
    memory_limit_ = kAllowance * (bytes.size() + kSmallFile);
  }

  void walk() { walk_message(MessageKind::model, bytes_.size()); }

 private:
  /// A message on the way to the present position: the name of its field and its number among those before
  /// it.
  struct Step {
    const MessageField* field;
    std::size_t index;
  };

  [[noreturn]] void fail(std::size_t position, const std::string& value, const std::string& expected) const {
    std::string place = "byte " + std::to_string(position);
    std::string path;
    for (const Step& step : path_) {
      path +=
          (path.empty() ? "" : ".") + std::string(step.field->name) + "[" + std::to_string(step.index) + "]";
    }
    if (!path.empty()) place += " (" + path + ")";
    throw InputError(Problem{file_, place, value, expected,
                             "the file is damaged or no ONNX model; copy or export it again"});
  }

  /// Base 128, the low seven bits first; at most ten bytes.
  std::uint64_t varint(std::size_t end) {
    constexpr int kMaxShift = 63;
    const std::size_t start = position_;
    std::uint64_t value = 0;
    for (int shift = 0; shift <= kMaxShift; shift += 7) {
      if (position_ >= end) fail(start, "a number that ends outside its message", "a complete number");
      const auto byte = std::to_integer<std::uint64_t>(bytes_[position_++]);
      value |= (byte & 0x7FU) << shift;
      if ((byte & 0x80U) == 0) return value;
    }
    fail(start, "a number of more than 10 bytes", "a number of at most 64 bits");
  }

  void skip(std::size_t count, std::size_t end) {
    if (count > end - position_) fail(position_, "a value that ends outside its message", "a complete value");
    position_ += count;
  }

  void count_memory(std::uint64_t bytes) {
    memory_ += bytes;
    if (memory_ > memory_limit_)
      fail(position_, "more entries than a model of this size has", "entries with contents");
  }

  void walk_message(MessageKind kind, std::size_t end) {
    std::array<std::size_t, kMessageFields.size()> counts{};
    count_memory(kMessageBytes);
    while (position_ < end) {
      const std::size_t start = position_;
      const std::uint64_t tag = varint(end);
      const std::uint64_t number = tag >> 3U;
      if (number == 0 || number > 0x1FFFFFFF)
        fail(start, "field number " + std::to_string(number), "1 or more");
      const MessageField* field = find_field(kind, number);
      const auto wire_type = static_cast<unsigned>(tag & 7U);
      if (field != nullptr && wire_type != 2)
        fail(start, "a number", std::string("the message ") + field->name);
      walk_value(field, wire_type, start, end, counts);
    }
  }

  void walk_value(const MessageField* field, unsigned wire_type, std::size_t start, std::size_t end,
                  std::array<std::size_t, kMessageFields.size()>& counts) {
    switch (wire_type) {
      case 0:
        static_cast<void>(varint(end));
        return count_memory(sizeof(std::uint64_t));
      case 1:
        return skip(sizeof(std::uint64_t), end);
      case 5:
        return skip(sizeof(std::uint32_t), end);
      case 2:
        break;
      default:
        fail(start, "wire type " + std::to_string(wire_type), "0, 1, 2 or 5");
    }
    const std::uint64_t length = varint(end);
    if (length > end - position_) {
      fail(start, "a value of " + std::to_string(length) + " bytes",
           "at most the " + std::to_string(end - position_) + " bytes that follow in its message");
    }
    if (field == nullptr) {
      count_memory(kStringBytes + kPackedGrowth * length);
      position_ += length;
      return;
    }
    if (path_.size() >= kMaxDepth) {
      fail(start, "messages nested deeper than " + std::to_string(kMaxDepth), "fewer");
    }
    path_.push_back({field, counts[static_cast<std::size_t>(field - kMessageFields.data())]++});
    walk_message(field->held, position_ + length);
    path_.pop_back();
  }

  std::span<const std::byte> bytes_;
  const std::string& file_;
  std::size_t position_ = 0;
  std::uint64_t memory_ = 0;
  std::uint64_t memory_limit_ = 0;
  std::vector<Step> path_;
};

}  // namespace

void check_wire_format(std::span<const std::byte> bytes, const std::string& file) {
  WireWalker(bytes, file).walk();
}

}  // namespace qsim::onnx_format

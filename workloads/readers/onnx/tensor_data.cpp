#include "workloads/readers/onnx/tensor_data.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <span>

#include "base/checked.h"
#include "base/error.h"
#include "workloads/graph/graph_check.h"

namespace qsim::onnx_format {
namespace {

namespace fs = std::filesystem;

/// Two 4-bit integers a byte, the low half first.
void unpack_nibbles(std::span<const std::byte> packed, bool is_signed, std::vector<std::byte>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const unsigned nibble = (std::to_integer<unsigned>(packed[i / 2]) >> (4 * (i % 2))) & 0xFU;
    values[i] = static_cast<std::byte>(is_signed && nibble >= 8 ? nibble | 0xF0U : nibble);
  }
}

class TensorReader {
 public:
  TensorReader(const ::onnx::TensorProto& proto, const std::string& file, const std::string& place)
      : proto_(proto), file_(file), place_(place) {}

  OnnxTensor read() {
    tensor_.type = static_cast<OnnxType>(proto_.data_type());
    tensor_.shape = {proto_.dims().begin(), proto_.dims().end()};
    count_ = checked_count();
    if (proto_.has_segment()) fail("a segment of a tensor", "whole tensors");
    const std::size_t element_bytes = onnx_element_bytes(tensor_.type);
    if (element_bytes == 0) return std::move(tensor_);
    is_packed_ = onnx_integer_bits(tensor_.type) == 4;
    stored_bytes_ = is_packed_ ? (count_ + 1) / 2 : count_ * element_bytes;
    if (proto_.data_location() == ::onnx::TensorProto::EXTERNAL) {
      store(read_external());
    } else if (proto_.has_raw_data()) {
      const std::string& raw = proto_.raw_data();
      if (raw.size() != stored_bytes_) fail_size(raw.size());
      store(std::as_bytes(std::span(raw)));
    } else {
      read_fields();
    }
    return std::move(tensor_);
  }

 private:
  [[noreturn]] void fail(const std::string& value, const std::string& expected,
                         const std::string& hint = "export the model again") const {
    throw InputError(Problem{file_, place_, value, expected, hint});
  }

  [[noreturn]] void fail_size(std::size_t bytes) const {
    fail(std::to_string(bytes) + " bytes of data", std::to_string(stored_bytes_) + " bytes for " +
                                                       onnx_type_name(tensor_.type) + " of shape " +
                                                       to_string(tensor_.shape));
  }

  [[nodiscard]] std::size_t checked_count() const {
    for (const std::int64_t size : tensor_.shape) {
      if (size < 0) fail("dimension " + std::to_string(size), "0 or more");
    }
    const std::optional<std::int64_t> count = checked_product(tensor_.shape, kMaxTensorElements);
    if (!count) {
      fail("shape " + to_string(tensor_.shape),
           "at most " + std::to_string(kMaxTensorElements) + " elements");
    }
    return static_cast<std::size_t>(*count);
  }

  /// `stored` has the right size.
  void store(std::span<const std::byte> stored) {
    if (!is_packed_) {
      tensor_.bytes.assign(stored.begin(), stored.end());
      return;
    }
    tensor_.bytes.resize(count_);
    unpack_nibbles(stored, tensor_.type == OnnxType::int4, tensor_.bytes);
  }

  /// Values in the field of their type: integers of up to 32 bits, booleans and halves in int32_data.
  void read_fields() {
    switch (tensor_.type) {
      case OnnxType::float32:
        return read_field(proto_.float_data(), float{}, "float_data");
      case OnnxType::float64:
        return read_field(proto_.double_data(), double{}, "double_data");
      case OnnxType::int64:
        return read_field(proto_.int64_data(), std::int64_t{}, "int64_data");
      case OnnxType::uint64:
        return read_field(proto_.uint64_data(), std::uint64_t{}, "uint64_data");
      case OnnxType::uint32:
        return read_field(proto_.uint64_data(), std::uint32_t{}, "uint64_data");
      case OnnxType::int32:
        return read_field(proto_.int32_data(), std::int32_t{}, "int32_data");
      case OnnxType::int16:
      case OnnxType::uint16:
      case OnnxType::float16:
      case OnnxType::bfloat16:
        return read_field(proto_.int32_data(), std::uint16_t{}, "int32_data");
      default:
        return read_field(proto_.int32_data(), std::uint8_t{}, "int32_data");
    }
  }

  template <typename Field, typename T>
  void read_field(const Field& field, T /*element*/, const char* name) {
    const std::size_t expected = stored_bytes_ / sizeof(T);
    if (static_cast<std::size_t>(field.size()) != expected) {
      fail(std::to_string(field.size()) + " values in " + name, std::to_string(expected) + " for " +
                                                                    onnx_type_name(tensor_.type) +
                                                                    " of shape " + to_string(tensor_.shape));
    }
    std::vector<T> values;
    values.reserve(expected);
    for (const auto value : field) values.push_back(static_cast<T>(value));
    store(std::as_bytes(std::span(values)));
  }

  std::vector<std::byte> read_external() const {
    std::string location;
    std::uint64_t offset = 0;
    std::uint64_t length = stored_bytes_;
    for (const auto& entry : proto_.external_data()) {
      if (entry.key() == "location") location = entry.value();
      if (entry.key() == "offset") offset = byte_count(entry.value(), "offset");
      if (entry.key() == "length") length = byte_count(entry.value(), "length");
    }
    if (length != stored_bytes_) fail_size(length);
    const fs::path path = external_path(location);
    std::error_code error;
    const std::uintmax_t size = fs::file_size(path, error);
    if (error || !fs::is_regular_file(path, error)) {
      fail("external data \"" + location + "\", which cannot be read", "a file beside the model",
           "copy the data file into the model's folder, " + path.parent_path().string());
    }
    if (offset > size || length > size - offset) {
      fail("external data \"" + location + "\" of " + std::to_string(size) + " bytes",
           "bytes " + std::to_string(offset) + " to " + std::to_string(offset + length),
           "the data file is damaged or belongs to another model");
    }
    std::vector<std::byte> bytes(length);
    std::ifstream stream(path, std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(offset));
    stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(length));
    if (static_cast<std::uint64_t>(stream.gcount()) != length) {
      fail("external data \"" + location + "\", which cannot be read", "a file that can be read",
           "check its permissions");
    }
    return bytes;
  }

  /// A path that stays in the model's folder, symbolic links resolved.
  [[nodiscard]] fs::path external_path(const std::string& location) const {
    const fs::path relative(location);
    const bool leaves =
        relative.is_absolute() ||
        std::any_of(relative.begin(), relative.end(), [](const fs::path& part) { return part == ".."; });
    std::error_code error;
    const fs::path folder = fs::weakly_canonical(fs::absolute(fs::path(file_)).parent_path(), error);
    const fs::path path = fs::weakly_canonical(folder / relative, error);
    const bool inside =
        !error && std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
    if (location.empty() || leaves || !inside) {
      fail("external data at \"" + location + "\"", "the name of a file in the model's folder",
           "save the model with its data beside it");
    }
    return path;
  }

  /// External sizes are decimal text.
  [[nodiscard]] std::uint64_t byte_count(const std::string& text, const std::string& what) const {
    std::uint64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || end != text.data() + text.size())
      fail("external data with " + what + " \"" + text + "\"", "a count of bytes");
    return count;
  }

  const ::onnx::TensorProto& proto_;
  const std::string& file_;
  const std::string& place_;
  OnnxTensor tensor_;
  std::size_t count_ = 0;
  std::size_t stored_bytes_ = 0;
  bool is_packed_ = false;
};

}  // namespace

OnnxTensor read_tensor(const ::onnx::TensorProto& proto, const std::string& model_file,
                       const std::string& place) {
  return TensorReader(proto, model_file, place).read();
}

}  // namespace qsim::onnx_format

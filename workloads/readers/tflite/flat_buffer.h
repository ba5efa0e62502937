// Checked access to a FlatBuffer: every offset, length and size is compared with the file before it is
// followed, so that a truncated or hostile file ends in an InputError with its byte offset and never outside
// the buffer.
//
// Format (flatbuffers internals): a table starts with a signed 32-bit distance back to its vtable; the vtable
// has 16-bit entries: its own size, the table's size, then one offset a field (0: absent). Vectors and
// strings start with a 32-bit length; references are 32-bit distances forward.
#pragma once

#include <flatbuffers/base.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qsim::tflite {

class FlatTable;

/// The file's bytes; tables refer to it, so it must outlive them and stay where it is.
class FlatBuffer {
 public:
  FlatBuffer(std::span<const std::byte> bytes, std::string file) : bytes_(bytes), file_(std::move(file)) {}

  /// Throws unless the file has `identifier` ("TFL3") at byte 4.
  void expect_identifier(std::string_view identifier) const;
  [[nodiscard]] FlatTable root() const;
  /// Scalar at a byte position.
  template <typename T>
  [[nodiscard]] T read(std::uint64_t position) const {
    check_range(position, sizeof(T), "a number");
    T value;
    std::memcpy(&value, bytes_.data() + position, sizeof(T));
    return flatbuffers::EndianScalar(value);
  }
  /// Bytes [position, position + count).
  [[nodiscard]] std::span<const std::byte> bytes(std::uint64_t position, std::uint64_t count) const;
  void check_range(std::uint64_t position, std::uint64_t count, const char* what) const;
  [[noreturn]] void fail(std::uint64_t position, const std::string& value, const std::string& expected) const;
  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] std::uint64_t size() const { return bytes_.size(); }

 private:
  std::span<const std::byte> bytes_;
  std::string file_;
};

/// Elements of a vector: where they start and how many there are.
struct FlatVector {
  std::uint64_t position = 0;
  std::uint32_t count = 0;
};

/// One table; field numbers are the schema's.
class FlatTable {
 public:
  FlatTable(const FlatBuffer& buffer, std::uint64_t position);

  template <typename T>
  [[nodiscard]] T scalar(int field, T fallback) const {
    const std::uint64_t position = field_position(field, sizeof(T));
    return position == 0 ? fallback : buffer_->read<T>(position);
  }
  [[nodiscard]] bool boolean(int field, bool fallback) const {
    return scalar<std::uint8_t>(field, fallback ? 1 : 0) != 0;
  }
  [[nodiscard]] std::optional<FlatTable> table(int field) const;
  /// Empty where the field is absent.
  [[nodiscard]] std::string_view string(int field) const;
  /// Elements of `element_bytes` each; no elements where the field is absent.
  [[nodiscard]] FlatVector vector(int field, std::size_t element_bytes) const;
  /// At most `max_count` scalars.
  template <typename T>
  [[nodiscard]] std::vector<T> scalars(int field, std::uint32_t max_count) const {
    const FlatVector found = vector(field, sizeof(T));
    check_count(found, max_count);
    std::vector<T> values(found.count);
    for (std::uint32_t i = 0; i < found.count; ++i) {
      values[i] = buffer_->read<T>(found.position + std::uint64_t{i} * sizeof(T));
    }
    return values;
  }
  [[nodiscard]] std::vector<FlatTable> tables(int field, std::uint32_t max_count) const;
  [[nodiscard]] std::uint64_t position() const { return position_; }
  [[nodiscard]] const FlatBuffer& buffer() const { return *buffer_; }

 private:
  /// Byte position of a field of `bytes` bytes, or 0 where it is absent.
  [[nodiscard]] std::uint64_t field_position(int field, std::size_t bytes) const;
  /// What the 32-bit reference at `position` points at.
  [[nodiscard]] std::uint64_t follow(std::uint64_t position) const;
  void check_count(const FlatVector& vector, std::uint32_t max_count) const;

  const FlatBuffer* buffer_;
  std::uint64_t position_;
  std::uint64_t vtable_ = 0;
  std::uint16_t vtable_bytes_ = 0;
  std::uint16_t table_bytes_ = 0;
};

}  // namespace qsim::tflite

#include "workloads/readers/tflite/flat_buffer.h"

#include "base/error.h"

namespace qsim::tflite {
namespace {

constexpr std::uint64_t kVtableHeaderBytes = 4;

}  // namespace

void FlatBuffer::fail(std::uint64_t position, const std::string& value, const std::string& expected) const {
  throw InputError({file_, "byte " + std::to_string(position), value, expected,
                    "the file is damaged or no TFLite model; copy or convert it again"});
}

void FlatBuffer::check_range(std::uint64_t position, std::uint64_t count, const char* what) const {
  if (position <= size() && count <= size() - position) return;
  fail(position, std::string(what) + " of " + std::to_string(count) + " bytes",
       "at most the file's " + std::to_string(size()) + " bytes");
}

void FlatBuffer::expect_identifier(std::string_view identifier) const {
  constexpr std::uint64_t kIdentifierPosition = 4;
  const std::span<const std::byte> found = bytes(kIdentifierPosition, identifier.size());
  if (std::memcmp(found.data(), identifier.data(), identifier.size()) == 0) return;
  fail(kIdentifierPosition, "no identifier", "the identifier \"" + std::string(identifier) + "\"");
}

FlatTable FlatBuffer::root() const {
  return {*this, read<std::uint32_t>(0)};
}

std::span<const std::byte> FlatBuffer::bytes(std::uint64_t position, std::uint64_t count) const {
  check_range(position, count, "data");
  return bytes_.subspan(position, count);
}

FlatTable::FlatTable(const FlatBuffer& buffer, std::uint64_t position)
    : buffer_(&buffer), position_(position) {
  const auto distance = std::int64_t{buffer.read<std::int32_t>(position)};
  const std::int64_t vtable = static_cast<std::int64_t>(position) - distance;
  if (vtable < 0)
    buffer.fail(position, "a vtable at byte " + std::to_string(vtable), "a vtable inside the file");
  vtable_ = static_cast<std::uint64_t>(vtable);
  vtable_bytes_ = buffer.read<std::uint16_t>(vtable_);
  if (vtable_bytes_ < kVtableHeaderBytes || vtable_bytes_ % 2 != 0) {
    buffer.fail(vtable_, "a vtable of " + std::to_string(vtable_bytes_) + " bytes",
                "an even number of at least 4");
  }
  buffer.check_range(vtable_, vtable_bytes_, "a vtable");
  table_bytes_ = buffer.read<std::uint16_t>(vtable_ + 2);
  buffer.check_range(position, table_bytes_, "a table");
}

std::uint64_t FlatTable::field_position(int field, std::size_t bytes) const {
  const std::uint64_t entry = kVtableHeaderBytes + 2 * static_cast<std::uint64_t>(field);
  if (entry + 2 > vtable_bytes_) return 0;
  const auto offset = buffer_->read<std::uint16_t>(vtable_ + entry);
  if (offset == 0) return 0;
  if (offset + bytes > table_bytes_) {
    buffer_->fail(vtable_ + entry, "a field at " + std::to_string(offset),
                  "a field inside the table's " + std::to_string(table_bytes_) + " bytes");
  }
  return position_ + offset;
}

std::uint64_t FlatTable::follow(std::uint64_t position) const {
  const auto distance = buffer_->read<std::uint32_t>(position);
  if (distance == 0) buffer_->fail(position, "an offset of 0", "an offset to later data");
  return position + distance;
}

std::optional<FlatTable> FlatTable::table(int field) const {
  const std::uint64_t position = field_position(field, sizeof(std::uint32_t));
  if (position == 0) return std::nullopt;
  return FlatTable(*buffer_, follow(position));
}

FlatVector FlatTable::vector(int field, std::size_t element_bytes) const {
  const std::uint64_t position = field_position(field, sizeof(std::uint32_t));
  if (position == 0) return {};
  const std::uint64_t start = follow(position);
  const auto count = buffer_->read<std::uint32_t>(start);
  buffer_->check_range(start + sizeof(std::uint32_t), std::uint64_t{count} * element_bytes, "a vector");
  return {start + sizeof(std::uint32_t), count};
}

std::string_view FlatTable::string(int field) const {
  const FlatVector found = vector(field, 1);
  const std::span<const std::byte> text = buffer_->bytes(found.position, found.count);
  return {reinterpret_cast<const char*>(text.data()), text.size()};
}

std::vector<FlatTable> FlatTable::tables(int field, std::uint32_t max_count) const {
  const FlatVector found = vector(field, sizeof(std::uint32_t));
  check_count(found, max_count);
  std::vector<FlatTable> result;
  result.reserve(found.count);
  for (std::uint32_t i = 0; i < found.count; ++i) {
    result.emplace_back(*buffer_, follow(found.position + std::uint64_t{i} * sizeof(std::uint32_t)));
  }
  return result;
}

void FlatTable::check_count(const FlatVector& vector, std::uint32_t max_count) const {
  if (vector.count <= max_count) return;
  buffer_->fail(vector.position, std::to_string(vector.count) + " elements",
                "at most " + std::to_string(max_count));
}

}  // namespace qsim::tflite

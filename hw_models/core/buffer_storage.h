// The bytes of an on-chip buffer, without time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "hw_models/arithmetic/integer_format.h"

namespace qsim {

/// Elements of any width at bit addresses. An access outside is a std::logic_error that names the buffer.
class BufferStorage {
 public:
  /// Of 0 bytes where no values move.
  BufferStorage(std::string name, std::int64_t bytes)
      : name_(std::move(name)), bytes_(static_cast<std::size_t>(bytes)) {}

  [[nodiscard]] std::int64_t read(std::int64_t bit_address, arithmetic::IntegerFormat format) const;
  void write(std::int64_t bit_address, arithmetic::IntegerFormat format, std::int64_t value);
  /// Bytes [address, address + size), for transfers.
  [[nodiscard]] std::span<std::byte> bytes(std::int64_t address, std::int64_t size);

 private:
  void check(std::int64_t address, std::int64_t size) const;

  std::string name_;
  std::vector<std::byte> bytes_;
};

}  // namespace qsim

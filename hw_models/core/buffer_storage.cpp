#include "hw_models/core/buffer_storage.h"

#include <stdexcept>

#include "hw_models/arithmetic/bit_packing.h"

namespace qsim {

void BufferStorage::check(std::int64_t address, std::int64_t size) const {
  if (address < 0 || size < 0 || address + size > static_cast<std::int64_t>(bytes_.size())) {
    throw std::logic_error(name_ + ": access of " + std::to_string(size) + " bytes at address " +
                           std::to_string(address) + " outside its " + std::to_string(bytes_.size()) +
                           " bytes");
  }
}

std::int64_t BufferStorage::read(std::int64_t bit_address, arithmetic::IntegerFormat format) const {
  check(bit_address / 8, (bit_address % 8 + format.bits + 7) / 8);
  return arithmetic::read_bits(bytes_, bit_address, format);
}

void BufferStorage::write(std::int64_t bit_address, arithmetic::IntegerFormat format, std::int64_t value) {
  check(bit_address / 8, (bit_address % 8 + format.bits + 7) / 8);
  arithmetic::write_bits(bytes_, bit_address, format, value);
}

std::span<std::byte> BufferStorage::bytes(std::int64_t address, std::int64_t size) {
  check(address, size);
  return std::span(bytes_).subspan(static_cast<std::size_t>(address), static_cast<std::size_t>(size));
}

}  // namespace qsim

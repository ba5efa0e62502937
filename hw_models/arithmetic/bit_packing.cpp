#include "hw_models/arithmetic/bit_packing.h"

#include <algorithm>

namespace qsim::arithmetic {

std::int64_t read_bits(std::span<const std::byte> memory, std::int64_t bit_address, IntegerFormat format) {
  std::uint64_t value = 0;
  int done_bits = 0;
  while (done_bits < format.bits) {
    const std::int64_t position = bit_address + done_bits;
    const int offset = static_cast<int>(position % 8);
    const int taken_bits = std::min(8 - offset, format.bits - done_bits);
    const auto byte = std::to_integer<std::uint64_t>(memory[static_cast<std::size_t>(position / 8)]);
    const std::uint64_t mask = (std::uint64_t{1} << taken_bits) - 1;
    value |= ((byte >> offset) & mask) << done_bits;
    done_bits += taken_bits;
  }
  const int unused_bits = 64 - format.bits;
  if (format.is_signed && format.bits == 1) return value == 0 ? 1 : -1;  // the sign bit alone
  if (format.is_signed) {
    return static_cast<std::int64_t>(value << unused_bits) >> unused_bits;
  }
  return static_cast<std::int64_t>(value);
}

void write_bits(std::span<std::byte> memory, std::int64_t bit_address, IntegerFormat format,
                std::int64_t value) {
  if (format.is_signed && format.bits == 1) value = value < 0 ? 1 : 0;  // the sign bit alone
  int done_bits = 0;
  while (done_bits < format.bits) {
    const std::int64_t position = bit_address + done_bits;
    const int offset = static_cast<int>(position % 8);
    const int taken_bits = std::min(8 - offset, format.bits - done_bits);
    const auto mask = static_cast<unsigned>((1U << taken_bits) - 1U);
    const auto bits = static_cast<unsigned>(static_cast<std::uint64_t>(value) >> done_bits) & mask;
    std::byte& byte = memory[static_cast<std::size_t>(position / 8)];
    byte = (byte & ~std::byte(mask << offset)) | std::byte(bits << offset);
    done_bits += taken_bits;
  }
}

}  // namespace qsim::arithmetic

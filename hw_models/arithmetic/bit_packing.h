// Integers packed at their bit width, least significant bit first, as buffers and DRAM hold them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "hw_models/arithmetic/integer_format.h"

namespace qsim::arithmetic {

/// Element whose lowest bit is bit `bit_address` of `memory` (bit 0 = least significant bit of byte 0).
/// 1 to 64 bits. The caller has checked that it lies inside.
[[nodiscard]] std::int64_t read_bits(std::span<const std::byte> memory, std::int64_t bit_address,
                                     IntegerFormat format);

/// Stores the low `format.bits` bits of `value` (one signed bit: whether it is negative); the neighbours keep
/// theirs.
void write_bits(std::span<std::byte> memory, std::int64_t bit_address, IntegerFormat format,
                std::int64_t value);

/// Bytes that a contiguous run of `count` elements takes: ceil(count * bits / 8).
[[nodiscard]] constexpr std::int64_t packed_bytes(std::int64_t count, int bits) {
  return (count * bits + 7) / 8;
}

}  // namespace qsim::arithmetic

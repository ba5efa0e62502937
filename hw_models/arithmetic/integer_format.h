// Integer operands of 1 to 32 bits.
#pragma once

#include <cstdint>

namespace qsim::arithmetic {

/// An integer format: `bits` wide, two's complement when signed. One signed bit stands for -1 or +1 (binary
/// weights; zero is not among its values).
struct IntegerFormat {
  int bits = 8;
  bool is_signed = true;

  [[nodiscard]] constexpr std::int64_t min() const {
    return is_signed ? -(std::int64_t{1} << (bits - 1)) : 0;
  }
  [[nodiscard]] constexpr std::int64_t max() const {
    if (is_signed && bits == 1) return 1;
    return is_signed ? (std::int64_t{1} << (bits - 1)) - 1 : (std::int64_t{1} << bits) - 1;
  }
  friend constexpr bool operator==(const IntegerFormat&, const IntegerFormat&) = default;
};

}  // namespace qsim::arithmetic

// Arithmetic on sizes that a stranger's file states.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>

namespace qsim {

/// Product of sizes: nothing where one is below 0, or where the product of those above 0 exceeds `limit`. No
/// partial product of an accepted list overflows, in whatever order, even where a 0 makes the whole 0.
[[nodiscard]] constexpr std::optional<std::int64_t> checked_product(std::span<const std::int64_t> sizes,
                                                                    std::int64_t limit) {
  std::int64_t product = 1;
  bool is_empty = false;
  for (const std::int64_t size : sizes) {
    const std::int64_t factor = std::max<std::int64_t>(size, 1);
    if (size < 0 || factor > limit / product) return std::nullopt;
    is_empty = is_empty || size == 0;
    product *= factor;
  }
  return is_empty ? 0 : product;
}

}  // namespace qsim

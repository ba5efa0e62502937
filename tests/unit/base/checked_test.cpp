#include "base/checked.h"

#include <catch2/catch.hpp>
#include <limits>
#include <vector>

using qsim::checked_product;

namespace {

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();

std::optional<std::int64_t> product(const std::vector<std::int64_t>& sizes, std::int64_t limit = kLargest) {
  return checked_product(sizes, limit);
}

}  // namespace

TEST_CASE("sizes are multiplied up to the limit, and not one above it") {
  CHECK(product({2, 3, 7}, 42) == 42);
  CHECK_FALSE(product({2, 3, 7}, 41));
  CHECK(product({}) == 1);
  // 2^63 - 1 = 7^2 * 73 * 127 * 337 * 92737 * 649657.
  CHECK(product({49, 73, 127, 337, 92737, 649657}) == kLargest);
  CHECK_FALSE(product({std::int64_t{1} << 32, std::int64_t{1} << 31}));
}

TEST_CASE("a 0 makes the product 0 but hides no overflow of the others") {
  CHECK(product({5, 0, 3}) == 0);
  CHECK_FALSE(product({0, kLargest, 2}));
  CHECK_FALSE(product({kLargest, 2, 0}));
}

TEST_CASE("a negative size has no product") {
  CHECK_FALSE(product({-1}));
  CHECK_FALSE(product({0, -1}));
  CHECK_FALSE(product({std::numeric_limits<std::int64_t>::min(), 0}));
}

#include "sim/compiler/tile_sums.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "sim/compiler/gemm_tiles.h"

namespace {

/// Inputs of tile i that exist, counted one by one.
std::int64_t inputs_of(const qsim::TileReach& reach, std::int64_t i) {
  const std::int64_t last_output = std::min(reach.outputs, (i + 1) * reach.tile) - 1;
  const std::int64_t a = i * reach.tile * reach.stride + reach.offset;
  const std::int64_t b = last_output * reach.stride + reach.offset;
  std::int64_t count = 0;
  for (std::int64_t x = std::min(a, b); x < std::max(a, b) + reach.window; ++x) {
    if (x >= 0 && x < reach.size) ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("tiles inside the tensor are alike, and the sum over them is that over each") {
  std::mt19937 random(1);
  const auto draw = [&](int low, int high) {
    return std::int64_t{std::uniform_int_distribution<int>(low, high)(random)};
  };
  std::int64_t shortened = 0;
  for (int i = 0; i < 2'000; ++i) {
    const qsim::TileReach reach{draw(1, 60),   draw(1, 12), draw(-4, 4),
                                draw(-70, 70), draw(1, 9),  draw(1, 90)};
    const std::int64_t tiles = (reach.outputs + reach.tile - 1) / reach.tile;
    const qsim::TileRange inside = qsim::tiles_inside(reach);
    std::int64_t expected = 0;
    for (std::int64_t tile = 0; tile < tiles; ++tile) expected += inputs_of(reach, tile);
    CAPTURE(reach.outputs, reach.tile, reach.stride, reach.offset, reach.window, reach.size);
    CHECK(qsim::sum_over_tiles(tiles, inside, [&](std::int64_t t) { return inputs_of(reach, t); }) ==
          expected);
    shortened += std::max<std::int64_t>(0, inside.end - inside.begin - 1);
  }
  CHECK(shortened > 1'000);  // The shortcut is taken.
}

TEST_CASE("a dimension of a thousand million is summed at once") {
  constexpr std::int64_t kSize = std::int64_t{1} << 30;
  std::int64_t calls = 0;
  const qsim::TileRange inside = qsim::tiles_inside({kSize, 1, 1, -1, 3, kSize});
  CHECK(qsim::sum_over_tiles(kSize, inside, [&](std::int64_t tile) {
          ++calls;
          return tile == 0 || tile == kSize - 1 ? 2 : 3;
        }) == 3 * kSize - 2);
  CHECK(calls < 10);
}

TEST_CASE("sizes that tile evenly are all there up to a few hundred, then they are halved") {
  CHECK(qsim::tile_sizes(7) == std::vector<std::int64_t>{7, 4, 3, 2, 1});
  const std::vector<std::int64_t> many = qsim::tile_sizes(std::int64_t{1} << 30);
  CHECK(many.size() < 600);
  CHECK(many.front() == std::int64_t{1} << 30);
  CHECK(many.back() == 1);
  CHECK(std::is_sorted(many.rbegin(), many.rend()));
}

TEST_CASE("boxes are about square, and cut the columns evenly") {
  // 112 columns in 2, 3, 4, 6, 9, 13, 19 .. parts are 56, 38, 28, 19, 13, 9, 6 .. wide.
  CHECK(qsim::box_columns(16, 112) == std::vector<std::int64_t>{28, 19, 13, 9});
  CHECK(qsim::box_columns(112, 112) == std::vector<std::int64_t>{56});
  CHECK(qsim::box_columns(4, 1).empty());
}

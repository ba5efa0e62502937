#include "sim/compiler/tile_sums.h"

#include <algorithm>

namespace qsim {
namespace {

/// The first of 0 .. count - 1 for which `holds`, which then holds for all that follow; `count` if none.
template <typename Holds>
std::int64_t first_index(std::int64_t count, const Holds& holds) {
  std::int64_t begin = 0;
  while (begin < count) {
    const std::int64_t middle = begin + (count - begin) / 2;
    if (holds(middle)) {
      count = middle;
    } else {
      begin = middle + 1;
    }
  }
  return begin;
}

}  // namespace

TileRange tiles_inside(const TileReach& reach) {
  const auto first_input = [&](std::int64_t output) { return output * reach.stride + reach.offset; };
  const auto starts_inside = [&](std::int64_t i) {
    return std::min(first_input(i * reach.tile), first_input((i + 1) * reach.tile - 1)) >= 0;
  };
  const auto ends_inside = [&](std::int64_t i) {
    return std::max(first_input(i * reach.tile), first_input((i + 1) * reach.tile - 1)) + reach.window <=
           reach.size;
  };
  // Rising with the index, tiles first leave the region before the tensor, then enter the one behind it; with
  // a negative stride the other way round.
  const std::int64_t full_tiles = reach.outputs / reach.tile;
  const bool rises = reach.stride >= 0;
  const TileRange range{
      first_index(full_tiles, [&](std::int64_t i) { return rises ? starts_inside(i) : ends_inside(i); }),
      first_index(full_tiles, [&](std::int64_t i) { return !(rises ? ends_inside(i) : starts_inside(i)); })};
  return range.begin < range.end ? range : TileRange{};
}

}  // namespace qsim

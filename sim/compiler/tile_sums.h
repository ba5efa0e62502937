// Sums over the tiles of one dimension without visiting them all: away from the ends of the tensor the tiles
// are alike.
#pragma once

#include <cstdint>

namespace qsim {

/// How the tiles of an output dimension reach into an input dimension: output o needs the inputs
/// [o * stride + offset, o * stride + offset + window), of which those in [0, size) exist.
struct TileReach {
  std::int64_t outputs = 1, tile = 1;  ///< Elements of the output, and of one tile; the last may have fewer.
  std::int64_t stride = 1, offset = 0, window = 1;
  std::int64_t size = 1;
};

/// A range of tile indices, [begin, end).
struct TileRange {
  std::int64_t begin = 0, end = 0;
};

/// The full tiles that need no input outside [0, size).
[[nodiscard]] TileRange tiles_inside(const TileReach& reach);

/// Sum of value(0) .. value(count - 1), where value is the same for all of `alike`.
template <typename Value>
[[nodiscard]] std::int64_t sum_over_tiles(std::int64_t count, const TileRange& alike, const Value& value) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < alike.begin; ++i) sum += value(i);
  if (alike.begin < alike.end) sum += (alike.end - alike.begin) * value(alike.begin);
  for (std::int64_t i = alike.end; i < count; ++i) sum += value(i);
  return sum;
}

}  // namespace qsim

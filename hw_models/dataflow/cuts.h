// How the pixels, channels and reduction of a layer are cut into what a pass of the array takes.
#pragma once

#include <algorithm>
#include <cstdint>

#include "hw_models/hardware_config.h"

namespace qsim {

[[nodiscard]] constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

/// The passes over the pixels of a tile, at most `most` pixels each.
///
/// PassOrder::even: as few as possible, of lengths that differ by one at most. PassOrder::full: full ones as
/// long as twice `most` is left; then, while more than `most` is left, halves; then the rest (NVDLA's
/// stripes).
class PassCut {
 public:
  constexpr PassCut(std::int64_t pixels, std::int64_t most, PassOrder order)
      : pixels_(pixels), most_(most), even_(order == PassOrder::even || most < 2) {
    if (even_) {
      count_ = ceil_div(pixels, most);
      return;
    }
    full_ = std::max<std::int64_t>(0, pixels / most - 1);
    const std::int64_t left = pixels - full_ * most;
    count_ = full_ + (left > most ? ceil_div(left - most, most / 2) : 0) + 1;
  }

  [[nodiscard]] constexpr std::int64_t count() const { return count_; }
  /// First pixel of a pass; of pass count() one past the last.
  [[nodiscard]] constexpr std::int64_t begin(std::int64_t pass) const {
    if (pass == count_) return pixels_;
    if (even_) return pass * pixels_ / count_;
    return std::min(pass, full_) * most_ + std::max<std::int64_t>(0, pass - full_) * (most_ / 2);
  }
  [[nodiscard]] constexpr std::int64_t end(std::int64_t pass) const { return begin(pass + 1); }

 private:
  std::int64_t pixels_, most_;
  bool even_;
  std::int64_t full_ = 0, count_ = 0;
};

/// Output channels and groups of one column tile.
struct ColumnTile {
  std::int64_t channel_begin = 0, channel_end = 0;
  std::int64_t group_begin = 0, group_end = 0;
  [[nodiscard]] std::int64_t columns() const { return channel_end - channel_begin; }
  [[nodiscard]] std::int64_t groups() const { return group_end - group_begin; }
};

/// A box of the reduction: kernel rows, kernel columns, channels within the group.
struct ReductionPart {
  std::int64_t kernel_h_begin = 0, kernel_h_end = 0;
  std::int64_t kernel_w_begin = 0, kernel_w_end = 0;
  std::int64_t channel_begin = 0, channel_end = 0;
  [[nodiscard]] std::int64_t channels() const { return channel_end - channel_begin; }
  [[nodiscard]] std::int64_t taps() const {
    return (kernel_h_end - kernel_h_begin) * (kernel_w_end - kernel_w_begin);
  }
  [[nodiscard]] std::int64_t depth() const { return taps() * channels(); }
};

/// Pieces of a part's reduction, each of at most `rows` elements. packed: full pieces one after the other;
/// per_tap: the channels of one kernel tap after the other, each tap cut by itself. Where groups of
/// `scale_group` channels have multipliers of their own each group is cut by itself, as a tap is; the groups
/// divide the part's channels.
class ChunkCut {
 public:
  ChunkCut() = default;  ///< One chunk of one element.
  ChunkCut(const ReductionPart& part, std::int64_t rows, Reduction reduction, std::int64_t scale_group = 0)
      : taps_(scale_group > 0                   ? part.depth() / scale_group
              : reduction == Reduction::per_tap ? part.taps()
                                                : 1),
        tap_depth_(part.depth() / taps_),
        rows_(rows),
        chunks_per_tap_(ceil_div(tap_depth_, rows)) {}
  /// Of `depth` elements side by side.
  ChunkCut(std::int64_t depth, std::int64_t rows)
      : tap_depth_(depth), rows_(rows), chunks_per_tap_(ceil_div(depth, rows)) {}

  [[nodiscard]] std::int64_t count() const { return taps_ * chunks_per_tap_; }
  [[nodiscard]] std::int64_t begin(std::int64_t chunk) const {
    return chunk / chunks_per_tap_ * tap_depth_ + chunk % chunks_per_tap_ * rows_;
  }
  [[nodiscard]] std::int64_t depth(std::int64_t chunk) const {
    return std::min(rows_, tap_depth_ - chunk % chunks_per_tap_ * rows_);
  }
  /// Chunks as deep as the first one, and those that are less deep, which are all alike.
  [[nodiscard]] std::int64_t full() const { return count() - partial(); }
  [[nodiscard]] std::int64_t partial() const { return depth(count() - 1) == depth(0) ? 0 : taps_; }

 private:
  std::int64_t taps_ = 1;       ///< Or groups; 1 where the reduction is packed.
  std::int64_t tap_depth_ = 1;  ///< Elements of one.
  std::int64_t rows_ = 1;
  std::int64_t chunks_per_tap_ = 1;
};

}  // namespace qsim

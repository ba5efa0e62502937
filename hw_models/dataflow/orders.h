// The order in which a dataflow keeps weights in the weight buffer and sums in the accumulators.
#pragma once

#include <algorithm>
#include <cstdint>

namespace qsim {

/// Where the weights of a pass lie in the weight buffer, counted in weights from the first: what enters the
/// array together lies together.
class WeightOrder {
 public:
  /// The channels of an element of the reduction lie side by side.
  [[nodiscard]] static constexpr WeightOrder channels_innermost(std::int64_t group_stride,
                                                                std::int64_t k_stride) {
    return {group_stride, k_stride, 1, true};
  }
  /// The reduction of a channel lies side by side.
  [[nodiscard]] static constexpr WeightOrder reduction_innermost(std::int64_t group_stride,
                                                                 std::int64_t channel_stride) {
    return {group_stride, 1, channel_stride, false};
  }
  [[nodiscard]] constexpr bool has_channels_innermost() const { return has_channels_innermost_; }

  /// Position of the weight of element k of the pass's reduction and channel c of the group.
  [[nodiscard]] constexpr std::int64_t index(std::int64_t group, std::int64_t k, std::int64_t c) const {
    return group * group_stride_ + k * k_stride_ + c * channel_stride_;
  }

 private:
  constexpr WeightOrder(std::int64_t group_stride, std::int64_t k_stride, std::int64_t channel_stride,
                        bool has_channels_innermost)
      : group_stride_(group_stride),
        k_stride_(k_stride),
        channel_stride_(channel_stride),
        has_channels_innermost_(has_channels_innermost) {}

  std::int64_t group_stride_, k_stride_, channel_stride_;
  bool has_channels_innermost_;
};

/// Where the weights of a block lie in the weight buffer, counted in weights from the first: column tile
/// after column tile, in each chunk after chunk, in each the WeightOrder of the dataflow. One group.
struct WeightBlock {
  std::int64_t depth = 1;        ///< Elements of the reduction.
  std::int64_t channels = 1;     ///< Of all column tiles.
  std::int64_t column_tile = 1;  ///< Channels of each but the last.
  std::int64_t chunk = 1;        ///< Elements of the reduction of each chunk but the last.
  bool has_channels_innermost = true;

  /// Position of the weight of element k of the reduction and channel n of the block.
  [[nodiscard]] constexpr std::int64_t index(std::int64_t k, std::int64_t n) const {
    const std::int64_t first_n = n - n % column_tile;
    const std::int64_t first_k = k - k % chunk;
    const std::int64_t tile_channels = std::min(column_tile, channels - first_n);
    const std::int64_t base = first_n * depth + first_k * tile_channels;
    if (has_channels_innermost) return base + (k - first_k) * tile_channels + n - first_n;
    return base + (n - first_n) * std::min(chunk, depth - first_k) + k - first_k;
  }
};

/// An accumulator: entry of a column.
struct AccumulatorCell {
  std::int64_t entry = 0, column = 0;
};

/// Where the sums of a pass are kept: pixel, group and channel of the group, each from 0.
class AccumulatorOrder {
 public:
  /// [pixel][group, channel]: a column keeps a channel.
  [[nodiscard]] static constexpr AccumulatorOrder channel_a_column(std::int64_t group_channels) {
    return {1, 0, 0, 1, group_channels};
  }
  /// [channel][group, pixel]: a column keeps a pixel.
  [[nodiscard]] static constexpr AccumulatorOrder pixel_a_column(std::int64_t pixels) {
    return {0, 1, 1, 0, pixels};
  }

  /// Entries of a column that the sums of `pixels` pixels and `channels` channels a group take.
  [[nodiscard]] constexpr std::int64_t entries(std::int64_t pixels, std::int64_t channels) const {
    return cell(pixels - 1, 0, channels - 1).entry + 1;
  }
  [[nodiscard]] constexpr AccumulatorCell cell(std::int64_t pixel, std::int64_t group,
                                               std::int64_t channel) const {
    return {pixel * pixel_entries_ + channel * channel_entries_,
            pixel * pixel_columns_ + channel * channel_columns_ + group * group_columns_};
  }

 private:
  constexpr AccumulatorOrder(std::int64_t pixel_entries, std::int64_t channel_entries,
                             std::int64_t pixel_columns, std::int64_t channel_columns,
                             std::int64_t group_columns)
      : pixel_entries_(pixel_entries),
        channel_entries_(channel_entries),
        pixel_columns_(pixel_columns),
        channel_columns_(channel_columns),
        group_columns_(group_columns) {}

  std::int64_t pixel_entries_, channel_entries_;
  std::int64_t pixel_columns_, channel_columns_;
  std::int64_t group_columns_;
};

}  // namespace qsim

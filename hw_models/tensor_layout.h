// Where the elements of a tensor lie.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "hw_models/activity.h"
#include "hw_models/arithmetic/integer_format.h"

namespace qsim {

/// Four dimensions, channels last: batch, row (y), column (x), channel (c).
inline constexpr std::size_t kDims = 4;
using Dims = std::array<std::int64_t, kDims>;
enum Dim : std::size_t { kBatch = 0, kRow = 1, kColumn = 2, kChannel = 3 };

/// A box of elements: [begin, end) in each dimension.
struct Box {
  Dims begin{};
  Dims end{};
  [[nodiscard]] std::int64_t extent(std::size_t d) const { return end[d] - begin[d]; }
  [[nodiscard]] std::int64_t elements() const { return extent(0) * extent(1) * extent(2) * extent(3); }
  friend bool operator==(const Box&, const Box&) = default;
};

/// Rows [begin, end) of a tensor, from the first to the last where `end` is kAllRows.
struct RowWindow {
  static constexpr std::int64_t kAllRows = -1;
  std::int64_t begin = 0;
  std::int64_t end = kAllRows;

  [[nodiscard]] bool is_all() const { return end == kAllRows; }
  [[nodiscard]] std::int64_t end_of(std::int64_t rows) const { return is_all() ? rows : end; }
};

/// Where the elements of a tensor lie: element (b, y, x, c) starts at bit
/// 8 * (base + b*strides[0] + y*strides[1] + x*strides[2]) + c*format.bits.
/// The channels of a pixel are packed; a pixel starts at a byte. In a ring row y takes the place of row
/// y - ring_rows, so that there are the last `ring_rows` rows written.
struct TensorLayout {
  std::int64_t base = 0;
  std::array<std::int64_t, 3> strides{};
  arithmetic::IntegerFormat format{};
  std::int64_t ring_rows = 0;  ///< 0: all rows have places of their own.

  /// Place of row y among the rows that there are.
  [[nodiscard]] std::int64_t place_of_row(std::int64_t y) const { return ring_rows > 0 ? y % ring_rows : y; }
  [[nodiscard]] std::int64_t bit_address(std::int64_t b, std::int64_t y, std::int64_t x,
                                         std::int64_t c) const {
    return 8 * (base + b * strides[0] + place_of_row(y) * strides[1] + x * strides[2]) + c * format.bits;
  }
};

/// A tensor as a nest sees it, wherever it lies.
struct TensorView {
  Dims dims{};                     ///< Extents of the whole tensor.
  TensorLayout layout;             ///< Of the whole tensor, at base 0.
  std::int64_t pixel_granule = 1;  ///< Bytes that a pixel's channels are rounded up to.
  /// Where no other nest moves it: pixels may begin at multiples of this in DRAM (dram_pitch.h). 0: they lie
  /// one behind the other.
  std::int64_t pitch_bytes = 0;
};

/// How a nest reaches a tensor of activations.
struct Placement {
  /// The whole tensor lies in the activation buffer at `buffer`; otherwise tiles of it pass through slots.
  bool resident = false;
  TensorLayout dram;                ///< Whole tensor in DRAM (not resident, or stored there as well).
  TensorLayout buffer;              ///< Resident: whole tensor. Slots: strides of a tile; base is the slot's.
  std::vector<std::int64_t> slots;  ///< Base addresses of the tile slots (not resident).
  Dims dims{};                      ///< Extents of the whole tensor.
  std::int64_t pixel_granule = 1;   ///< Bytes that a pixel's channels are rounded up to.
  Event traffic = Event::dram_read_activation_bytes;  ///< What its DRAM bytes count as.
};

/// A placement of a tensor in which it has no address yet, neither in DRAM nor in a buffer.
[[nodiscard]] inline Placement unplaced(const TensorView& view) {
  Placement placement;
  placement.dram = placement.buffer = view.layout;
  placement.dims = view.dims;
  placement.pixel_granule = view.pixel_granule;
  return placement;
}

}  // namespace qsim

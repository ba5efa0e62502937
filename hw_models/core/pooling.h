// Poolings on a product's way out: which windows are complete after which pixels, and what waits for the
// rest.
#pragma once

#include <algorithm>
#include <cstdint>

#include "hw_models/core/nest_cursor.h"
#include "hw_models/gemm.h"
#include "hw_models/vector_operation.h"

namespace qsim {

/// Windows of a pooling in one dimension: window p takes elements p * stride + offset .. + window - 1 of
/// `size`, those that there are, at least one; `offset` <= 0 is padding.
struct PoolWindows {
  std::int64_t window = 1, stride = 1, offset = 0, size = 1, count = 1;

  [[nodiscard]] std::int64_t first(std::int64_t p) const {
    return std::max<std::int64_t>(0, p * stride + offset);
  }
  [[nodiscard]] std::int64_t end(std::int64_t p) const {
    return std::min(size, p * stride + offset + window);
  }
  /// Windows that have an element among the first e: the first ones.
  [[nodiscard]] std::int64_t begun(std::int64_t e) const {
    return e <= 0 ? 0 : std::min(count, ceil_div(e - offset, stride));
  }
  /// Windows that have all of theirs there.
  [[nodiscard]] std::int64_t completed(std::int64_t e) const {
    if (e >= size) return count;
    const std::int64_t last = e - offset - window;
    return last < 0 ? 0 : std::min(count, last / stride + 1);
  }
  /// The most windows that have some of theirs and want more, between two elements.
  [[nodiscard]] std::int64_t most_open() const { return std::min(count, ceil_div(window - 1, stride)); }
};
[[nodiscard]] PoolWindows pool_windows(const VectorProblem& pooling, Dim dimension);

/// What a run of a channel's pixels does to the windows: in a row of pixels each window's row is gathered in
/// a register; it joins the rows before it, which wait in the line storage, and waits there for the next one.
struct PoolRun {
  std::int64_t completed = 0;  ///< Windows whose last pixel is in the run.
  std::int64_t line_reads = 0, line_writes = 0;
};
/// Pixels [begin, end) of the pooling's input, in raster order.
[[nodiscard]] PoolRun pool_run(const VectorProblem& pooling, std::int64_t begin, std::int64_t end);

/// Entries of the line storage that a product takes: [line][column of the output][channel]. Channels are
/// those that have windows open at the same time: of a column tile; where tiles of pixels end within windows,
/// of a block or, with activations outside, of all.
struct PoolLines {
  enum class Scope : std::uint8_t { column_tile, block, all };

  std::int64_t lines = 0, columns = 0, channels = 0;
  std::int64_t entry_bytes = 1;  ///< A maximum as wide as its elements, or a sum of 32 bits.
  Scope scope = Scope::column_tile;

  [[nodiscard]] std::int64_t entries() const { return lines * columns * channels; }
  [[nodiscard]] std::int64_t bytes() const { return entries() * entry_bytes; }
  [[nodiscard]] std::int64_t index(std::int64_t row, std::int64_t column, std::int64_t channel) const {
    return (row % lines * columns + column) * channels + channel;
  }
};
/// `problem` has a pooling; `cursor` is of problem and mapping.
[[nodiscard]] PoolLines pool_lines(const GemmProblem& problem, const GemmMapping& mapping,
                                   const GemmCursor& cursor);
[[nodiscard]] std::int64_t pool_entry_bytes(const VectorProblem& pooling);

/// What is written of outputs `box` of a product: the windows that they complete, all columns, where a
/// pooling is on the way out.
[[nodiscard]] Box written_box(const GemmProblem& problem, Box box);

}  // namespace qsim

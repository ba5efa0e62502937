// Windows of a pooling on the way out, against the list of all elements of all windows.
#include "hw_models/core/pooling.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <utility>
#include <vector>

namespace qsim {
namespace {

/// All windows of one dimension that have an element, up to the first that has none.
std::vector<PoolWindows> many_windows() {
  std::vector<PoolWindows> all;
  for (std::int64_t size = 1; size <= 9; ++size)
    for (std::int64_t window = 1; window <= 4; ++window)
      for (std::int64_t stride = 1; stride <= 4; ++stride)
        for (std::int64_t pad = 0; pad < window; ++pad)
          for (std::int64_t count = 1; (count - 1) * stride - pad < size; ++count)
            all.push_back({window, stride, -pad, size, count});
  return all;
}

/// Elements of window p, one by one.
std::vector<std::int64_t> elements(const PoolWindows& windows, std::int64_t p) {
  std::vector<std::int64_t> found;
  for (std::int64_t i = 0; i < windows.window; ++i) {
    const std::int64_t e = p * windows.stride + windows.offset + i;
    if (e >= 0 && e < windows.size) found.push_back(e);
  }
  return found;
}

TEST_CASE("windows that have begun and that are complete, counted one by one") {
  for (const PoolWindows& windows : many_windows()) {
    INFO("window " << windows.window << " stride " << windows.stride << " offset " << windows.offset
                   << " size " << windows.size << " count " << windows.count);
    std::int64_t most_open = 0;
    for (std::int64_t e = 0; e <= windows.size; ++e) {
      std::int64_t begun = 0;
      std::int64_t completed = 0;
      for (std::int64_t p = 0; p < windows.count; ++p) {
        const std::vector<std::int64_t> own = elements(windows, p);
        begun += own.front() < e ? 1 : 0;
        completed += own.back() < e ? 1 : 0;
      }
      CHECK(windows.begun(e) == begun);
      CHECK(windows.completed(e) == completed);
      most_open = std::max(most_open, begun - completed);
    }
    CHECK(windows.most_open() >= most_open);
    for (std::int64_t p = 0; p < windows.count; ++p) {
      CHECK(windows.first(p) == elements(windows, p).front());
      CHECK(windows.end(p) == elements(windows, p).back() + 1);
    }
  }
}

VectorProblem pooling_of(const PoolWindows& rows, const PoolWindows& columns) {
  VectorProblem problem;
  problem.function = arithmetic::WindowFunction{arithmetic::MaxPoolFunction{}};
  problem.extent = {1, rows.count, columns.count, 1};
  problem.window = {1, rows.window, columns.window, 1};
  VectorInput input;
  input.tensor.dims = {1, rows.size, columns.size, 1};
  input.tensor.layout.format = {8, true};
  input.stride = {1, rows.stride, columns.stride, 1};
  input.offset = {0, rows.offset, columns.offset, 0};
  problem.inputs.push_back(input);
  return problem;
}

/// Pixel by pixel: a row of a window, gathered, takes its entry and puts it back.
PoolRun run_of_pixels(const VectorProblem& pooling, std::int64_t begin, std::int64_t end) {
  const PoolWindows rows = pool_windows(pooling, kRow);
  const PoolWindows columns = pool_windows(pooling, kColumn);
  PoolRun run;
  for (std::int64_t pixel = begin; pixel < end; ++pixel) {
    for (std::int64_t p = 0; p < rows.count; ++p) {
      for (std::int64_t q = 0; q < columns.count; ++q) {
        const std::vector<std::int64_t> ys = elements(rows, p);
        const std::int64_t y = pixel / columns.size;
        if (std::ranges::count(ys, y) == 0 || elements(columns, q).back() != pixel % columns.size) continue;
        run.line_reads += y != ys.front() ? 1 : 0;
        (y == ys.back() ? run.completed : run.line_writes) += 1;
      }
    }
  }
  return run;
}

TEST_CASE("what a run of pixels completes, reads and writes, pixel by pixel") {
  const std::vector<PoolWindows> all = many_windows();
  for (std::size_t i = 0; i + 7 < all.size(); i += 7) {
    const VectorProblem pooling = pooling_of(all[i], all[(i * 31 + 5) % all.size()]);
    const std::int64_t pixels = pooling.inputs[0].tensor.dims[kRow] * pooling.inputs[0].tensor.dims[kColumn];
    INFO("case " << i);
    for (const auto& [begin, end] : {std::pair(std::int64_t{0}, pixels), std::pair(pixels / 3, pixels / 2),
                                     std::pair(pixels / 2, pixels - pixels / 5)}) {
      const PoolRun expected = run_of_pixels(pooling, begin, end);
      const PoolRun run = pool_run(pooling, begin, end);
      CHECK(run.completed == expected.completed);
      CHECK(run.line_reads == expected.line_reads);
      CHECK(run.line_writes == expected.line_writes);
    }
  }
}

/// A product with 40 channels of 8 x 6 pixels, in column tiles of 16, two of them a block.
GemmProblem product_with(const VectorProblem& pooling) {
  GemmProblem problem;
  problem.geometry.output = {1, 8, 6, 40};
  problem.geometry.input = {1, 8, 6, 4};
  problem.way_out.push_back({std::make_shared<const VectorProblem>(pooling), 0});
  return problem;
}

TEST_CASE("lines are those of the channels that wait at the same time") {
  GemmMapping mapping;
  mapping.column_tile = 16;
  mapping.column_tiles_per_block = 2;
  mapping.tile_columns = 6;
  mapping.part_channels = 4;
  const auto bytes = [&](const PoolWindows& rows, std::int64_t tile_rows, LoopOrder order) {
    mapping.tile_rows = tile_rows;
    mapping.order = order;
    const GemmProblem problem = product_with(pooling_of(rows, {2, 2, 0, 6, 3}));
    return pool_lines(problem, mapping, GemmCursor(problem, mapping)).bytes();
  };
  const PoolWindows beside{2, 2, 0, 8, 4};    // rows 0 1, 2 3, ..
  const PoolWindows overlap{3, 2, -1, 8, 4};  // rows 0 1, 1 2 3, ..: one waits behind each pair of rows
  const PoolWindows wide{3, 1, -1, 8, 8};     // two wait
  // A column tile's 16 channels of 3 columns, in tiles that end between windows.
  CHECK(bytes(beside, 8, LoopOrder::weights_outer) == 3 * 16);
  CHECK(bytes(beside, 2, LoopOrder::activations_outer) == 3 * 16);
  CHECK(bytes(overlap, 8, LoopOrder::activations_outer) == 3 * 16);
  // Tiles end within windows: a block's 32 channels, or all 40.
  CHECK(bytes(overlap, 2, LoopOrder::weights_outer) == 3 * 32);
  CHECK(bytes(overlap, 2, LoopOrder::activations_outer) == 3 * 40);
  CHECK(bytes(wide, 4, LoopOrder::weights_outer) == 2 * 3 * 32);
}

}  // namespace
}  // namespace qsim

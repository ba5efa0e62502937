#include <catch2/catch.hpp>

#include <set>
#include <utility>
#include <vector>

#include "hw_models/core/nest_cursor.h"
#include "hw_models/core/tile_operands.h"

namespace qsim {
namespace {

struct Layer {
  GemmProblem problem;
  GemmMapping mapping;
};

/// 3x3 convolution, stride 2, padding 1, 8 into 20 channels on 9x9 pixels: 5x5 outputs.
Layer layer() {
  Layer n;
  n.problem.geometry.input = {1, 9, 9, 8};
  n.problem.geometry.output = {1, 5, 5, 20};
  n.problem.geometry.kernel_h = n.problem.geometry.kernel_w = 3;
  n.problem.geometry.stride_h = n.problem.geometry.stride_w = 2;
  n.problem.geometry.pad_top = n.problem.geometry.pad_left = 1;
  n.mapping.tile_rows = 2;
  n.mapping.tile_columns = 5;
  n.mapping.pixels_per_pass = 10;
  n.mapping.column_tile = 8;
  n.mapping.part_kernel_h = n.mapping.part_kernel_w = 3;
  n.mapping.part_channels = 8;
  n.mapping.chunk_rows = 16;
  return n;
}

TEST_CASE("the steps of a nest cover every output once") {
  for (const LoopOrder order : {LoopOrder::weights_outer, LoopOrder::activations_outer}) {
    Layer n = layer();
    n.mapping.order = order;
    const GemmCursor cursor(n.problem, n.mapping);
    std::set<std::int64_t> seen;
    for (std::int64_t i = 0; i < cursor.steps(); ++i) {
      const Box box = cursor.step(i).output;
      for (std::int64_t y = box.begin[kRow]; y < box.end[kRow]; ++y)
        for (std::int64_t x = box.begin[kColumn]; x < box.end[kColumn]; ++x)
          for (std::int64_t c = box.begin[kChannel]; c < box.end[kChannel]; ++c)
            CHECK(seen.insert((y * 5 + x) * 20 + c).second);
    }
    CHECK(seen.size() == 5 * 5 * 20);
  }
}

TEST_CASE("input tiles include the halo and are clipped at the border") {
  const Layer n = layer();
  const GemmCursor cursor(n.problem, n.mapping);
  // Outputs 0..1 read rows 0*2-1 .. 1*2-1+2, clipped at 0; outputs 4..4 read 7..9, clipped at 9.
  CHECK(cursor.step(0).input.begin[kRow] == 0);
  CHECK(cursor.step(0).input.end[kRow] == 4);
  CHECK(cursor.step(2).input.begin[kRow] == 7);
  CHECK(cursor.step(2).input.end[kRow] == 9);
}

TEST_CASE("weights are loaded once a block in one order and once a tile in the other") {
  Layer n = layer();
  const auto loads = [](const Layer& of) {
    const GemmCursor cursor(of.problem, of.mapping);
    std::int64_t count = 0;
    for (std::int64_t i = 0; i < cursor.steps(); ++i) count += cursor.step(i).loads_weights ? 1 : 0;
    return count;
  };
  n.mapping.order = LoopOrder::weights_outer;
  CHECK(loads(n) == 3);  // 20 channels in tiles of 8
  n.mapping.order = LoopOrder::activations_outer;
  CHECK(loads(n) == 9);  // times three tiles of rows
}

TEST_CASE("every load has exactly one last use before the next load") {
  Layer n = layer();
  n.mapping.part_kernel_h = 1;
  const GemmCursor cursor(n.problem, n.mapping);
  std::int64_t live = 0;
  for (std::int64_t i = 0; i < cursor.steps(); ++i) {
    const GemmStep step = cursor.step(i);
    live += step.loads_weights ? 1 : 0;
    CHECK(live == 1);
    live -= step.last_use_of_weights ? 1 : 0;
  }
  CHECK(live == 0);
}

TEST_CASE("the reduction runs over kernel rows, kernel columns, then channels") {
  const Layer n = layer();
  const GemmCursor cursor(n.problem, n.mapping);
  const ReductionPart part = cursor.part(0);
  CHECK(part.depth() == 72);
  CHECK(cursor.chunks(part).count() == 5);  // 16 + 16 + 16 + 16 + 8
  CHECK(cursor.chunks(part).depth(4) == 8);
  const Tap tap = tap_of(part, 3 * 8 + 8 + 5);
  CHECK(tap.kernel_h == 1);
  CHECK(tap.kernel_w == 1);
  CHECK(tap.channel == 5);
}

TEST_CASE("activations read leave padded taps out") {
  const Layer n = layer();
  const GemmCursor cursor(n.problem, n.mapping);
  MacTile tile;
  const GemmNest nest(0, n.problem, n.mapping, {});
  tile.nest = &nest;
  tile.columns = cursor.column_tile(0);
  tile.part = cursor.part(0);
  tile.chunk_depth = tile.part.depth();
  tile.output = cursor.step(0).output;
  tile.pixel_end = 10;
  // By hand: for each of the 2x5 pixels the taps with 0 <= 2*o - 1 + k < 9 in both dimensions, times 8
  // channels.
  std::int64_t expected = 0;
  for (std::int64_t oy = 0; oy < 2; ++oy)
    for (std::int64_t ox = 0; ox < 5; ++ox)
      for (std::int64_t ky = 0; ky < 3; ++ky)
        for (std::int64_t kx = 0; kx < 3; ++kx) {
          const std::int64_t y = 2 * oy - 1 + ky;
          const std::int64_t x = 2 * ox - 1 + kx;
          if (y >= 0 && y < 9 && x >= 0 && x < 9) expected += 8;
        }
  CHECK(activations_read(tile) == expected);
}

TEST_CASE("a chunk of reduction per_tap never crosses a tap") {
  Layer n = layer();  // 9 taps of 8 channels
  n.mapping.reduction = Reduction::per_tap;
  n.mapping.chunk_rows = 5;
  const GemmCursor cursor(n.problem, n.mapping);
  const ReductionPart part = cursor.part(0);
  const ChunkCut cut = cursor.chunks(part);
  CHECK(cut.count() == 18);  // 5 + 3 channels of each tap
  std::int64_t end = 0;
  for (std::int64_t chunk = 0; chunk < cut.count(); ++chunk) {
    CHECK(cut.begin(chunk) == end);
    end += cut.depth(chunk);
    const Tap first = tap_of(part, cut.begin(chunk));
    const Tap last = tap_of(part, end - 1);
    CHECK(first.kernel_h == last.kernel_h);
    CHECK(first.kernel_w == last.kernel_w);
  }
  CHECK(end == part.depth());
  std::int64_t bytes = 0;
  for (std::int64_t chunk = 0; chunk < cut.count(); ++chunk) {
    bytes += cursor.chunk_bytes(cursor.column_tile(0), cut.depth(chunk));
  }
  CHECK(cursor.block_bytes(0, 0) == bytes);
}

TEST_CASE("windows of a nest's rows cover every output once, and fetch every input once") {
  // 5 rows in stripes of 2, 1 and 2; 3x3 of stride 2 with padding 1: outputs up to row o have read
  // 2 (o - 1) - 1 + 3 = 2 o rows, and the last one is followed by none.
  Layer n = layer();
  n.mapping.input_resident = n.mapping.fetch_input = true;
  std::set<std::int64_t> outputs;
  std::vector<std::pair<std::int64_t, std::int64_t>> fetched;
  for (const RowWindow window : {RowWindow{0, 2}, RowWindow{2, 3}, RowWindow{3, 5}}) {
    const GemmCursor cursor(n.problem, n.mapping, window);
    for (std::int64_t i = 0; i < cursor.steps(); ++i) {
      const GemmStep step = cursor.step(i);
      CHECK(step.output.begin[kRow] >= window.begin);
      CHECK(step.output.end[kRow] <= window.end);
      CHECK(step.first_step == (i == 0));
      CHECK(step.last_step == (i + 1 == cursor.steps()));
      for (std::int64_t y = step.output.begin[kRow]; y < step.output.end[kRow]; ++y)
        CHECK(outputs.insert(y * 20 + step.output.begin[kChannel]).second);
      if (step.loads_input) fetched.emplace_back(step.fetch.begin[kRow], step.fetch.end[kRow]);
    }
  }
  CHECK(outputs.size() == 5 * 3);
  CHECK(fetched == std::vector<std::pair<std::int64_t, std::int64_t>>{{0, 4}, {4, 6}, {6, 9}});
}

TEST_CASE("the windows of an operation of the vector unit cover its rows once") {
  VectorProblem problem;
  problem.extent = {2, 7, 3, 4};
  std::set<Dims> boxes;
  std::int64_t elements = 0;
  for (const RowWindow window : {RowWindow{0, 3}, RowWindow{3, 7}}) {
    const VectorCursor cursor(problem, problem.extent, {1, 2, 3, 4}, window);
    for (std::int64_t i = 0; i < cursor.steps(); ++i) {
      const Box box = cursor.step(i).output;
      CHECK(box.begin[kRow] >= window.begin);
      CHECK(box.end[kRow] <= window.end);
      CHECK(boxes.insert(box.begin).second);
      elements += box.elements();
    }
  }
  CHECK(elements == 2 * 7 * 3 * 4);
}

TEST_CASE("in a ring a row takes the place of the one as many rows above") {
  TensorLayout layout;
  layout.base = 1000;
  layout.strides = {5 * 64, 64, 8};
  layout.format = {8, true};
  layout.ring_rows = 5;
  CHECK(layout.bit_address(0, 4, 1, 2) == 8 * (1000 + 4 * 64 + 8 + 2));
  CHECK(layout.bit_address(0, 5, 1, 2) == layout.bit_address(0, 0, 1, 2));
  CHECK(layout.bit_address(1, 13, 0, 0) == 8 * (1000 + 5 * 64 + 3 * 64));
}

}  // namespace
}  // namespace qsim

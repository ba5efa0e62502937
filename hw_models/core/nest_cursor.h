// Walks a loop nest lazily: step i of a nest, computed from i alone.
//
// Every queue of the controller has its own cursor over the same nest, so that they agree on the order
// without talking to each other; what they wait for are dependency tokens.
#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "hw_models/core/input_reach.h"
#include "hw_models/dataflow/dataflow_table.h"
#include "hw_models/program.h"

namespace qsim {

/// The dataflow that a mapping is for.
[[nodiscard]] inline const DataflowModel& dataflow_of(const GemmMapping& mapping) {
  return dataflow_model(mapping.dataflow, mapping.organization);
}

/// One iteration of the outer loops of a product's nest.
struct GemmStep {
  Box output;        ///< Output elements that this step contributes to.
  Box input;         ///< Input elements that it reads, clipped to the tensor (may be empty: all padding).
  InputReach reach;  ///< Which rows and columns of `input` are loaded.
  Box fetch;         ///< Of an input that is fetched and stays: what comes with this step (may be empty).
  std::int64_t block = 0;
  std::int64_t column_tile_begin = 0, column_tile_end = 0;
  ReductionPart part;
  std::int64_t part_index = 0;
  bool first_part = false, last_part = false;
  bool first_pixels = false;  ///< Of the first tile of pixels: weights that stay come with these steps.
  bool loads_weights = false, last_use_of_weights = false;
  bool loads_parameters = false, last_use_of_parameters = false;
  bool loads_input = false;  ///< A tile of it, or the piece of one that is fetched.
  bool last_use_of_input = false;
  bool first_step = false, last_step = false;

  [[nodiscard]] std::int64_t pixels() const { return output.extent(kRow) * output.extent(kColumn); }
};

class GemmCursor {
 public:
  /// Problem and mapping must outlive the cursor; `window`: the rows of the output.
  GemmCursor(const GemmProblem& problem, const GemmMapping& mapping, RowWindow window = {});
  explicit GemmCursor(const GemmNest& nest) : GemmCursor(nest.problem(), nest.mapping(), nest.window) {}

  [[nodiscard]] PassCut passes(const GemmStep& step) const {
    return {step.pixels(), mapping_.pixels_per_pass, mapping_.pass_order};
  }
  [[nodiscard]] std::int64_t steps() const { return steps_; }
  [[nodiscard]] GemmStep step(std::int64_t index) const;

  /// The reduction is cut: the sums of all passes of a step wait in one half of the accumulators for the next
  /// part. Otherwise each pass takes the next half.
  [[nodiscard]] bool sums_wait() const { return parts_ > 1 && mapping_.sums_in == SumsIn::accumulators; }
  /// Likewise cut, and the sums of each pass wait in the activation buffer.
  [[nodiscard]] bool sums_leave() const { return parts_ > 1 && !sums_wait(); }
  /// Of sums that leave: how many of the step lie before those of a pass. Column tile after column tile, pass
  /// after pass, [pixel][channel].
  [[nodiscard]] std::int64_t sums_before(const GemmStep& step, const ColumnTile& tile,
                                         std::int64_t pixel_begin) const {
    return step.pixels() * (tile.channel_begin - step.output.begin[kChannel]) + pixel_begin * tile.columns();
  }
  /// Accumulators of a column that a pass takes.
  [[nodiscard]] std::int64_t pass_entries() const;
  /// Where the sums of a pass of a column tile begin in their half of the accumulators.
  [[nodiscard]] std::int64_t accumulator_offset(const GemmStep& step, std::int64_t column_tile,
                                                std::int64_t pass) const {
    if (!sums_wait()) return 0;
    return ((column_tile - step.column_tile_begin) * passes(step).count() + pass) * pass_entries();
  }

  /// In how many pieces a tile of an input comes that is fetched: with the first tap, channels by channels.
  [[nodiscard]] std::int64_t fetched_parts() const { return problem_.geometry.groups == 1 ? parts_c_ : 1; }

  [[nodiscard]] std::int64_t column_tiles() const { return column_tiles_; }
  [[nodiscard]] std::int64_t blocks() const { return blocks_; }
  [[nodiscard]] std::int64_t parts() const { return parts_; }
  /// In which dimensions loads of inputs skip what no output touches.
  [[nodiscard]] const InputSkips& skips() const { return skips_; }
  [[nodiscard]] ColumnTile column_tile(std::int64_t index) const;
  [[nodiscard]] ReductionPart part(std::int64_t index) const;
  /// How a part is cut into the chunks of tiles.
  [[nodiscard]] ChunkCut chunks(const ReductionPart& part) const;
  /// Stored bytes of one chunk's weights of a column tile: rows x columns of a group, packed.
  [[nodiscard]] std::int64_t chunk_bytes(const ColumnTile& tile, std::int64_t chunk_depth) const;
  /// Stored bytes of all weights of a column block and reduction part.
  [[nodiscard]] std::int64_t block_bytes(std::int64_t block, std::int64_t part_index) const;
  /// Output channels [begin, end) of a column block.
  [[nodiscard]] std::pair<std::int64_t, std::int64_t> block_channels(std::int64_t block) const;
  [[nodiscard]] std::int64_t column_tile_begin(std::int64_t block) const;
  [[nodiscard]] std::int64_t column_tile_end(std::int64_t block) const;

  // What is alike, so that sums over all blocks and parts visit few of them.

  /// Blocks b and b + block_period() have as many channels and bytes, but for the last of all blocks, which
  /// may have fewer.
  [[nodiscard]] std::int64_t block_period() const;
  /// Calls visit(block, how many are like it) for blocks that differ.
  template <typename Visit>
  void visit_blocks(const Visit& visit) const {
    const std::int64_t others = blocks_ - 1;  // than the last one
    const std::int64_t period = block_period();
    for (std::int64_t block = 0; block < period && block < others; ++block)
      visit(block, ceil_div(others - block, period));
    visit(others, std::int64_t{1});
  }
  /// Calls visit(part, how many have its size) for parts that differ in size, the first and largest one
  /// first.
  template <typename Visit>
  void visit_parts(const Visit& visit) const {
    for (const auto& [h, of_h] : first_and_last(parts_h_)) {
      for (const auto& [w, of_w] : first_and_last(parts_w_)) {
        for (const auto& [c, of_c] : first_and_last(parts_c_)) {
          if (of_h * of_w * of_c > 0) visit((h * parts_w_ + w) * parts_c_ + c, of_h * of_w * of_c);
        }
      }
    }
  }

 private:
  struct Alike {
    std::int64_t index, count;
  };
  /// Of `count` pieces the last may be smaller.
  [[nodiscard]] static constexpr std::array<Alike, 2> first_and_last(std::int64_t count) {
    return {Alike{0, count > 1 ? count - 1 : 0}, Alike{count - 1, 1}};
  }
  struct Position {
    std::int64_t batch, tile_row, tile_column, block, part;
  };
  [[nodiscard]] Position position(std::int64_t index) const;
  [[nodiscard]] bool same_weights(const Position& a, const Position& b) const;
  [[nodiscard]] bool same_input(const Position& a, const Position& b) const;
  [[nodiscard]] Box output_box(const Position& p) const;
  [[nodiscard]] InputReach reach(const Box& output, const ReductionPart& part) const;
  [[nodiscard]] Box input_box(const InputReach& reach, const Position& p) const;
  [[nodiscard]] Box fetch_box(const Position& p) const;

  const GemmProblem& problem_;
  const GemmMapping& mapping_;
  std::int64_t tiles_per_group_;
  std::int64_t column_tiles_;
  std::int64_t blocks_;
  std::int64_t parts_h_, parts_w_, parts_c_, parts_;
  std::int64_t row_begin_, row_end_;       ///< Of the output.
  std::int64_t tile_rows_, tile_columns_;  ///< Numbers of tiles.
  std::int64_t steps_;
  InputSkips skips_;
};

/// One tile of a VectorNest.
struct VectorStep {
  Box output;  ///< In the nest's own coordinates (add output_offset for the tensor's).
  bool first_step = false, last_step = false;
};

class VectorCursor {
 public:
  /// The first `extent` elements of the output, of them the rows of `window`, in tiles of `tile`. The problem
  /// must outlive the cursor.
  VectorCursor(const VectorProblem& problem, const Dims& extent, const Dims& tile, RowWindow window = {});
  VectorCursor(const VectorProblem& problem, const VectorMapping& mapping)
      : VectorCursor(problem, problem.extent, mapping.tile) {}
  explicit VectorCursor(const VectorNest& nest)
      : VectorCursor(nest.problem(), nest.problem().extent, nest.mapping().tile, nest.window) {}

  [[nodiscard]] std::int64_t steps() const { return steps_; }
  [[nodiscard]] VectorStep step(std::int64_t index) const;
  /// Elements of an input that the output box reads, clipped to the tensor. A resize has one input.
  [[nodiscard]] Box input_box(const VectorInput& input, const Box& output) const;
  /// Of an input that is fetched and stays, what comes with step `index`: the rows that no step before has
  /// had, or all of it with the first step where rows do not come in order.
  [[nodiscard]] Box fetch_box(const VectorInput& input, std::int64_t index) const;
  /// Of a nest that computes a stripe always, where the operation can: a ring has no place for all rows.
  [[nodiscard]] bool comes_row_by_row(const VectorInput& input) const;

 private:
  const VectorProblem& problem_;
  Dims extent_{}, tile_{};
  bool in_stripes_ = false;
  Dims begin_{}, end_{};  ///< Elements of the output: those of the window.
  Dims counts_{};
  std::int64_t steps_ = 1;
};

}  // namespace qsim

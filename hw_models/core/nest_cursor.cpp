#include "hw_models/core/nest_cursor.h"

#include <algorithm>
#include <numeric>

#include "hw_models/arithmetic/bit_packing.h"

namespace qsim {

GemmCursor::GemmCursor(const GemmProblem& problem, const GemmMapping& mapping, RowWindow window)
    : problem_(problem), mapping_(mapping) {
  const ConvolutionGeometry& g = problem.geometry;
  tiles_per_group_ = ceil_div(g.group_outputs(), mapping.column_tile);
  column_tiles_ =
      mapping.groups_per_tile > 1 ? ceil_div(g.groups, mapping.groups_per_tile) : g.groups * tiles_per_group_;
  blocks_ = ceil_div(column_tiles_, mapping.column_tiles_per_block);
  parts_h_ = ceil_div(g.kernel_h, mapping.part_kernel_h);
  parts_w_ = ceil_div(g.kernel_w, mapping.part_kernel_w);
  parts_c_ = ceil_div(g.group_channels(), mapping.part_channels);
  parts_ = parts_h_ * parts_w_ * parts_c_;
  row_begin_ = window.begin;
  row_end_ = window.end_of(g.output[kRow]);
  tile_rows_ = ceil_div(row_end_ - row_begin_, mapping.tile_rows);
  tile_columns_ = ceil_div(g.output[kColumn], mapping.tile_columns);
  steps_ = g.output[kBatch] * tile_rows_ * tile_columns_ * blocks_ * parts_;
  skips_ = input_skips(problem, mapping, blocks_);
}

ColumnTile GemmCursor::column_tile(std::int64_t index) const {
  const ConvolutionGeometry& g = problem_.geometry;
  ColumnTile tile;
  if (mapping_.groups_per_tile > 1) {
    tile.group_begin = index * mapping_.groups_per_tile;
    tile.group_end = std::min(g.groups, tile.group_begin + mapping_.groups_per_tile);
    tile.channel_begin = tile.group_begin * g.group_outputs();
    tile.channel_end = tile.group_end * g.group_outputs();
    return tile;
  }
  tile.group_begin = index / tiles_per_group_;
  tile.group_end = tile.group_begin + 1;
  const std::int64_t within = (index % tiles_per_group_) * mapping_.column_tile;
  tile.channel_begin = tile.group_begin * g.group_outputs() + within;
  tile.channel_end =
      tile.group_begin * g.group_outputs() + std::min(g.group_outputs(), within + mapping_.column_tile);
  return tile;
}

ReductionPart GemmCursor::part(std::int64_t index) const {
  const ConvolutionGeometry& g = problem_.geometry;
  const std::int64_t c = index % parts_c_;
  const std::int64_t w = index / parts_c_ % parts_w_;
  const std::int64_t h = index / (parts_c_ * parts_w_);
  ReductionPart part;
  part.kernel_h_begin = h * mapping_.part_kernel_h;
  part.kernel_h_end = std::min(g.kernel_h, part.kernel_h_begin + mapping_.part_kernel_h);
  part.kernel_w_begin = w * mapping_.part_kernel_w;
  part.kernel_w_end = std::min(g.kernel_w, part.kernel_w_begin + mapping_.part_kernel_w);
  part.channel_begin = c * mapping_.part_channels;
  part.channel_end = std::min(g.group_channels(), part.channel_begin + mapping_.part_channels);
  return part;
}

ChunkCut GemmCursor::chunks(const ReductionPart& part) const {
  return dataflow_of(mapping_).pass_chunks(part, mapping_.chunk_rows, mapping_.reduction,
                                           problem_.scale_group);
}

std::int64_t GemmCursor::chunk_bytes(const ColumnTile& tile, std::int64_t chunk_depth) const {
  const std::int64_t group_columns = tile.columns() / tile.groups();
  return arithmetic::packed_bytes(tile.groups() * chunk_depth * group_columns, problem_.weight_format.bits);
}

std::int64_t GemmCursor::pass_entries() const {
  const std::int64_t channels = mapping_.column_tile / mapping_.groups_per_tile;
  return dataflow_of(mapping_)
      .accumulator_order(mapping_.pixels_per_pass, channels)
      .entries(mapping_.pixels_per_pass, channels);
}

std::int64_t GemmCursor::column_tile_begin(std::int64_t block) const {
  return block * mapping_.column_tiles_per_block;
}

std::int64_t GemmCursor::column_tile_end(std::int64_t block) const {
  return std::min(column_tiles_, (block + 1) * mapping_.column_tiles_per_block);
}

/// Of `period` column tiles in a row (those of a group, or all where a tile has several groups) the last may
/// be narrower; the others are alike.
std::int64_t GemmCursor::block_bytes(std::int64_t block, std::int64_t part_index) const {
  const ChunkCut cut = chunks(part(part_index));
  const auto tile_bytes = [&](std::int64_t index) {
    const ColumnTile tile = column_tile(index);
    return cut.full() * chunk_bytes(tile, cut.depth(0)) +
           cut.partial() * chunk_bytes(tile, cut.depth(cut.count() - 1));
  };
  const std::int64_t period = mapping_.groups_per_tile > 1 ? column_tiles_ : tiles_per_group_;
  const std::int64_t begin = column_tile_begin(block);
  const std::int64_t end = column_tile_end(block);
  const std::int64_t last = end / period - begin / period;
  const std::int64_t whole = end - begin - last;
  const std::int64_t bytes =
      (whole > 0 ? whole * tile_bytes(0) : 0) + (last > 0 ? last * tile_bytes(period - 1) : 0);
  return ceil_div(bytes, problem_.weight_granule_bytes) * problem_.weight_granule_bytes;
}

std::int64_t GemmCursor::block_period() const {
  const std::int64_t within = mapping_.groups_per_tile > 1 ? 1 : tiles_per_group_;
  if (problem_.geometry.groups == 1) return 1;
  return within / std::gcd(within, mapping_.column_tiles_per_block);
}

std::pair<std::int64_t, std::int64_t> GemmCursor::block_channels(std::int64_t block) const {
  return {column_tile(column_tile_begin(block)).channel_begin,
          column_tile(column_tile_end(block) - 1).channel_end};
}

GemmCursor::Position GemmCursor::position(std::int64_t index) const {
  Position p{};
  p.part = index % parts_;
  index /= parts_;
  if (mapping_.order == LoopOrder::activations_outer) {
    p.block = index % blocks_;
    index /= blocks_;
  }
  p.tile_column = index % tile_columns_;
  index /= tile_columns_;
  p.tile_row = index % tile_rows_;
  index /= tile_rows_;
  p.batch = index % problem_.geometry.output[kBatch];
  index /= problem_.geometry.output[kBatch];
  if (mapping_.order == LoopOrder::weights_outer) p.block = index;
  return p;
}

Box GemmCursor::output_box(const Position& p) const {
  const Dims& out = problem_.geometry.output;
  Box box;
  const auto [channel_begin, channel_end] = block_channels(p.block);
  box.begin = {p.batch, row_begin_ + p.tile_row * mapping_.tile_rows, p.tile_column * mapping_.tile_columns,
               channel_begin};
  box.end = {p.batch + 1, std::min(row_end_, box.begin[kRow] + mapping_.tile_rows),
             std::min(out[kColumn], box.begin[kColumn] + mapping_.tile_columns), channel_end};
  return box;
}

InputReach GemmCursor::reach(const Box& output, const ReductionPart& part) const {
  return {input_reach(input_rows(problem_.geometry), output.begin[kRow], output.end[kRow],
                      part.kernel_h_begin, part.kernel_h_end, skips_.rows),
          input_reach(input_columns(problem_.geometry), output.begin[kColumn], output.end[kColumn],
                      part.kernel_w_begin, part.kernel_w_end, skips_.columns)};
}

Box GemmCursor::input_box(const InputReach& reach, const Position& p) const {
  const ConvolutionGeometry& g = problem_.geometry;
  const ReductionPart box = part(p.part);
  // Several groups: the channels of all of them; one group: the part's channels of it.
  const std::int64_t group_begin = column_tile(column_tile_begin(p.block)).group_begin;
  const std::int64_t group_end = column_tile(column_tile_end(p.block) - 1).group_end;
  const std::int64_t channel_begin = group_begin * g.group_channels() + box.channel_begin;
  const std::int64_t channel_end = (group_end - 1) * g.group_channels() + box.channel_end;
  return problem_.stored_box({{p.batch, reach.rows.begin, reach.columns.begin, channel_begin},
                              {p.batch + 1, reach.rows.end(), reach.columns.end(), channel_end}});
}

/// A part's channels (of all groups where there are several) of what the tiles of pixels have not had before:
/// up to the last row and column that the tile reads with all taps, the last tile to the end of the tensor.
/// Tiles come in raster order, and so each element once.
Box GemmCursor::fetch_box(const Position& p) const {
  const ConvolutionGeometry& g = problem_.geometry;
  /// What outputs up to row `end` have had.
  const auto row_end = [&](std::int64_t end) {
    if (end == 0) return std::int64_t{0};
    if (end == g.output[kRow]) return g.input[kRow];
    return input_range(0, end, 0, g.kernel_h, g.stride_h, g.pad_top, g.dilation_h, g.input_dilation_h,
                       g.input[kRow])
        .second;
  };
  const Box output = output_box(p);
  const auto column_end = [&](std::int64_t tile) {
    if (tile + 1 == tile_columns_) return g.input[kColumn];
    const std::int64_t begin = tile * mapping_.tile_columns;
    return input_range(begin, begin + mapping_.tile_columns, 0, g.kernel_w, g.stride_w, g.pad_left,
                       g.dilation_w, g.input_dilation_w, g.input[kColumn])
        .second;
  };
  const std::int64_t channel_begin = fetched_parts() > 1 ? p.part * mapping_.part_channels : 0;
  const std::int64_t channel_end = fetched_parts() > 1
                                       ? std::min(g.input[kChannel], channel_begin + mapping_.part_channels)
                                       : g.input[kChannel];
  return problem_.stored_box(
      {{p.batch, row_end(output.begin[kRow]), p.tile_column > 0 ? column_end(p.tile_column - 1) : 0,
        channel_begin},
       {p.batch + 1, row_end(output.end[kRow]), column_end(p.tile_column), channel_end}});
}

bool GemmCursor::same_input(const Position& a, const Position& b) const {
  return a.batch == b.batch && a.tile_row == b.tile_row && a.tile_column == b.tile_column &&
         a.part == b.part && (problem_.geometry.groups == 1 || a.block == b.block);
}

/// Weights that are activations belong to a row of the output.
bool GemmCursor::same_weights(const Position& a, const Position& b) const {
  const bool same_matrix = !problem_.activation_weights || (a.batch == b.batch && a.tile_row == b.tile_row);
  return a.block == b.block && a.part == b.part && same_matrix;
}

GemmStep GemmCursor::step(std::int64_t index) const {
  const Position here = position(index);
  GemmStep step;
  step.output = output_box(here);
  step.reach = reach(step.output, part(here.part));
  step.input = input_box(step.reach, here);
  step.block = here.block;
  step.column_tile_begin = column_tile_begin(here.block);
  step.column_tile_end = column_tile_end(here.block);
  step.part = part(here.part);
  step.part_index = here.part;
  step.first_part = here.part == 0;
  step.last_part = here.part + 1 == parts_;
  step.first_step = index == 0;
  step.last_step = index + 1 == steps_;
  step.first_pixels = here.batch == 0 && here.tile_row == 0 && here.tile_column == 0;
  const auto differs = [&](std::int64_t other, auto&& same) {
    return other < 0 || other >= steps_ || !same(here, position(other));
  };
  const auto same_blocks = [this](const Position& a, const Position& b) { return same_weights(a, b); };
  const auto same_parameters = [](const Position& a, const Position& b) { return a.block == b.block; };
  const auto same_activations = [this](const Position& a, const Position& b) { return same_input(a, b); };
  step.loads_weights = differs(index - 1, same_blocks);
  step.last_use_of_weights = differs(index + 1, same_blocks);
  step.loads_parameters = differs(index - 1, same_parameters);
  step.last_use_of_parameters = differs(index + 1, same_parameters);
  if (mapping_.input_resident) {
    step.loads_input = mapping_.fetch_input && here.block == 0 && here.part < fetched_parts();
    if (step.loads_input) step.fetch = fetch_box(here);
  } else {
    step.loads_input = differs(index - 1, same_activations);
  }
  step.last_use_of_input = differs(index + 1, same_activations);
  return step;
}

namespace {

/// Output range [begin, end) of one direction of a resize to the range of input positions it reads.
void reach(const std::vector<arithmetic::ResizeTap>& taps, std::int64_t& begin, std::int64_t& end) {
  const auto first = taps.begin() + begin;
  const auto last = taps.begin() + end;
  begin = first->first;
  end = 0;
  for (auto tap = first; tap != last; ++tap) {
    begin = std::min({begin, tap->first, tap->second});
    end = std::max({end, tap->first + 1, tap->second + 1});
  }
}

}  // namespace

VectorCursor::VectorCursor(const VectorProblem& problem, const Dims& extent, const Dims& tile,
                           RowWindow window)
    : problem_(problem), extent_(extent), tile_(tile), in_stripes_(!window.is_all()), end_(extent) {
  begin_[kRow] = window.begin;
  end_[kRow] = window.end_of(extent[kRow]);
  for (std::size_t d = 0; d < kDims; ++d) {
    counts_[d] = ceil_div(end_[d] - begin_[d], tile[d]);
    steps_ *= counts_[d];
  }
}

VectorStep VectorCursor::step(std::int64_t index) const {
  VectorStep step;
  step.first_step = index == 0;
  step.last_step = index + 1 == steps_;
  for (std::size_t d = kDims; d-- > 0;) {
    step.output.begin[d] = begin_[d] + index % counts_[d] * tile_[d];
    step.output.end[d] = std::min(end_[d], step.output.begin[d] + tile_[d]);
    index /= counts_[d];
  }
  return step;
}

Box VectorCursor::input_box(const VectorInput& input, const Box& output) const {
  if (const auto* resize = std::get_if<arithmetic::ResizeFunction>(&problem_.function)) {
    Box box = output;
    reach(resize->rows, box.begin[kRow], box.end[kRow]);
    reach(resize->columns, box.begin[kColumn], box.end[kColumn]);
    return box;
  }
  Box box;
  for (std::size_t d = 0; d < kDims; ++d) {
    const std::size_t from = input.source[d];
    const std::int64_t first = output.begin[from] * input.stride[d] + input.offset[d];
    const std::int64_t last =
        (output.end[from] - 1) * input.stride[d] + input.offset[d] + problem_.window[d] - 1;
    const std::int64_t size = input.tensor.dims[d];
    box.begin[d] = std::clamp<std::int64_t>(std::min(first, last), 0, size);
    box.end[d] = std::clamp<std::int64_t>(std::max(first, last) + 1, box.begin[d], size);
  }
  return box;
}

bool VectorCursor::comes_row_by_row(const VectorInput& input) const {
  const bool whole_rows = counts_[kColumn] == 1 && counts_[kChannel] == 1;
  return (whole_rows || in_stripes_) && input.source[kBatch] == kBatch && input.source[kRow] == kRow &&
         input.stride[kBatch] == 1 && input.offset[kBatch] == 0 &&
         input.tensor.dims[kBatch] == extent_[kBatch] && input.stride[kRow] > 0 &&
         !std::holds_alternative<arithmetic::ResizeFunction>(problem_.function);
}

Box VectorCursor::fetch_box(const VectorInput& input, std::int64_t index) const {
  if (!comes_row_by_row(input)) return index == 0 && begin_[kRow] == 0 ? Box{{}, input.tensor.dims} : Box{};
  const Box output = step(index).output;
  // Columns and channels beside the first tile's read the rows that it has fetched.
  if (output.begin[kColumn] > 0 || output.begin[kChannel] > 0) return {};
  const auto row_end = [&](std::int64_t end) {
    if (end == extent_[kRow]) return input.tensor.dims[kRow];
    Box rows = output;
    rows.begin[kRow] = end - 1;
    rows.end[kRow] = end;
    return input_box(input, rows).end[kRow];
  };
  Box box{{}, input.tensor.dims};
  box.begin[kBatch] = output.begin[kBatch];
  box.end[kBatch] = output.end[kBatch];
  box.begin[kRow] = output.begin[kRow] > 0 ? row_end(output.begin[kRow]) : 0;
  box.end[kRow] = row_end(output.end[kRow]);
  return box;
}

}  // namespace qsim

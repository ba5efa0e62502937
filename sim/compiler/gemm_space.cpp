#include "sim/compiler/gemm_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hw_models/core/nest_cursor.h"
#include "hw_models/core/pooling.h"
#include "sim/compiler/gemm_cost.h"
#include "sim/compiler/gemm_cuts.h"
#include "sim/compiler/gemm_tiles.h"
#include "sim/compiler/mapping_fields.h"
#include "sim/compiler/reduction_parts.h"

namespace qsim {
namespace {

/// How output channels lie in the columns of the array.
struct ColumnCut {
  std::int64_t groups_per_tile, column_tile;
  std::int64_t most_pixels;  ///< Of one pass.
};

/// The order in which values are fixed. Of several given values that leave nothing, the last is at fault.
enum class Level { array, columns, part, block, rows, pixels, slots };

class GemmEnumeration {
 public:
  GemmEnumeration(const GemmProblem& problem, const GemmMapping& residency, const HardwareConfig& hardware,
                  const MappingLimits& limits, const Pinned<GemmMapping>* pin)
      : problem_(problem),
        mapping_(residency),
        hardware_(hardware),
        limits_(limits),
        pin_(pin),
        rates_(limits, problem, hardware) {}

  MappingOptions<GemmMapping> run() {
    if (!set_array()) return std::move(found_);
    for (const Dataflow dataflow : hardware_.mac_array.offered_dataflows()) {
      if (gives(mapping_keys::kDataflow) && pin_->value.dataflow != dataflow) continue;
      set_dataflow(dataflow);
      // The pooler takes the pixels of a channel in turn.
      if (problem_.pooling() != nullptr && !dataflow_of(mapping_).streams_inputs()) continue;
      try_columns();
    }
    if (!found_.needed.empty()) found_.rejection.reset();
    return std::move(found_);
  }

 private:
  // Given values.

  [[nodiscard]] bool gives(std::string_view key) const { return pin_ != nullptr && pin_->gives(key); }

  void reject(Level level, std::string key, std::string value, std::string expected) {
    if (found_.rejection && level < deepest_) return;
    deepest_ = level;
    found_.rejection = PinRejection{std::move(key), std::move(value), std::move(expected)};
  }

  /// The candidates of a field, or the given value where it is among [low, high].
  std::vector<std::int64_t> given_or(Level level, const char* key, std::int64_t GemmMapping::*field,
                                     std::int64_t low, std::int64_t high,
                                     std::vector<std::int64_t> candidates, const char* why) {
    if (!gives(key)) return candidates;
    assert(pin_ != nullptr);
    const std::int64_t value = pin_->value.*field;
    if (value >= low && value <= high) return {value};
    reject(level, key, std::to_string(value), fmt::format("{} to {}, {}", low, high, why));
    return {};
  }

  // What the array fixes.

  bool set_array() {
    const MacArrayConfig& array = hardware_.mac_array;
    mapping_.organization = array.organization;
    mapping_.reduction = array.reduction;
    mapping_.pass_order = hardware_.controller.pass_order;
    const std::vector<Dataflow> offered = array.offered_dataflows();
    if (gives(mapping_keys::kDataflow) && std::ranges::find(offered, pin_->value.dataflow) == offered.end()) {
      std::string expected;
      for (const Dataflow dataflow : offered)
        expected += (expected.empty() ? "" : " or ") + value_text(dataflow);
      reject(Level::array, mapping_keys::kDataflow, value_text(pin_->value.dataflow),
             expected + ", the dataflow" + (offered.size() > 1 ? "s" : "") + " of this chip's array");
      return false;
    }
    if (gives(mapping_keys::kPassOrder) && pin_->value.pass_order != mapping_.pass_order) {
      reject(Level::array, mapping_keys::kPassOrder, value_text(pin_->value.pass_order),
             value_text(mapping_.pass_order) + ", the order of this chip's controller");
      return false;
    }
    return true;
  }

  void set_dataflow(Dataflow dataflow) {
    mapping_.dataflow = dataflow;
    mapping_.chunk_rows =
        dataflow_of(mapping_)
            .extent(hardware_.mac_array, problem_.weight_format.bits, problem_.activation_format.bits)
            .rows;
  }

  // Columns.

  void try_columns() {
    for (const ColumnCut& cut : column_cuts()) {
      mapping_.groups_per_tile = cut.groups_per_tile;
      mapping_.column_tile = cut.column_tile;
      most_pixels_ = cut.most_pixels;
      // A pass is stored by itself where its channels are whole bytes.
      mapping_.stores_each_pass =
          hardware_.requantizer.writes_through && cuts_fall_on_bytes(problem_, mapping_, 1, column_tiles());
      try_parts();
    }
  }

  /// What a pass may take of `groups` groups of the layer.
  [[nodiscard]] PassBounds bounds(std::int64_t groups) const {
    const ConvolutionGeometry& g = problem_.geometry;
    LayerShape layer;
    layer.groups = groups;
    layer.outputs = g.group_outputs();
    layer.pixels = g.output[kRow] * g.output[kColumn];
    layer.taps = g.kernel_h * g.kernel_w;
    layer.channels = g.group_channels();
    layer.weight_bits = problem_.weight_format.bits;
    layer.activation_bits = problem_.activation_format.bits;
    return dataflow_of(mapping_).bounds(hardware_.mac_array, layer,
                                        hardware_.accumulators.entries_per_slot());
  }

  [[nodiscard]] std::vector<ColumnCut> column_cuts() {
    const std::int64_t outputs = problem_.geometry.group_outputs();
    // Groups of weights with multipliers follow each other; side by side a chunk would have several.
    const std::int64_t fit = problem_.scale_group > 0 ? 1 : bounds(problem_.geometry.groups).groups;
    std::int64_t groups = fit;
    if (gives(mapping_keys::kColumnTile) && pin_->value.column_tile != fit * outputs) groups = 1;
    std::vector<ColumnCut> cuts;
    for (const std::int64_t together :
         given_or(Level::columns, mapping_keys::kGroupsPerTile, &GemmMapping::groups_per_tile, 1, fit,
                  {groups}, "the groups that the array holds side by side")) {
      const PassBounds most = bounds(together);
      const std::int64_t all = together * outputs;
      for (const std::int64_t tile : given_or(
               Level::columns, mapping_keys::kColumnTile, &GemmMapping::column_tile, together > 1 ? all : 1,
               together > 1 ? all : most.channels, {together > 1 ? all : most.channels},
               "the output channels that a tile of the array takes")) {
        cuts.push_back({together, tile, most.pixels});
      }
    }
    return cuts;
  }

  [[nodiscard]] std::int64_t column_tiles() const { return GemmCursor(problem_, mapping_).column_tiles(); }

  // Parts of the reduction.

  [[nodiscard]] bool is_whole(const PartSize& part) const { return part == whole_reduction(problem_); }

  /// The candidates that agree with what is given; a part given whole may be any legal one.
  [[nodiscard]] std::vector<PartSize> tried_parts() {
    std::vector<PartSize> parts = reduction_parts(problem_, mapping_);
    if (hardware_.mapper.largest_tiles)
      std::erase_if(parts, [&](const PartSize& part) { return cuts_all_taps(problem_, part); });
    const bool h = gives(mapping_keys::kPartKernelH);
    const bool w = gives(mapping_keys::kPartKernelW);
    const bool c = gives(mapping_keys::kPartChannels);
    if (!h && !w && !c) return parts;
    const GemmMapping& given = pin_->value;
    std::erase_if(parts, [&](const PartSize& part) {
      return (h && part.kernel_h != given.part_kernel_h) || (w && part.kernel_w != given.part_kernel_w) ||
             (c && part.channels != given.part_channels);
    });
    const PartSize all{given.part_kernel_h, given.part_kernel_w, given.part_channels};
    if (parts.empty() && h && w && c && is_legal_part(problem_, mapping_, all)) parts.push_back(all);
    if (parts.empty()) reject_part(h, w, c);
    return parts;
  }

  void reject_part(bool h, bool w, bool c) {
    const ConvolutionGeometry& g = problem_.geometry;
    const GemmMapping& given = pin_->value;
    const auto text = [](bool is_given, std::int64_t value) {
      return is_given ? std::to_string(value) : std::string("any");
    };
    std::string expected = fmt::format("{} x {} x {}", g.kernel_h, g.kernel_w, g.group_channels());
    if (mapping_.groups_per_tile == 1) {
      expected += fmt::format(
          " (kernel rows x kernel columns x channels), or fewer kernel rows, or 1 row of fewer columns, or "
          "1 x 1{} of a multiple of {} channels",
          problem_.is_order_free ? " or all taps" : "", channel_granule(problem_, mapping_));
    }
    reject(Level::part,
           h   ? mapping_keys::kPartKernelH
           : w ? mapping_keys::kPartKernelW
               : mapping_keys::kPartChannels,
           fmt::format("{} x {} x {}", text(h, given.part_kernel_h), text(w, given.part_kernel_w),
                       text(c, given.part_channels)),
           std::move(expected));
  }

  void try_parts() {
    for (const PartSize& part : tried_parts()) {
      mapping_.part_kernel_h = part.kernel_h;
      mapping_.part_kernel_w = part.kernel_w;
      mapping_.part_channels = part.channels;
      const bool whole = is_whole(part);
      for (const std::int64_t block : block_sizes(whole)) {
        mapping_.column_tiles_per_block = block;
        try_pixel_tiles(whole);
      }
    }
  }

  // Blocks of column tiles.

  /// Column tiles a block: equal blocks, few before many; cuts between blocks fall on bytes of the output.
  [[nodiscard]] std::vector<std::int64_t> block_sizes(bool whole_reduction) {
    const std::int64_t tiles = column_tiles();
    if (gives(mapping_keys::kColumnTilesPerBlock)) return given_block(whole_reduction, tiles);
    if (hardware_.dma.weight_prefetch == WeightPrefetch::ring &&
        cuts_fall_on_bytes(problem_, mapping_, 1, tiles))
      return {1};
    std::vector<std::int64_t> sizes;
    const std::int64_t most = most_column_tiles(whole_reduction, tiles);
    for (const std::int64_t size : few_tile_sizes(tiles)) {
      if (size <= most && cuts_fall_on_bytes(problem_, mapping_, size, tiles)) sizes.push_back(size);
    }
    std::ranges::reverse(sizes);
    return sizes;
  }

  /// Where the reduction is cut the sums of a block wait in half of the accumulators for the next part; the
  /// least that a column tile takes there is one pass of one pixel.
  [[nodiscard]] std::int64_t most_column_tiles(bool whole_reduction, std::int64_t tiles) const {
    if (whole_reduction || may_leave()) return tiles;
    GemmMapping mapping = mapping_;
    mapping.pixels_per_pass = 1;
    const std::int64_t entries = GemmCursor(problem_, mapping).pass_entries();
    return std::min(tiles, std::max<std::int64_t>(1, hardware_.accumulators.entries_per_slot() / entries));
  }

  [[nodiscard]] std::vector<std::int64_t> given_block(bool whole_reduction, std::int64_t tiles) {
    const std::int64_t size = pin_->value.column_tiles_per_block;
    const std::int64_t most = most_column_tiles(whole_reduction, tiles);
    std::string expected;
    if (size < 1 || size > tiles) {
      expected = fmt::format("1 to {}, the column tiles", tiles);
    } else if (size > most) {
      expected = fmt::format("1 to {}, whose sums the accumulators hold where the reduction is cut", most);
    } else if (!cuts_fall_on_bytes(problem_, mapping_, size, tiles)) {
      expected = "blocks that begin at a byte of the output and of the input";
    } else {
      return {size};
    }
    reject(Level::block, mapping_keys::kColumnTilesPerBlock, std::to_string(size), std::move(expected));
    return {};
  }

  // Tiles of pixels.

  void try_pixel_tiles(bool whole_reduction) {
    const ConvolutionGeometry& g = problem_.geometry;
    const bool streams = !mapping_.input_resident || mapping_.fetch_input || !mapping_.output_resident ||
                         !whole_reduction || (problem_.addend() != nullptr && !mapping_.addend_resident);
    std::vector<std::int64_t> row_sizes = streams ? tile_sizes(g.output[kRow]) : std::vector{g.output[kRow]};
    if (problem_.activation_weights) row_sizes = {1};  // each row has weights of its own
    row_sizes = given_or(
        Level::rows, mapping_keys::kTileRows, &GemmMapping::tile_rows, 1,
        problem_.activation_weights ? 1 : g.output[kRow], std::move(row_sizes),
        problem_.activation_weights ? "the rows of the output that share weights" : "the rows of the output");
    if (problem_.pooling() != nullptr) return try_pooled_tiles(row_sizes, whole_reduction);
    for (const std::int64_t rows : row_sizes) {
      const bool cut_columns = streams && rows == 1;
      for (const std::int64_t columns :
           given_or(Level::rows, mapping_keys::kTileColumns, &GemmMapping::tile_columns, 1, g.output[kColumn],
                    cut_columns ? tile_sizes(g.output[kColumn]) : std::vector{g.output[kColumn]},
                    "the columns of the output")) {
        mapping_.tile_rows = rows;
        mapping_.tile_columns = columns;
        try_passes(whole_reduction);
      }
    }
  }

  /// Of windows, tiles have all columns, and rows for whole strides.
  void try_pooled_tiles(const std::vector<std::int64_t>& row_sizes, bool whole_reduction) {
    const PoolWindows rows = pool_windows(*problem_.pooling(), kRow);
    const std::int64_t columns = problem_.geometry.output[kColumn];
    if (gives(mapping_keys::kTileColumns) && pin_->value.tile_columns != columns) {
      return reject(Level::rows, mapping_keys::kTileColumns, std::to_string(pin_->value.tile_columns),
                    fmt::format("{}, all columns where a pooling is on the way out", columns));
    }
    mapping_.tile_columns = columns;
    std::int64_t before = 0;
    for (const std::int64_t size : row_sizes) {
      mapping_.tile_rows = std::min(rows.size, ceil_div(size, rows.stride) * rows.stride);
      if (gives(mapping_keys::kTileRows) && mapping_.tile_rows != size) {
        reject(Level::rows, mapping_keys::kTileRows, std::to_string(size),
               fmt::format("a multiple of {}, the rows between windows of the pooling on the way out, or {}",
                           rows.stride, rows.size));
      } else if (mapping_.tile_rows != before) {
        try_passes(whole_reduction);
      }
      before = mapping_.tile_rows;
    }
  }

  /// Windows that are not complete fit the pooler's lines, in the order of the mapping.
  [[nodiscard]] bool lines_fit(const GemmCursor& cursor) const {
    return problem_.pooling() == nullptr ||
           pool_lines(problem_, mapping_, cursor).bytes() <= hardware_.requantizer.pool_line_bytes;
  }

  void try_passes(bool whole_reduction) {
    const std::int64_t pixels = mapping_.tile_rows * mapping_.tile_columns;
    const std::int64_t limit = std::min(pixels, most_pixels_);
    // Passes of nearly equal length.
    const std::int64_t even =
        mapping_.pass_order == PassOrder::even ? ceil_div(pixels, ceil_div(pixels, limit)) : limit;
    for (const std::int64_t most :
         given_or(Level::pixels, mapping_keys::kPixelsPerPass, &GemmMapping::pixels_per_pass, 1, limit,
                  {even}, "the pixels that a pass of the tile takes")) {
      mapping_.pixels_per_pass = most;
      try_sums_in(whole_reduction);
    }
  }

  /// The path to the activation buffer is there, for sums that are all in the accumulators.
  [[nodiscard]] bool may_leave() const { return hardware_.accumulators.spill && !problem_.has_sums_beside(); }

  /// Sums of a reduction that is cut wait in the accumulators where they fit, otherwise in the activation
  /// buffer where there is a path.
  void try_sums_in(bool whole_reduction) {
    const bool is_given = gives(mapping_keys::kSumsIn);
    mapping_.sums_in = is_given ? pin_->value.sums_in : SumsIn::accumulators;
    if (mapping_.sums_in == SumsIn::activation_buffer && (whole_reduction || !may_leave())) {
      reject(Level::pixels, mapping_keys::kSumsIn, value_text(mapping_.sums_in),
             value_text(SumsIn::accumulators) + (whole_reduction ? ", where the reduction is whole"
                                                                 : ", from which sums have no other way"));
      return;
    }
    if (whole_reduction || mapping_.sums_in == SumsIn::activation_buffer) return try_candidate();
    if (sums_fit()) return try_candidate();
    if (is_given || !may_leave() || hardware_.mapper.largest_tiles) return;
    mapping_.sums_in = SumsIn::activation_buffer;
    if (is_one_of_few(mapping_.tile_rows, problem_.geometry.output[kRow]) &&
        is_one_of_few(mapping_.tile_columns, problem_.geometry.output[kColumn]))
      try_candidate();
  }

  /// The sums of all passes of a step, which wait in half of the accumulators where the reduction is cut.
  bool sums_fit() {
    const std::int64_t passes = most_passes(problem_, mapping_);
    const std::int64_t needed =
        mapping_.column_tiles_per_block * passes * GemmCursor(problem_, mapping_).pass_entries();
    const std::int64_t entries = hardware_.accumulators.entries_per_slot();
    if (needed <= entries) return true;
    const auto reject_size = [&](const char* key, std::string value) {
      reject(Level::pixels, key, std::move(value),
             fmt::format("at most {} accumulators of a column for the sums of a step whose reduction is cut, "
                         "not {}",
                         entries, needed));
    };
    if (gives(mapping_keys::kTileRows) || gives(mapping_keys::kTileColumns)) {
      reject_size(gives(mapping_keys::kTileRows) ? mapping_keys::kTileRows : mapping_keys::kTileColumns,
                  fmt::format("{} x {}", mapping_.tile_rows, mapping_.tile_columns));
    } else if (gives(mapping_keys::kColumnTilesPerBlock)) {
      reject_size(mapping_keys::kColumnTilesPerBlock, std::to_string(mapping_.column_tiles_per_block));
    }
    return false;
  }

  // Slots, and the order of the loops.

  /// False where a given number of slots is not to be had. A resident tensor has none; a single tile needs no
  /// second one.
  bool set_slots(const char* key, std::int64_t GemmMapping::*slots, bool is_resident, bool is_single,
                 std::int64_t most) {
    mapping_.*slots = is_resident ? 0 : is_single ? 1 : most;
    const std::vector<std::int64_t> tried =
        given_or(Level::slots, key, slots, is_resident ? 0 : 1, is_resident ? 0 : most, {mapping_.*slots},
                 "the tile slots of a tensor that passes through the activation buffer");
    if (tried.empty()) return false;
    mapping_.*slots = tried.front();
    return true;
  }

  /// Another order is fixed for the machine.
  [[nodiscard]] bool is_ruled_out(LoopOrder order) const {
    const FixedLoopOrder fixed = hardware_.mapper.loop_order;
    return fixed == (order == LoopOrder::weights_outer ? FixedLoopOrder::activations_outer
                                                       : FixedLoopOrder::weights_outer);
  }

  void try_candidate() {
    const GemmCursor cursor(problem_, mapping_);
    SpaceNeeded needed;
    if (!mapping_.weights_resident) {
      needed.weight_slot_bytes = cursor.block_bytes(0, 0);  // no part is larger than the first
      const auto [begin, end] = cursor.block_channels(0);
      needed.parameter_slot_bytes = problem_.parameters.block_bytes(end - begin);
    }
    const TileBytes tile = gemm_tile_bytes(problem_, mapping_, cursor);
    const bool is_single = cursor.steps() == 1;
    if (!set_slots(mapping_keys::kInputSlots, &GemmMapping::input_slots, mapping_.input_resident, is_single,
                   limits_.activation_slots) ||
        !set_slots(mapping_keys::kOutputSlots, &GemmMapping::output_slots, mapping_.output_resident,
                   is_single, limits_.output_slots) ||
        (problem_.addend() != nullptr &&
         !set_slots(mapping_keys::kAddendSlots, &GemmMapping::addend_slots, mapping_.addend_resident,
                    is_single, limits_.activation_slots))) {
      return;
    }
    const std::int64_t sums = waiting_sum_bytes(mapping_, cursor, hardware_.accumulators);
    if (sums > 0 && !gives(mapping_keys::kOutputSlots) && !mapping_.output_resident) {
      // A slot of outputs is free again long before the next tile has its sums.
      mapping_.output_slots = 1;
    }
    needed.activation_bytes = tile.input * mapping_.input_slots + tile.output * mapping_.output_slots +
                              tile.addend * mapping_.addend_slots + sums;
    // Of sums that leave others need less, so that what this chip cannot hold need not be listed.
    if (sums > 0 && !gives(mapping_keys::kSumsIn) &&
        needed.activation_bytes > hardware_.activation_buffer.capacity_bytes())
      return;
    add_needed(found_.needed, needed);
    if (needed.weight_slot_bytes > limits_.weight_slot_bytes ||
        needed.parameter_slot_bytes > limits_.parameter_slot_bytes) {
      return;
    }
    for (const LoopOrder order : {LoopOrder::weights_outer, LoopOrder::activations_outer}) {
      if (gives(mapping_keys::kLoopOrder) ? order != pin_->value.order : is_ruled_out(order)) continue;
      mapping_.order = order;
      if (!lines_fit(cursor)) continue;
      found_.options.push_back({mapping_,
                                gemm_cost(problem_, mapping_, hardware_, limits_, rates_.of(mapping_)),
                                needed, gemm_kind(problem_, mapping_, cursor, hardware_)});
    }
  }

  const GemmProblem& problem_;
  GemmMapping mapping_;
  const HardwareConfig& hardware_;
  const MappingLimits& limits_;
  const Pinned<GemmMapping>* pin_;
  GemmRates rates_;
  std::int64_t most_pixels_ = 1;  ///< Of one pass.
  MappingOptions<GemmMapping> found_;
  Level deepest_ = Level::array;
};

}  // namespace

MappingOptions<GemmMapping> GemmSpace::candidates() const {
  return GemmEnumeration(problem_, residency_, hardware_, limits_, pin_).run();
}

}  // namespace qsim

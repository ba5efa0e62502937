#include "sim/compiler/gemm_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "hw_models/core/nest_cursor.h"
#include "hw_models/core/pooling.h"
#include "sim/compiler/gemm_cost.h"
#include "sim/compiler/gemm_cuts.h"
#include "sim/compiler/gemm_pins.h"
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

using Level = GemmPins::Level;

class GemmEnumeration {
 public:
  GemmEnumeration(const GemmProblem& problem, const GemmMapping& residency, const HardwareConfig& hardware,
                  const MappingLimits& limits, const Pinned<GemmMapping>* pin)
      : problem_(problem),
        mapping_(residency),
        hardware_(hardware),
        limits_(limits),
        pins_(pin),
        rates_(limits, problem, hardware),
        room_for_slots_(room_beside_residents(problem, residency, hardware)) {}

  MappingOptions<GemmMapping> run() {
    const MacArrayConfig& array = hardware_.mac_array;
    mapping_.organization = array.organization;
    mapping_.reduction = array.reduction;
    mapping_.pass_order = hardware_.controller.pass_order;
    if (!pins_.are_of(hardware_)) {
      found_.rejection = pins_.rejection();
      return std::move(found_);
    }
    for (const Dataflow dataflow : array.offered_dataflows()) {
      if (pins_.gives(mapping_keys::kDataflow) && pins_.value().dataflow != dataflow) continue;
      set_dataflow(dataflow);
      // The pooler takes the pixels of a channel in turn.
      if (problem_.pooling() != nullptr && !dataflow_of(mapping_).streams_inputs()) continue;
      try_columns();
    }
    if (found_.needed.empty()) found_.rejection = pins_.rejection();
    // What a chip has to hold are all slots of some candidate.
    const std::int64_t capacity = hardware_.activation_buffer.capacity_bytes();
    if (std::ranges::any_of(found_.needed,
                            [&](const SpaceNeeded& needed) { return needed.activation_bytes <= capacity; }))
      std::ranges::move(with_less_slots_, std::back_inserter(found_.options));
    return std::move(found_);
  }

 private:
  void set_dataflow(Dataflow dataflow) {
    mapping_.dataflow = dataflow;
    const MacArrayConfig& array = hardware_.mac_array;
    const int weight_bits = problem_.weight_format.bits;
    const int activation_bits = problem_.activation_format.bits;
    mapping_.chunk_rows = dataflow_of(mapping_).extent(array, weight_bits, activation_bits).rows;
    mapping_.macs_a_pe = array.macs_a_pe(weight_bits, activation_bits);
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

  [[nodiscard]] std::vector<ColumnCut> column_cuts() {
    const std::int64_t outputs = problem_.geometry.group_outputs();
    // Groups of weights with multipliers follow each other; side by side a chunk would have several.
    const std::int64_t all_groups = problem_.scale_group > 0 ? 1 : problem_.geometry.groups;
    const std::int64_t fit = pass_bounds(problem_, mapping_, hardware_, all_groups).groups;
    std::int64_t groups = fit;
    if (pins_.gives(mapping_keys::kColumnTile) && pins_.value().column_tile != fit * outputs) groups = 1;
    std::vector<ColumnCut> cuts;
    for (const std::int64_t together :
         pins_.given_or(Level::columns, mapping_keys::kGroupsPerTile, &GemmMapping::groups_per_tile, 1, fit,
                        {groups}, "the groups that the array holds side by side")) {
      const PassBounds most = pass_bounds(problem_, mapping_, hardware_, together);
      const std::int64_t all = together * outputs;
      const std::int64_t largest = together > 1 ? all : most.channels;
      for (const std::int64_t tile : pins_.given_or(
               Level::columns, mapping_keys::kColumnTile, &GemmMapping::column_tile, together > 1 ? all : 1,
               largest, {largest}, "the output channels that a tile of the array takes")) {
        const std::int64_t taken = tile == all ? all : whole_blocks(problem_, mapping_, hardware_, tile);
        if (pins_.gives(mapping_keys::kColumnTile) && taken != tile) {
          pins_.reject(Level::columns, mapping_keys::kColumnTile, std::to_string(tile),
                       "whole blocks of 32 output channels, or all of them");
        } else {
          cuts.push_back({together, taken, most.pixels});
        }
      }
    }
    return cuts;
  }

  [[nodiscard]] std::int64_t column_tiles() const { return GemmCursor(problem_, mapping_).column_tiles(); }

  // Parts of the reduction.

  [[nodiscard]] std::vector<PartSize> tried_parts() {
    std::vector<PartSize> parts = reduction_parts(problem_, mapping_);
    if (hardware_.mapper.largest_tiles)
      std::erase_if(parts, [&](const PartSize& part) { return cuts_all_taps(problem_, part); });
    return pins_.given_parts(problem_, mapping_, std::move(parts));
  }

  void try_parts() {
    for (const PartSize& part : tried_parts()) {
      mapping_.part_kernel_h = part.kernel_h;
      mapping_.part_kernel_w = part.kernel_w;
      mapping_.part_channels = part.channels;
      const bool whole = part == whole_reduction(problem_);
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
    if (pins_.gives(mapping_keys::kColumnTilesPerBlock))
      return pins_.given_block(problem_, mapping_, tiles, most_column_tiles(whole_reduction, tiles));
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

  // Tiles of pixels.

  void try_pixel_tiles(bool whole_reduction) {
    const ConvolutionGeometry& g = problem_.geometry;
    const bool streams = !mapping_.input_resident || mapping_.fetch_input || !mapping_.output_resident ||
                         !whole_reduction || (problem_.addend() != nullptr && !mapping_.addend_resident);
    std::vector<std::int64_t> row_sizes = streams ? tile_sizes(g.output[kRow]) : std::vector{g.output[kRow]};
    if (problem_.activation_weights) row_sizes = {1};  // each row has weights of its own
    row_sizes = pins_.given_or(
        Level::rows, mapping_keys::kTileRows, &GemmMapping::tile_rows, 1,
        problem_.activation_weights ? 1 : g.output[kRow], std::move(row_sizes),
        problem_.activation_weights ? "the rows of the output that share weights" : "the rows of the output");
    if (problem_.pooling() != nullptr) return try_pooled_tiles(row_sizes, whole_reduction);
    for (const std::int64_t rows : row_sizes) {
      for (const std::int64_t columns :
           pins_.given_or(Level::rows, mapping_keys::kTileColumns, &GemmMapping::tile_columns, 1,
                          g.output[kColumn], tile_column_sizes(problem_, mapping_, hardware_, rows, streams),
                          "the columns of the output")) {
        mapping_.tile_rows = rows;
        mapping_.tile_columns = columns;
        try_passes(whole_reduction);
      }
    }
  }

  /// Of windows, tiles have all columns, and rows for whole strides.
  void try_pooled_tiles(const std::vector<std::int64_t>& row_sizes, bool whole_reduction) {
    mapping_.tile_columns = problem_.geometry.output[kColumn];
    for (const std::int64_t rows : pins_.pooled_rows(problem_, row_sizes)) {
      mapping_.tile_rows = rows;
      try_passes(whole_reduction);
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
         pins_.given_or(Level::pixels, mapping_keys::kPixelsPerPass, &GemmMapping::pixels_per_pass, 1, limit,
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
    const bool is_given = pins_.gives(mapping_keys::kSumsIn);
    mapping_.sums_in = is_given ? pins_.value().sums_in : SumsIn::accumulators;
    if (mapping_.sums_in == SumsIn::activation_buffer && (whole_reduction || !may_leave())) {
      pins_.reject(
          Level::pixels, mapping_keys::kSumsIn, value_text(mapping_.sums_in),
          value_text(SumsIn::accumulators) +
              (whole_reduction ? ", where the reduction is whole" : ", from which sums have no other way"));
      return;
    }
    if (whole_reduction || mapping_.sums_in == SumsIn::activation_buffer) return try_candidate();
    if (sums_fit()) return try_candidate();
    if (is_given || !may_leave() || hardware_.mapper.largest_tiles) return;
    mapping_.sums_in = SumsIn::activation_buffer;
    if (is_tile_one_of_few()) try_candidate();
  }

  [[nodiscard]] bool is_tile_one_of_few() const {
    return is_one_of_few(mapping_.tile_rows, problem_.geometry.output[kRow]) &&
           is_one_of_few(mapping_.tile_columns, problem_.geometry.output[kColumn]);
  }

  /// The sums of all passes of a step, which wait in half of the accumulators where the reduction is cut.
  bool sums_fit() {
    const std::int64_t passes = most_passes(problem_, mapping_);
    const std::int64_t needed =
        mapping_.column_tiles_per_block * passes * GemmCursor(problem_, mapping_).pass_entries();
    const std::int64_t entries = hardware_.accumulators.entries_per_slot();
    if (needed <= entries) return true;
    const auto reject_size = [&](const char* key, std::string value) {
      pins_.reject(
          Level::pixels, key, std::move(value),
          fmt::format("at most {} accumulators of a column for the sums of a step whose reduction is cut, "
                      "not {}",
                      entries, needed));
    };
    if (pins_.gives(mapping_keys::kTileRows) || pins_.gives(mapping_keys::kTileColumns)) {
      reject_size(pins_.gives(mapping_keys::kTileRows) ? mapping_keys::kTileRows : mapping_keys::kTileColumns,
                  fmt::format("{} x {}", mapping_.tile_rows, mapping_.tile_columns));
    } else if (pins_.gives(mapping_keys::kColumnTilesPerBlock)) {
      reject_size(mapping_keys::kColumnTilesPerBlock, std::to_string(mapping_.column_tiles_per_block));
    }
    return false;
  }

  // Slots, and the order of the loops.

  /// Numbers of slots to try: none for a resident tensor, otherwise `most`, and one where `may_be_one`. At
  /// most `limit` may be given.
  [[nodiscard]] std::vector<std::int64_t> slot_counts(const char* key, std::int64_t GemmMapping::*slots,
                                                      bool is_resident, std::int64_t most, std::int64_t limit,
                                                      bool may_be_one) {
    std::vector<std::int64_t> counts{is_resident ? 0 : most};
    if (counts.front() > 1 && may_be_one) counts.push_back(1);
    return pins_.given_or(Level::slots, key, slots, is_resident ? 0 : 1, is_resident ? 0 : limit,
                          std::move(counts),
                          "the tile slots of a tensor that passes through the activation buffer");
  }

  /// One slot instead of two waits, but leaves room to larger tiles: a candidate where these are a good part
  /// of the buffer, or of what tensors of this layer that stay leave of it. Of two slots they would take more
  /// than a quarter.
  [[nodiscard]] bool may_have_one_slot(const TileBytes& tile) const {
    const std::int64_t bytes = tile.input + tile.output + tile.addend;
    return !hardware_.mapper.largest_tiles && bytes <= hardware_.activation_buffer.capacity_bytes() &&
           bytes > room_for_slots_ / 8 && is_tile_one_of_few();
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
    const std::int64_t sums = waiting_sum_bytes(mapping_, cursor, hardware_.accumulators);
    // A single tile needs no second slot.
    const bool is_single = cursor.steps() == 1;
    const bool may_be_one = may_have_one_slot(tile);
    const std::int64_t inputs = is_single ? 1 : limits_.activation_slots;
    // A slot of outputs is free again long before the next tile has its sums, where these leave.
    const std::int64_t outputs = is_single || sums > 0 ? 1 : limits_.output_slots;
    const auto input_counts =
        slot_counts(mapping_keys::kInputSlots, &GemmMapping::input_slots, mapping_.input_resident, inputs,
                    limits_.activation_slots, may_be_one);
    if (input_counts.empty()) return;
    const auto output_counts =
        slot_counts(mapping_keys::kOutputSlots, &GemmMapping::output_slots, mapping_.output_resident, outputs,
                    limits_.output_slots, may_be_one);
    if (output_counts.empty()) return;
    std::vector<std::int64_t> addend_counts{0};
    if (problem_.addend() != nullptr)
      addend_counts = slot_counts(mapping_keys::kAddendSlots, &GemmMapping::addend_slots,
                                  mapping_.addend_resident, inputs, limits_.activation_slots, false);
    for (const std::int64_t of_inputs : input_counts) {
      for (const std::int64_t of_outputs : output_counts) {
        for (const std::int64_t of_addends : addend_counts) {
          mapping_.input_slots = of_inputs;
          mapping_.output_slots = of_outputs;
          mapping_.addend_slots = of_addends;
          needed.activation_bytes =
              tile.input * of_inputs + tile.output * of_outputs + tile.addend * of_addends + sums;
          const bool is_less = of_inputs < input_counts.front() || of_outputs < output_counts.front();
          add_candidates(cursor, needed, sums, is_less);
        }
      }
    }
  }

  void add_candidates(const GemmCursor& cursor, const SpaceNeeded& needed, std::int64_t sums,
                      bool has_less_slots) {
    // Of sums that leave others need less, so that what this chip cannot hold need not be listed.
    if (sums > 0 && !pins_.gives(mapping_keys::kSumsIn) &&
        needed.activation_bytes > hardware_.activation_buffer.capacity_bytes())
      return;
    if (!has_less_slots) add_needed(found_.needed, needed);
    if (needed.weight_slot_bytes > limits_.weight_slot_bytes ||
        needed.parameter_slot_bytes > limits_.parameter_slot_bytes) {
      return;
    }
    for (const LoopOrder order : {LoopOrder::weights_outer, LoopOrder::activations_outer}) {
      if (pins_.gives(mapping_keys::kLoopOrder) ? order != pins_.value().order : is_ruled_out(order))
        continue;
      mapping_.order = order;
      if (!lines_fit(cursor)) continue;
      (has_less_slots ? with_less_slots_ : found_.options)
          .push_back({mapping_, gemm_cost(problem_, mapping_, hardware_, limits_, rates_.of(mapping_)),
                      needed, gemm_kind(problem_, mapping_, cursor, hardware_)});
    }
  }

  const GemmProblem& problem_;
  GemmMapping mapping_;
  const HardwareConfig& hardware_;
  const MappingLimits& limits_;
  GemmPins pins_;
  GemmRates rates_;
  std::int64_t room_for_slots_;   ///< Of the activation buffer.
  std::int64_t most_pixels_ = 1;  ///< Of one pass.
  MappingOptions<GemmMapping> found_;
  std::vector<MappingOption<GemmMapping>> with_less_slots_;  ///< may_have_one_slot()
};

}  // namespace

MappingOptions<GemmMapping> GemmSpace::candidates() const {
  return GemmEnumeration(problem_, residency_, hardware_, limits_, pin_).run();
}

}  // namespace qsim

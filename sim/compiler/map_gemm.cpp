#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "hw_models/arithmetic/bit_packing.h"
#include "hw_models/core/nest_cursor.h"
#include "sim/compiler/gemm_cost.h"
#include "sim/compiler/mapping.h"
#include "sim/compiler/schedule.h"

namespace qsim {

/// Of dimensions above about 65,536 not all sizes are tried: from here on each is half the one before.
constexpr std::size_t kManyTileSizes = 512;

std::vector<std::int64_t> tile_sizes(std::int64_t size) {
  std::vector<std::int64_t> sizes;
  for (std::int64_t k = 1; k <= size;) {
    const std::int64_t tile = ceil_div(size, k);
    sizes.push_back(tile);
    if (tile == 1) break;
    const std::int64_t next = ceil_div(size, tile - 1);  // the next k that gives a smaller tile
    k = sizes.size() < kManyTileSizes ? next : std::min(std::max(next, 2 * k), size);
  }
  return sizes;
}

namespace {

/// Elements of one dimension that a tile of `outputs` outputs and `kernel` taps reaches at most.
std::int64_t input_extent(std::int64_t outputs, std::int64_t kernel, std::int64_t stride,
                          std::int64_t dilation, std::int64_t input_dilation, std::int64_t size) {
  const std::int64_t span = (outputs - 1) * stride + (kernel - 1) * dilation + 1;
  return std::min(size, ceil_div(span, input_dilation));
}

/// Channel counts at which a cut falls on a byte, for elements of `bits` bits.
std::int64_t byte_granule(int bits) {
  return 8 / std::gcd(8, bits);
}

/// A tiling of the reduction.
struct PartSize {
  std::int64_t kernel_h, kernel_w, channels;
};

/// Whole reduction first, then kernel rows, taps, and channels of a tap (multiples of the chunk).
std::vector<PartSize> part_sizes(const GemmProblem& problem, const GemmMapping& mapping) {
  const ConvolutionGeometry& g = problem.geometry;
  std::vector<PartSize> parts{{g.kernel_h, g.kernel_w, g.group_channels()}};
  if (mapping.groups_per_tile > 1) return parts;
  for (const std::int64_t h : tile_sizes(g.kernel_h)) {
    if (h < g.kernel_h) parts.push_back({h, g.kernel_w, g.group_channels()});
  }
  for (const std::int64_t w : tile_sizes(g.kernel_w)) {
    if (w < g.kernel_w) parts.push_back({1, w, g.group_channels()});
  }
  const std::int64_t granule = std::lcm(mapping.chunk_rows, byte_granule(problem.input.layout.format.bits));
  for (const std::int64_t c : tile_sizes(ceil_div(g.group_channels(), granule))) {
    if (c * granule < g.group_channels()) parts.push_back({1, 1, c * granule});
  }
  return parts;
}

/// What the dataflow is asked about.
LayerShape layer_shape(const GemmProblem& problem) {
  const ConvolutionGeometry& g = problem.geometry;
  LayerShape layer;
  layer.groups = g.groups;
  layer.outputs = g.group_outputs();
  layer.pixels = g.output[kRow] * g.output[kColumn];
  layer.taps = g.kernel_h * g.kernel_w;
  layer.channels = g.group_channels();
  layer.weight_bits = problem.weight_format.bits;
  layer.activation_bits = problem.activation_format.bits;
  return layer;
}

class GemmMapper {
 public:
  GemmMapper(const GemmProblem& problem, const GemmMapping& given, const HardwareConfig& hardware,
             const MappingLimits& limits)
      : problem_(problem), mapping_(given), hardware_(hardware), limits_(limits) {}

  MappingOptions<GemmMapping> run() {
    set_column_tile();
    // A pass is stored by itself where its channels are whole bytes.
    mapping_.stores_each_pass = hardware_.requantizer.writes_through && cuts_fall_on_bytes(1, column_tiles());
    const ConvolutionGeometry& g = problem_.geometry;
    for (const PartSize& part : part_sizes(problem_, mapping_)) {
      mapping_.part_kernel_h = part.kernel_h;
      mapping_.part_kernel_w = part.kernel_w;
      mapping_.part_channels = part.channels;
      const bool whole =
          part.kernel_h == g.kernel_h && part.kernel_w == g.kernel_w && part.channels == g.group_channels();
      for (const std::int64_t block : block_sizes(whole)) {
        mapping_.column_tiles_per_block = block;
        try_pixel_tiles(whole);
      }
    }
    keep_worthwhile(found_.options);
    return std::move(found_);
  }

 private:
  void set_column_tile() {
    const ConvolutionGeometry& g = problem_.geometry;
    const MacArrayConfig& array = hardware_.mac_array;
    mapping_.organization = array.organization;
    mapping_.dataflow = array.dataflow;
    const DataflowModel& dataflow = dataflow_of(mapping_);
    mapping_.chunk_rows =
        dataflow.extent(array, problem_.weight_format.bits, problem_.activation_format.bits).rows;
    mapping_.reduction = array.reduction;
    mapping_.pass_order = hardware_.controller.pass_order;
    const PassBounds bounds =
        dataflow.bounds(array, layer_shape(problem_), hardware_.accumulators.entries_per_slot());
    mapping_.groups_per_tile = bounds.groups;
    mapping_.column_tile = bounds.groups > 1 ? bounds.groups * g.group_outputs() : bounds.channels;
    most_pixels_ = bounds.pixels;
  }

  /// Column tiles a block: powers of two and all of them; cuts between blocks fall on bytes of the output.
  [[nodiscard]] std::vector<std::int64_t> block_sizes(bool whole_reduction) const {
    const std::int64_t tiles = column_tiles();
    if (hardware_.dma.weight_prefetch == WeightPrefetch::ring && cuts_fall_on_bytes(1, tiles)) return {1};
    std::vector<std::int64_t> sizes;
    for (std::int64_t size = 1; size < tiles && (whole_reduction || size == 1); size *= 2) {
      if (cuts_fall_on_bytes(size, tiles)) sizes.push_back(size);
    }
    if (whole_reduction || tiles == 1) sizes.push_back(tiles);
    return sizes;
  }

  [[nodiscard]] std::int64_t column_tiles() const { return GemmCursor(problem_, mapping_).column_tiles(); }

  [[nodiscard]] bool cuts_fall_on_bytes(std::int64_t size, std::int64_t tiles) const {
    GemmMapping mapping = mapping_;
    mapping.column_tiles_per_block = size;
    const GemmCursor cursor(problem_, mapping);
    const std::int64_t granule = byte_granule(problem_.output.layout.format.bits);
    const std::int64_t input_granule = byte_granule(problem_.input.layout.format.bits);
    for (std::int64_t block = 1; block * size < tiles; ++block) {
      if (cursor.block_channels(block).first % granule != 0) return false;
      const std::int64_t group = cursor.column_tile(cursor.column_tile_begin(block)).group_begin;
      if (group * problem_.geometry.group_channels() % input_granule != 0) return false;
    }
    return true;
  }

  void try_pixel_tiles(bool whole_reduction) {
    const ConvolutionGeometry& g = problem_.geometry;
    const bool streams = !mapping_.input_resident || !mapping_.output_resident || !whole_reduction;
    std::vector<std::int64_t> row_sizes = streams ? tile_sizes(g.output[kRow]) : std::vector{g.output[kRow]};
    if (problem_.activation_weights) row_sizes = {1};  // each row has weights of its own
    for (const std::int64_t rows : row_sizes) {
      const bool cut_columns = streams && rows == 1;
      for (const std::int64_t columns :
           cut_columns ? tile_sizes(g.output[kColumn]) : std::vector{g.output[kColumn]}) {
        mapping_.tile_rows = rows;
        mapping_.tile_columns = columns;
        const std::int64_t pixels = rows * columns;
        if (!whole_reduction && pixels > most_pixels_) continue;
        const std::int64_t limit = std::min(pixels, most_pixels_);
        // Passes of nearly equal length.
        mapping_.pixels_per_pass =
            mapping_.pass_order == PassOrder::even ? ceil_div(pixels, ceil_div(pixels, limit)) : limit;
        try_candidate();
      }
    }
  }

  void try_candidate() {
    const GemmCursor cursor(problem_, mapping_);
    SpaceNeeded needed;
    if (!mapping_.weights_resident) {
      for (std::int64_t part = 0; part < cursor.parts(); ++part) {
        needed.weight_slot_bytes = std::max(needed.weight_slot_bytes, cursor.block_bytes(0, part));
      }
      const auto [begin, end] = cursor.block_channels(0);
      needed.parameter_slot_bytes = problem_.parameters.block_bytes(end - begin);
    }
    const TileBytes tile = gemm_tile_bytes(problem_, mapping_);
    // A single tile needs no second slot.
    const bool is_single = cursor.steps() == 1;
    mapping_.input_slots = slots(mapping_.input_resident, is_single ? 1 : limits_.activation_slots);
    mapping_.output_slots = slots(mapping_.output_resident, is_single ? 1 : limits_.output_slots);
    needed.activation_bytes = tile.input * mapping_.input_slots + tile.output * mapping_.output_slots;
    add_needed(found_.needed, needed);
    if (needed.weight_slot_bytes > limits_.weight_slot_bytes ||
        needed.parameter_slot_bytes > limits_.parameter_slot_bytes) {
      return;
    }
    for (const LoopOrder order : {LoopOrder::weights_outer, LoopOrder::activations_outer}) {
      mapping_.order = order;
      found_.options.push_back(
          {mapping_, gemm_cost(problem_, mapping_, hardware_, limits_), needed.activation_bytes});
    }
  }

  [[nodiscard]] static std::int64_t slots(bool is_resident, std::int64_t wanted) {
    return is_resident ? 0 : wanted;
  }

  const GemmProblem& problem_;
  GemmMapping mapping_;
  std::int64_t most_pixels_ = 1;  ///< Of one pass.
  const HardwareConfig& hardware_;
  const MappingLimits& limits_;
  MappingOptions<GemmMapping> found_;
};

}  // namespace

Dims gemm_input_tile(const GemmProblem& problem, const GemmMapping& mapping) {
  const ConvolutionGeometry& g = problem.geometry;
  const GemmCursor cursor(problem, mapping);
  std::int64_t channels = 0;
  for (std::int64_t block = 0; block < cursor.blocks(); ++block) {
    const std::int64_t first = cursor.column_tile(cursor.column_tile_begin(block)).group_begin;
    const std::int64_t last = cursor.column_tile(cursor.column_tile_end(block) - 1).group_end;
    channels = std::max(channels, (last - 1 - first) * g.group_channels() + mapping.part_channels);
  }
  return {1,
          input_extent(mapping.tile_rows, mapping.part_kernel_h, g.stride_h, g.dilation_h, g.input_dilation_h,
                       g.input[kRow]),
          input_extent(mapping.tile_columns, mapping.part_kernel_w, g.stride_w, g.dilation_w,
                       g.input_dilation_w, g.input[kColumn]),
          std::min(channels, g.input[kChannel])};
}

Dims gemm_output_tile(const GemmProblem& problem, const GemmMapping& mapping) {
  const GemmCursor cursor(problem, mapping);
  std::int64_t channels = 0;
  for (std::int64_t block = 0; block < cursor.blocks(); ++block) {
    const auto [begin, end] = cursor.block_channels(block);
    channels = std::max(channels, end - begin);
  }
  return {1, mapping.tile_rows, mapping.tile_columns, channels};
}

std::int64_t run_bytes(const TensorView& tensor, const Dims& tile) {
  const int bits = tensor.layout.format.bits;
  std::int64_t run = arithmetic::packed_bytes(tile[kChannel], bits);
  if (tile[kChannel] < tensor.dims[kChannel] || run % tensor.pixel_granule != 0) return run;
  run *= tile[kColumn];
  return tile[kColumn] < tensor.dims[kColumn] ? run : run * tile[kRow];
}

TileBytes gemm_tile_bytes(const GemmProblem& problem, const GemmMapping& mapping) {
  TileBytes bytes;
  if (!mapping.input_resident)
    bytes.input = dense_bytes(gemm_input_tile(problem, mapping), problem.input.layout.format,
                              problem.input.pixel_granule);
  if (!mapping.output_resident)
    bytes.output = dense_bytes(gemm_output_tile(problem, mapping), problem.output.layout.format,
                               problem.output.pixel_granule);
  return bytes;
}

MappingOptions<GemmMapping> map_gemm(const GemmProblem& problem, const GemmMapping& given,
                                     const HardwareConfig& hardware, const MappingLimits& limits) {
  return GemmMapper(problem, given, hardware, limits).run();
}

}  // namespace qsim

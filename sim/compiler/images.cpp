#include "sim/compiler/images.h"

#include <bit>

#include "hw_models/arithmetic/bit_packing.h"
#include "hw_models/arithmetic/requantize.h"
#include "hw_models/arithmetic/thresholds.h"
#include "hw_models/core/nest_cursor.h"
#include "hw_models/core/tile_operands.h"
#include "sim/compiler/lower.h"
#include "sim/compiler/schedule.h"
#include "workloads/execute/execute.h"
#include "workloads/graph/blocks.h"
#include "workloads/graph/conv_geometry.h"

namespace qsim {

namespace {

using arithmetic::write_bits;

/// Writes the weights of one chunk of a column tile in the dataflow's order.
void write_chunk(const Graph& graph, const Node& node, const GemmNest& nest, const ColumnTile& tile,
                 const ReductionPart& part, std::int64_t chunk_begin, std::int64_t depth,
                 std::span<std::byte> bytes, std::int64_t address) {
  const std::int64_t group_columns = tile.columns() / tile.groups();
  const WeightOrder order = dataflow_of(nest.mapping()).weight_order(tile.groups(), depth, group_columns);
  for (std::int64_t group = 0; group < tile.groups(); ++group) {
    for (std::int64_t k = 0; k < depth; ++k) {
      const Tap tap = tap_of(part, chunk_begin + k);
      for (std::int64_t c = 0; c < group_columns; ++c) {
        const std::int64_t channel = tile.channel_begin + group * group_columns + c;
        write_bits(bytes, 8 * address + order.index(group, k, c) * nest.problem().weight_format.bits,
                   nest.problem().weight_format,
                   weight_at(graph, node, channel, tap.kernel_h, tap.kernel_w, tap.channel));
      }
    }
  }
}

void write_scale(std::span<std::byte> bytes, std::int64_t address, arithmetic::RoundingProfile profile,
                 const arithmetic::ChannelScale& scale) {
  if (profile == arithmetic::RoundingProfile::affine) {
    write_bits(bytes, 8 * (address + 8), {64, true}, std::bit_cast<std::int64_t>(scale.offset64));
    return write_bits(bytes, 8 * address, {64, true}, std::bit_cast<std::int64_t>(scale.scale64));
  }
  if (profile == arithmetic::RoundingProfile::float64) {
    return write_bits(bytes, 8 * address, {64, true}, std::bit_cast<std::int64_t>(scale.scale64));
  }
  const std::int32_t word = profile == arithmetic::RoundingProfile::float32
                                ? std::bit_cast<std::int32_t>(scale.scale)
                                : scale.multiplier;
  write_bits(bytes, 8 * address, {32, true}, word);
  write_bits(bytes, 8 * (address + 4), {8, true}, scale.shift);
}

/// Multipliers of a channel's groups in the order of its reduction, and their products with the zero points.
void write_groups(const Graph& graph, const Node& node, const GemmNest& nest, std::int64_t channel,
                  std::span<std::byte> bytes, std::int64_t address) {
  const Quantization& q = *graph.tensor(node.inputs[1]).quantization;
  const ParameterFormat& format = nest.problem().parameters;
  const std::int64_t groups_a_tap = nest.problem().geometry.group_channels() / nest.problem().scale_group;
  const bool is_turned = conv_geometry(graph, node).is_turned;
  const std::int64_t corrections = address + format.groups * format.multiplier_bytes;
  for (std::int64_t group = 0; group < format.groups; ++group) {
    const std::int64_t first = group - group % groups_a_tap;
    const std::int64_t tap = is_turned ? format.groups - groups_a_tap - first : first;
    const std::int64_t of_weights = channel * format.groups + tap + group % groups_a_tap;
    const std::int64_t multiplier = q.group_multiplier(of_weights);
    write_bits(bytes, 8 * (address + group * format.multiplier_bytes), {8 * format.multiplier_bytes, false},
               multiplier);
    if (!format.asymmetric_weights) continue;
    write_bits(bytes, 8 * (corrections + 4 * group), {32, true}, multiplier * q.group_zero_point(of_weights));
  }
}

/// Exponents of a channel's blocks in the order of its reduction.
void write_exponents(const Graph& graph, const Node& node, const GemmNest& nest, std::int64_t channel,
                     std::span<std::byte> bytes, std::int64_t address) {
  const Tensor& weights = graph.tensor(node.inputs[1]);
  const std::int64_t groups = nest.problem().parameters.groups;
  const std::int64_t channels = channels_of(weights);
  const std::int64_t blocks = ceil_div(channels, arithmetic::kMxBlock);
  for (std::int64_t group = 0; group < groups; ++group) {
    const std::int64_t tap = channel * (groups / blocks) + group / blocks;
    const std::int64_t exponent = arithmetic::mx_exponent(group % blocks * arithmetic::kMxBlock, channels);
    write_bits(bytes, 8 * (address + group), {8, true},
               weights.data->at(tap * weights.shape.back() + exponent));
  }
}

/// The direction, then the thresholds.
void write_thresholds(std::span<std::byte> bytes, std::int64_t address, const arithmetic::ChannelScale& scale,
                      const GemmProblem& problem) {
  const int bits = problem.threshold_bits();
  const arithmetic::ChannelThresholds thresholds =
      arithmetic::make_thresholds(scale, problem.output_range, bits - 1);
  write_bits(bytes, 8 * address, {8, false}, thresholds.falls ? 1 : 0);
  for (std::size_t k = 0; k < thresholds.values.size(); ++k)
    write_bits(bytes, 8 * (address + 1) + static_cast<std::int64_t>(k) * bits, {bits, true},
               thresholds.values[k]);
}

}  // namespace

std::vector<std::byte> weight_image(const Graph& graph, const Node& node, const GemmNest& nest) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(nest.placement().weight_blocks.back()));
  const GemmCursor cursor(nest);
  for (std::int64_t block = 0; block < cursor.blocks(); ++block) {
    for (std::int64_t p = 0; p < cursor.parts(); ++p) {
      const ReductionPart part = cursor.part(p);
      const ChunkCut cut = cursor.chunks(part);
      std::int64_t address =
          nest.placement().weight_blocks[static_cast<std::size_t>(block * cursor.parts() + p)];
      for (std::int64_t t = cursor.column_tile_begin(block); t < cursor.column_tile_end(block); ++t) {
        const ColumnTile tile = cursor.column_tile(t);
        for (std::int64_t chunk = 0; chunk < cut.count(); ++chunk) {
          write_chunk(graph, node, nest, tile, part, cut.begin(chunk), cut.depth(chunk), bytes, address);
          address += cursor.chunk_bytes(tile, cut.depth(chunk));
        }
      }
    }
  }
  return bytes;
}

std::vector<std::byte> parameter_image(const Graph& graph, const Node& node, const GemmNest& nest,
                                       const std::vector<std::int64_t>& preload) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(nest.placement().parameter_blocks.back()));
  const GemmCursor cursor(nest);
  const ParameterFormat& format = nest.problem().parameters;
  const Quantization& weights = *graph.tensor(node.inputs[1]).quantization;
  const std::vector<arithmetic::ChannelScale> scales = channel_scales(graph, node, nest.problem().rounding());
  const auto write_record = [&](std::int64_t address, std::int64_t channel) {
    const arithmetic::ChannelScale& scale = scales[static_cast<std::size_t>(channel)];
    if (nest.problem().in_blocks) {
      write_bits(bytes, 8 * address, {16, true}, nest.problem().block_reference);
    } else if (nest.problem().rounding_profile == arithmetic::RoundingProfile::thresholds) {
      write_thresholds(bytes, address, scale, nest.problem());
    } else {
      write_scale(bytes, address, nest.problem().rounding_profile, scale);
    }
  };
  for (std::int64_t block = 0; block < cursor.blocks(); ++block) {
    std::int64_t address = nest.placement().parameter_blocks[static_cast<std::size_t>(block)];
    if (!format.per_channel) write_record(address, 0);
    address += format.header_bytes();
    const auto [begin, end] = cursor.block_channels(block);
    for (std::int64_t channel = begin; channel < end; ++channel) {
      write_bits(bytes, 8 * address, {8 * format.preload_bytes, true},
                 preload[static_cast<std::size_t>(channel)]);
      if (nest.problem().in_blocks) {
        write_exponents(graph, node, nest, channel, bytes, address + format.preload_bytes);
      } else if (format.groups > 0) {
        write_groups(graph, node, nest, channel, bytes, address + format.preload_bytes);
      } else if (format.asymmetric_weights) {
        write_bits(bytes, 8 * (address + format.preload_bytes), {32, true}, weights.zero_point(channel));
      }
      address += format.channel_bytes();
      if (format.per_channel) write_record(address - format.scale_bytes, channel);
    }
  }
  return bytes;
}

std::vector<std::byte> tensor_image(const TensorData& value, const Dims& dims, const TensorLayout& layout) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(dims[kBatch] * layout.strides[kBatch]));
  const bool is_float = value.type == ElementType::f32;
  TensorLayout at_zero = layout;
  at_zero.base = 0;
  std::int64_t index = 0;
  for (std::int64_t b = 0; b < dims[0]; ++b) {
    for (std::int64_t y = 0; y < dims[1]; ++y) {
      for (std::int64_t x = 0; x < dims[2]; ++x) {
        for (std::int64_t c = 0; c < dims[3]; ++c, ++index) {
          const std::int64_t element =
              is_float ? value.as<std::int32_t>()[static_cast<std::size_t>(index)] : value.at(index);
          write_bits(bytes, at_zero.bit_address(b, y, x, c), layout.format, element);
        }
      }
    }
  }
  return bytes;
}

}  // namespace qsim

// What the compiler hands to the chip: loop nests of tile commands.
//
// A Program is a list of nests. Each nest is plain data: sizes, strides, buffer addresses and how many slots
// its double buffers have. The controller's queues walk the same nest independently and lazily
// (nest_cursor.h), so no flat list of tiles ever exists; addresses and sizes are affine in the loop indices,
// clamped at the borders. Units: addresses and strides in bytes, extents in elements.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "hw_models/activity.h"
#include "hw_models/arithmetic/integer_format.h"
#include "hw_models/arithmetic/requantize.h"
#include "hw_models/arithmetic/vector_functions.h"
#include "hw_models/hardware_config.h"

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

/// Where the elements of a tensor lie: element (b, y, x, c) starts at bit
/// 8 * (base + b*strides[0] + y*strides[1] + x*strides[2]) + c*format.bits.
/// The channels of a pixel are packed; a pixel starts at a byte.
struct TensorLayout {
  std::int64_t base = 0;
  std::array<std::int64_t, 3> strides{};
  arithmetic::IntegerFormat format{};

  [[nodiscard]] std::int64_t bit_address(std::int64_t b, std::int64_t y, std::int64_t x,
                                         std::int64_t c) const {
    return 8 * (base + b * strides[0] + y * strides[1] + x * strides[2]) + c * format.bits;
  }
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

/// How a convolution's output pixel reaches its input pixels: input row = oy*stride - pad + kh*dilation. With
/// input dilation d (transposed convolution) a row that is not a multiple of d holds the zero point, the
/// others are row/d of the tensor. Outside the tensor: the zero point.
struct ConvolutionGeometry {
  Dims input{};   ///< batch, height, width, channels of all groups
  Dims output{};  ///< batch, height, width, channels of all groups
  std::int64_t kernel_h = 1, kernel_w = 1;
  std::int64_t stride_h = 1, stride_w = 1;
  std::int64_t dilation_h = 1, dilation_w = 1;
  std::int64_t input_dilation_h = 1, input_dilation_w = 1;
  std::int64_t pad_top = 0, pad_left = 0;
  std::int64_t groups = 1;
  std::int32_t input_zero_point = 0;

  [[nodiscard]] std::int64_t group_channels() const { return input[kChannel] / groups; }
  [[nodiscard]] std::int64_t group_outputs() const { return output[kChannel] / groups; }
  /// Reduction length of one output: kernel_h * kernel_w * group_channels.
  [[nodiscard]] std::int64_t depth() const { return kernel_h * kernel_w * group_channels(); }
};

enum class LoopOrder {
  weights_outer,      ///< A block of weights stays while all activations pass.
  activations_outer,  ///< A tile of activations stays while all weights pass.
};

/// Per output channel in parameter memory: the preload, then (per channel or once a block) the scale.
struct ParameterFormat {
  int preload_bytes = 4;     ///< 4, or 8 where the accumulators are wider than 32 bits.
  bool per_channel = false;  ///< Scale records follow each preload; otherwise one record heads the block.
  bool asymmetric_weights = false;  ///< The channel's weight zero point (4 bytes) follows the preload.
  int scale_bytes = 5;  ///< 4 bytes multiplier or float32 scale, 1 byte shift; 8: a float64 scale.

  [[nodiscard]] std::int64_t channel_bytes() const {
    return preload_bytes + (asymmetric_weights ? 4 : 0) + (per_channel ? scale_bytes : 0);
  }
  [[nodiscard]] std::int64_t header_bytes() const { return per_channel ? 0 : scale_bytes; }
  [[nodiscard]] std::int64_t block_bytes(std::int64_t channels) const {
    return header_bytes() + channels * channel_bytes();
  }
};

/// Weights that are activations: row r of the output takes matrix matrix_of_row[r] of a tensor
/// [matrices][depth] [outputs], or [matrices][outputs][depth] where it is transposed. Elements have whole
/// bytes. They are loaded from DRAM once the nest before has retired, strided into the order in which the
/// array reads weights.
struct ActivationWeights {
  TensorLayout dram;  ///< Matrix, then row, of the tensor in its own order: strides[1], strides[2].
  bool transposed = false;
  std::vector<std::int64_t> matrix_of_row;
  Event traffic = Event::dram_read_activation_bytes;  ///< What its DRAM bytes count as.
};

/// A matrix product or convolution on the MAC array.
///
/// Output channels are cut into column tiles (of several whole groups side by side where `groups_per_tile` >
/// 1); `column_tiles_per_block` of them share one load of weights. Output pixels are cut into boxes of
/// `tile_rows` x `tile_columns` pixels (one load of activations), those into runs of at most
/// `pixels_per_pass` pixels in raster order. The reduction is cut into parts (one load each; usually one) and
/// those into chunks of the array's rows, or left whole where outputs are stationary. A tile of the array is
/// one column tile x one run of pixels x one chunk; what bounds the three depends on the dataflow
/// (docs/timing.md):
///
///   dataflow              columns    rows     stream through      accumulator [entry][column]
///   weight_stationary     channels   chunk    pixels              [pixel][channel]
///   input_stationary      pixels     chunk    channels            [channel][pixel]
///   output_stationary     channels   pixels   reduction           [pixel][channel]
///   same, dot_product     channels   chunk    pixels x reduction  [pixel][channel]
struct GemmNest {
  std::int32_t row = 0;  ///< Report row that everything here is counted under.
  ConvolutionGeometry geometry;
  arithmetic::IntegerFormat weight_format{};
  arithmetic::IntegerFormat activation_format{};

  LoopOrder order = LoopOrder::weights_outer;
  PassOrder pass_order = PassOrder::even;
  std::int64_t tile_rows = 1, tile_columns = 1;
  std::int64_t pixels_per_pass = 1;
  std::int64_t groups_per_tile = 1;
  std::int64_t column_tile =
      1;  ///< Output channels of a full column tile (within a group, or of groups_per_tile).
  std::int64_t column_tiles_per_block = 1;
  std::int64_t weight_granule_bytes = 1;  ///< Stored weights of a block and part are whole granules.
  std::int64_t part_kernel_h = 1, part_kernel_w = 1, part_channels = 1;  ///< Box of a reduction part.
  std::int64_t chunk_rows = 32;  ///< Rows of the array: reduction elements of a full chunk.
  Organization organization = Organization::systolic;
  Dataflow dataflow = Dataflow::weight_stationary;
  Reduction reduction = Reduction::packed;

  Placement input;
  Placement output;
  bool store_output = true;       ///< Output tiles go to DRAM.
  bool stores_each_pass = false;  ///< Pass by pass, not tile by tile.

  /// Weights lie in DRAM block after block in the order of first use; `weight_blocks` has each block's offset
  /// (column block major, then reduction part) and one past the last.
  std::int64_t weights_dram_base = 0;
  std::vector<std::int64_t> weight_blocks;
  bool has_activation_weights =
      false;  ///< Then these stand in for weights_dram_base, and are never resident.
  ActivationWeights activation_weights;
  /// The input's zero point is corrected by the sum of the weights, which only the chip knows: each column
  /// adds up its weights while they are loaded.
  bool sums_weights = false;
  bool weights_resident = false;  ///< In the weight buffer at `weights_base`, loaded once (or built in).
  bool weights_loaded = true;     ///< Resident weights come from DRAM in the first inference.
  std::int64_t weights_base = 0;  ///< Resident: address in the weight buffer.
  std::int64_t parameters_dram_base = 0;
  std::vector<std::int64_t>
      parameter_blocks;              ///< Offsets of each column block's parameters, one past the last.
  std::int64_t parameters_base = 0;  ///< Resident: address in the weight buffer.
  ParameterFormat parameters;

  arithmetic::RoundingProfile rounding_profile{};
  arithmetic::OutputRange output_range{};
};

/// How an element of a vector operation's output reaches one of its inputs: input index of dimension d =
/// output index of dimension source[d] * stride[d] + offset[d] + window index of d; outside the input: `pad`.
struct VectorInput {
  Placement placement;
  std::array<std::size_t, kDims> source{0, 1, 2, 3};
  Dims stride{1, 1, 1, 1};
  Dims offset{};
  std::int64_t pad = 0;
};

using VectorFunction =
    std::variant<arithmetic::UnaryFunction, arithmetic::BinaryFunction, arithmetic::WindowFunction,
                 arithmetic::RowFunction, arithmetic::ResizeFunction>;

/// An operation of the vector unit: element by element, over windows, over rows of channels, or between
/// neighbouring pixels. Of a resize, the function says which rows and columns of the input an output pixel
/// reads. A row function's further inputs are its constants, gamma and beta (those that there are).
struct VectorNest {
  std::int32_t row = 0;
  VectorFunction function;
  Dims extent{};          ///< Output elements to compute (the output's dims, or the part a concat writes).
  Dims tile{1, 1, 1, 1};  ///< Output elements of one tile.
  Dims window{1, 1, 1, 1};
  std::vector<VectorInput> inputs;
  bool has_gamma = false, has_beta = false;
  Placement output;
  Dims output_offset{};  ///< Where element 0 goes in the output tensor (concat).
  bool store_output = true;
};

/// Bytes that the host moves: one tensor or block of parameters, contiguous in DRAM.
struct HostTransfer {
  std::int64_t address = 0, bytes = 0;
  Event traffic = Event::dram_read_activation_bytes;
};

/// An operation that the chip leaves to the host: operands in DRAM, the result there as well.
struct HostNest {
  std::int32_t row = 0;
  std::vector<HostTransfer> reads;  ///< One an operand, in the order of `compute`.
  HostTransfer write;
  /// The operands' bytes to the result's; called where values move.
  std::function<std::vector<std::byte>(const std::vector<std::vector<std::byte>>& operands)> compute;
};

using Nest = std::variant<GemmNest, VectorNest, HostNest>;

/// Bytes that a memory holds before the run.
struct MemoryImage {
  std::int64_t address = 0;
  std::vector<std::byte> bytes;
};

struct Program {
  std::vector<Nest> nests;
  std::int32_t rows = 0;  ///< Report rows; every nest's row is below.
  /// Slots for streamed weights and parameters in the weight buffer, shared by all nests so that loads run
  /// ahead across nests.
  std::vector<std::int64_t> weight_slots;
  std::vector<std::int64_t> parameter_slots;
  /// Credits that the loads start with: one a slot. More than there are slots is a wrong dependency.
  std::int64_t weight_credits = 2, parameter_credits = 2;
  std::int64_t dram_bytes = 0;                   ///< Size of the DRAM image.
  std::vector<MemoryImage> dram_image;           ///< Weights, parameters, constants (values tile only).
  std::vector<MemoryImage> weight_buffer_image;  ///< Chips without DRAM.
  std::vector<MemoryImage> activation_buffer_image;
};

}  // namespace qsim

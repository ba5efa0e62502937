// A matrix product or convolution on the MAC array as three values: what it computes (GemmProblem), how it is
// executed (GemmMapping) and where its data lie (GemmPlacement).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "hw_models/arithmetic/integer_format.h"
#include "hw_models/arithmetic/mx_block.h"
#include "hw_models/arithmetic/requantize.h"
#include "hw_models/arithmetic/thresholds.h"
#include "hw_models/hardware_config.h"
#include "hw_models/tensor_layout.h"
#include "hw_models/vector_operation.h"

namespace qsim {

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

/// Per output channel in parameter memory: the preload, then (per channel or once a block) the scale.
struct ParameterFormat {
  int preload_bytes = 4;     ///< 4, or 8 where the accumulators are wider than 32 bits.
  bool per_channel = false;  ///< Scale records follow each preload; otherwise one record heads the block.
  bool asymmetric_weights = false;  ///< The channel's weight zero point (4 bytes) follows the preload.
  int scale_bytes =
      5;  ///< 4 bytes multiplier or float32 scale, 1 byte shift; 8: a float64 scale; 16: with offset.
  /// Groups of a channel's reduction, 0 where there are none. In place of the zero point follow the
  /// multipliers, one a group, and of asymmetric weights as many factors m * z_w of 4 bytes.
  std::int64_t groups = 0;
  int multiplier_bytes = 1;

  /// Of one group of a channel.
  [[nodiscard]] std::int64_t group_bytes() const { return multiplier_bytes + (asymmetric_weights ? 4 : 0); }
  [[nodiscard]] std::int64_t channel_bytes() const {
    const std::int64_t beside = groups > 0 ? groups * group_bytes() : asymmetric_weights ? 4 : 0;
    return preload_bytes + beside + (per_channel ? scale_bytes : 0);
  }
  [[nodiscard]] std::int64_t header_bytes() const { return per_channel ? 0 : scale_bytes; }
  [[nodiscard]] std::int64_t block_bytes(std::int64_t channels) const {
    return header_bytes() + channels * channel_bytes();
  }
};

/// Weights that are activations: row r of the output takes matrix matrix_of_row[r] of a tensor
/// [matrices][depth] [outputs], or [matrices][outputs][depth] where it is transposed. Elements have whole
/// bytes. They are loaded from DRAM once the nest before has retired, in runs as they lie there, written in
/// the order in which the array reads weights, and never stay in the weight buffer.
struct ActivationWeights {
  TensorLayout layout;  ///< Matrix, then row, of the tensor in its own order: strides[1], strides[2]. Base 0.
  bool transposed = false;
  std::vector<std::int64_t> matrix_of_row;
};

/// An operation behind the requantizer, on what the operation before it gives: of one element, or a pooling,
/// the last (docs/mapping.md). It counts under the product's report row plus its place among them, from 1.
struct WayOutOperation {
  /// Its input has the dimensions of the product's output.
  std::shared_ptr<const VectorProblem> problem;
  std::size_t chained = 0;  ///< The input that the operation before gives; another one is the addend.
};

/// What is computed.
struct GemmProblem {
  ConvolutionGeometry geometry;
  arithmetic::IntegerFormat weight_format{};
  std::int64_t weight_granule_bytes = 1;  ///< Stored weights of a block and part are whole granules.
  /// No sum of products in any order can leave the accumulators, so the mapping may choose the order of the
  /// reduction.
  bool is_order_free = false;
  arithmetic::IntegerFormat activation_format{};
  /// Bursts of the DRAM, where loads of inputs skip rows and columns that no output touches; 0: they fetch
  /// them.
  std::int64_t skip_burst_bytes = 0;
  TensorView input;
  TensorView output;
  std::optional<ActivationWeights> activation_weights;
  /// The input's zero point is corrected by the sum of the weights, which only the chip knows: each column
  /// adds up its weights while they are loaded.
  bool sums_weights = false;
  /// Input channels of a kernel tap whose weights share a multiplier: no chunk crosses a group's border. 0:
  /// none do.
  std::int64_t scale_group = 0;
  /// Largest sum of the multipliers of a channel's elements: that of the reduction's depth where all are 1.
  std::int64_t multiplied_depth = 0;
  /// Operands and outputs are in blocks (arithmetic/mx_block.h), and `scale_group` channels lie in one: in
  /// place of a multiplier sums take a shift by the exponents of both operands. Input and output have their
  /// stored channels, exponents among them; the geometry has none.
  bool in_blocks = false;
  int block_reference = 0;
  arithmetic::MxClamp block_clamp;
  ParameterFormat parameters;
  arithmetic::RoundingProfile rounding_profile{};
  arithmetic::ShiftRounding shift_rounding = arithmetic::ShiftRounding::half_away;
  int multiplier_bits = 32;
  arithmetic::OutputRange output_range{};  ///< Of the requantizer.
  /// What the outputs go through before they are written; `output` is what is written. At most one operation
  /// has an addend.
  std::vector<WayOutOperation> way_out;

  /// Of a stored threshold; the record of a channel is a byte and the thresholds.
  [[nodiscard]] int threshold_bits() const {
    const std::int64_t count = arithmetic::threshold_count(output_range);
    return count == 0 ? 8 : static_cast<int>(8 * (parameters.scale_bytes - 1) / count);
  }

  /// `channels` neighbouring channels as they are stored, those of a box of whole blocks.
  [[nodiscard]] std::int64_t stored_channels(std::int64_t channels) const {
    return in_blocks ? arithmetic::mx_stored(channels) : channels;
  }
  [[nodiscard]] Box stored_box(Box box) const {
    if (!in_blocks) return box;
    box.begin[kChannel] = arithmetic::mx_element(box.begin[kChannel]);
    box.end[kChannel] = arithmetic::mx_stored(box.end[kChannel]);
    return box;
  }

  /// The tensor that an adder behind the requantizer reads; nullptr where none does.
  [[nodiscard]] const TensorView* addend() const {
    for (const WayOutOperation& operation : way_out) {
      const std::vector<VectorInput>& inputs = operation.problem->inputs;
      if (inputs.size() > 1) return &inputs[1 - operation.chained].tensor;
    }
    return nullptr;
  }

  [[nodiscard]] arithmetic::Rounding rounding() const {
    return {rounding_profile, shift_rounding, multiplier_bits};
  }

  /// What is made of the windows of the outputs; nullptr where they are written one by one.
  [[nodiscard]] const VectorProblem* pooling() const {
    if (way_out.empty()) return nullptr;
    const VectorProblem& last = *way_out.back().problem;
    return std::holds_alternative<arithmetic::WindowFunction>(last.function) ? &last : nullptr;
  }

  /// Sums that depend on the data lie beside the accumulators, and have no way to the activation buffer.
  [[nodiscard]] bool has_sums_beside() const { return parameters.asymmetric_weights || sums_weights; }
  /// Lane cycles of the requantizer for an output: one, and one for each data-dependent zero-point term.
  [[nodiscard]] std::int64_t requantizer_operations() const {
    return 1 + (parameters.asymmetric_weights ? 1 : 0) + (sums_weights ? 1 : 0);
  }
};

/// Where the sums of a step whose reduction is cut wait for the next part.
enum class SumsIn : std::uint8_t {
  accumulators,       ///< All of them in one half.
  activation_buffer,  ///< Pass by pass: they come back before it, and leave after it.
};

enum class LoopOrder {
  weights_outer,      ///< A block of weights stays while all activations pass.
  activations_outer,  ///< A tile of activations stays while all weights pass.
};

/// How it is executed.
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
struct GemmMapping {
  Organization organization = Organization::systolic;
  Dataflow dataflow = Dataflow::weight_stationary;
  Reduction reduction = Reduction::packed;
  std::int64_t chunk_rows = 32;  ///< Rows of the array's extent: reduction elements of a full chunk.
  std::int64_t macs_a_pe = 1;    ///< Products that a PE makes at once (MacArrayConfig::macs_a_pe).
  LoopOrder order = LoopOrder::weights_outer;
  PassOrder pass_order = PassOrder::even;
  std::int64_t tile_rows = 1, tile_columns = 1;
  std::int64_t pixels_per_pass = 1;
  std::int64_t groups_per_tile = 1;
  /// Output channels of a full column tile (within a group, or of groups_per_tile).
  std::int64_t column_tile = 1;
  std::int64_t column_tiles_per_block = 1;
  std::int64_t part_kernel_h = 1, part_kernel_w = 1, part_channels = 1;  ///< Box of a reduction part.
  SumsIn sums_in = SumsIn::accumulators;                                 ///< Of a reduction that is cut.
  bool stores_each_pass = false;                                         ///< Pass by pass, not tile by tile.
  bool store_output = true;                                              ///< Output tiles go to DRAM.
  bool fetch_input = false;       ///< The resident input comes from DRAM, once, as the steps need it.
  bool weights_resident = false;  ///< They stay in the weight buffer, loaded once (or built in).
  bool input_resident = false;    ///< Whole tensors in the activation buffer; otherwise tiles of
  bool output_resident = false;   ///< them pass through slots.
  std::int64_t input_slots = 2, output_slots = 2;  ///< Tile slots, where not resident.
  bool addend_resident = false;                    ///< Of an addend, where there is one,
  std::int64_t addend_slots = 0;                   ///< likewise.

  friend bool operator==(const GemmMapping&, const GemmMapping&) = default;
};

/// Where the data lie.
struct GemmPlacement {
  Placement input;
  Placement output;
  Placement addend;
  /// Weights lie in DRAM block after block in the order of first use; `weight_blocks` has each block's offset
  /// (column block major, then reduction part) and one past the last. Weights that are activations: the base
  /// of their tensor.
  std::int64_t weights_dram_base = 0;
  Event weights_traffic = Event::dram_read_weight_bytes;  ///< What their DRAM bytes count as.
  std::vector<std::int64_t> weight_blocks;
  std::int64_t weights_base = 0;  ///< Resident: address in the weight buffer.
  std::int64_t parameters_dram_base = 0;
  /// Offsets of each column block's parameters, one past the last.
  std::vector<std::int64_t> parameter_blocks;
  std::int64_t parameters_base = 0;  ///< Resident: address in the weight buffer.
  std::int64_t sums_base = 0;        ///< Of sums that wait in the activation buffer.
};

}  // namespace qsim

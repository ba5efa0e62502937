// Tile commands: what the controller's queues send to the units.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <ostream>

#include "hw_models/core/dependencies.h"
#include "hw_models/core/nest_cursor.h"
#include "hw_models/dataflow/orders.h"
#include "hw_models/program.h"

namespace qsim {

enum class BufferId : std::uint8_t { weights, activations };

/// Weights on their way into the order of the array: the DMA gathers runs as they lie in DRAM until lines of
/// the buffer are complete. Element e of the transfer, in the order of its runs, is element k = e % depth of
/// channel n = e / depth (or k = e / channels, n = e % channels) of the block.
struct WeightScatter {
  WeightBlock block;
  int element_bytes = 1;
  bool runs_along_depth = false;

  /// Where a byte of the transfer belongs, from the block's first.
  [[nodiscard]] std::int64_t offset(std::int64_t byte) const {
    const std::int64_t e = byte / element_bytes;
    const std::int64_t index = runs_along_depth ? block.index(e % block.depth, e / block.depth)
                                                : block.index(e / block.channels, e % block.channels);
    return index * element_bytes + byte % element_bytes;
  }
};

/// Moves contiguous runs between DRAM and a buffer: run (i, j, k) starts at base + i*stride[0] + j*stride[1]
/// + k*stride[2] on either side; in DRAM, j and k count places of `blocks` that are taken.
struct TransferCommand {
  std::int32_t row = 0;                   ///< It counts under this one ..
  std::optional<std::int32_t> turn = {};  ///< .. and goes when it is this row's turn, where that is another.
  bool to_buffer = true;
  BufferId buffer = BufferId::activations;
  Event traffic = Event::dram_read_activation_bytes;
  std::int64_t dram_base = 0, buffer_base = 0;
  std::array<std::int64_t, 3> counts{1, 1, 1};
  std::array<std::int64_t, 3> dram_strides{}, buffer_strides{};
  std::array<BlockPattern, 3> blocks{};  ///< Which of a dimension's runs in DRAM are moved.
  std::optional<WeightScatter> scatter;  ///< Buffer addresses are counted as if runs stayed runs.
  std::int64_t run_bytes = 0;            ///< 0: nothing to move, the dependencies alone.
  std::int64_t row_pixels = 0;           ///< Of loads of activations: pixels of a row ..
  std::int64_t pixel_bytes = 0;          ///< .. and stored bytes of a pixel.
  Held held = Held::inputs;    ///< What the timeline calls the tile that is in its buffer with the last byte.
  bool passes_through = true;  ///< It takes a slot and leaves it; otherwise it stays.
  Waits<1> waits;              ///< Before the first byte moves.
  Signals<2> arrived;          ///< With the last byte.
  bool ends_stream = false;    ///< No command: the channel has no more work in this run.
};

/// Of `box` the rows and columns of `reach`, which are side by side in the buffer.
[[nodiscard]] TransferCommand make_reach_transfer(const TensorLayout& dram, const TensorLayout& buffer,
                                                  const Box& box, const InputReach& reach);
/// Elements `box` of a tensor between DRAM and a buffer whose base holds element `box.begin`. Dimensions that
/// are contiguous on both sides become one run.
[[nodiscard]] TransferCommand make_box_transfer(const TensorLayout& dram, const TensorLayout& buffer,
                                                const Box& box);

/// One pass of the MAC array: a chunk of the reduction for a run of output pixels and one column tile.
struct MacTile {
  const GemmNest* nest = nullptr;  ///< Absent: no more work in this run.
  ColumnTile columns;
  ReductionPart part;
  std::int64_t chunk_begin = 0, chunk_depth = 0;  ///< Elements of the part's reduction.
  std::int64_t weights_address = 0;
  std::int64_t parameters_address = 0;  ///< Of the column tile's block.
  std::int64_t block_channel_begin = 0;
  Box output;                                   ///< The step's output box: pixels are counted in it.
  std::int64_t pixel_begin = 0, pixel_end = 0;  ///< Raster order within the box.
  TensorLayout input;                           ///< Layout of what is in the buffer ...
  Dims input_origin{};                          ///< ... whose base is this element of the tensor ...
  InputReach input_reach;                       ///< ... and which holds these of its rows and columns.
  std::int64_t accumulator_base = 0;
  std::int64_t issue_cycle = 0;  ///< When the controller had it ready: the array waits for it from then on.
  bool preload = false;          ///< First chunk: accumulators start from the preload.
  bool last = false;             ///< Last chunk: the accumulators may be read out afterwards.
  Waits<1> load_waits;           ///< Before what stays is loaded into the PEs.
  Signals<1> loaded;             ///< Afterwards.
  Waits<5> stream_waits;         ///< Before the rest streams.
  Signals<2> streamed;           ///< When the next pass may enter.
  Signals<1> accumulated;        ///< When the last sum is in the accumulators.

  [[nodiscard]] std::int64_t pixels() const { return pixel_end - pixel_begin; }
  [[nodiscard]] std::int64_t groups() const { return columns.groups(); }
  [[nodiscard]] std::int64_t channels() const { return columns.columns(); }
  [[nodiscard]] std::int64_t group_channels() const { return channels() / groups(); }
  [[nodiscard]] const DataflowModel& dataflow() const { return dataflow_of(nest->mapping()); }
  /// What the dataflow is asked about.
  [[nodiscard]] PassShape shape() const;
};

/// Partial sums of a pass in the activation buffer, [pixel][channel].
struct SpilledSums {
  std::int64_t address = 0;
  std::int64_t bytes_each = 4;
};

/// Makes accumulators ready for a pass of a nest whose sums leave: with those that wait, or, where the pass
/// begins with its preloads, by taking the entries alone.
struct ReloadCommand {
  const GemmNest* nest = nullptr;  ///< Absent: no more work in this run.
  ColumnTile columns;
  std::int64_t pixel_begin = 0, pixel_end = 0;
  std::int64_t accumulator_base = 0;
  std::optional<SpilledSums> sums;
  Waits<2> waits;      ///< Before the first sum is read.
  Signals<1> arrived;  ///< With the last one.

  [[nodiscard]] std::int64_t pixels() const { return pixel_end - pixel_begin; }
  [[nodiscard]] std::int64_t count() const { return pixels() * columns.columns(); }
};

/// Requantizes a complete run of accumulators into output elements, or moves its sums away.
struct DrainCommand {
  const GemmNest* nest = nullptr;  ///< Absent: no more work in this run.
  ColumnTile columns;
  std::int64_t block_channel_begin = 0;
  std::int64_t parameters_address = 0;
  Box output;
  std::int64_t pixel_begin = 0, pixel_end = 0;
  TensorLayout destination;
  Dims destination_origin{};
  TensorLayout addend;  ///< Where there is one.
  Dims addend_origin{};
  std::int64_t accumulator_base = 0;
  std::optional<SpilledSums> sums;  ///< They go there as they are.
  Waits<2> waits;                   ///< Before the first accumulator is read.
  Signals<3> read_out;              ///< When the last one has been.
  Signals<2> written;               ///< With the last output.

  [[nodiscard]] std::int64_t pixels() const { return pixel_end - pixel_begin; }
};

inline constexpr std::size_t kMaxVectorInputs = 3;

/// One tile of a vector operation.
struct VectorTile {
  const VectorNest* nest = nullptr;  ///< Absent: no more work in this run.
  Box output;
  std::array<TensorLayout, kMaxVectorInputs> inputs;
  std::array<Dims, kMaxVectorInputs> input_origins{};
  TensorLayout destination;
  Dims destination_origin{};
  Waits<2> waits;   ///< Before the tile begins.
  Signals<3> done;  ///< When it is written.
};

/// An operation of the host.
struct HostCommand {
  const HostNest* nest = nullptr;  ///< Absent: no more work in this run.
  Signals<1> done;                 ///< When the result is in memory.
};

// Queues of commands are sc_fifos, which want to print what they hold.
std::ostream& operator<<(std::ostream& out, const TransferCommand& command);
std::ostream& operator<<(std::ostream& out, const MacTile& tile);
std::ostream& operator<<(std::ostream& out, const ReloadCommand& command);
std::ostream& operator<<(std::ostream& out, const DrainCommand& command);
std::ostream& operator<<(std::ostream& out, const VectorTile& tile);
std::ostream& operator<<(std::ostream& out, const HostCommand& command);

}  // namespace qsim

#include "sim/compiler/gemm_events.h"

#include <algorithm>
#include <array>

#include "hw_models/arithmetic/bit_packing.h"
#include "hw_models/core/pooling.h"
#include "hw_models/core/vector_work.h"
#include "sim/compiler/gemm_tiles.h"

namespace qsim {
namespace {

/// Column tiles of a width.
struct Columns {
  std::int64_t channels = 0, groups = 1, count = 0;
};

/// All but the last of a group (of all, where groups lie side by side) are full.
std::array<Columns, 2> column_widths(const GemmProblem& problem, const GemmMapping& mapping,
                                     const GemmCursor& cursor) {
  const ConvolutionGeometry& g = problem.geometry;
  if (mapping.groups_per_tile > 1) {
    const std::int64_t full = cursor.column_tiles() - 1;
    return {Columns{mapping.column_tile, mapping.groups_per_tile, full},
            Columns{g.output[kChannel] - full * mapping.column_tile,
                    g.groups - full * mapping.groups_per_tile, 1}};
  }
  const std::int64_t full = cursor.column_tiles() / g.groups - 1;
  return {Columns{mapping.column_tile, 1, full * g.groups},
          Columns{g.group_outputs() - full * mapping.column_tile, 1, g.groups}};
}

/// Pairs of an output and a tap of one dimension that meet an element of the tensor: padding is not read.
std::int64_t touched_pairs(std::int64_t outputs, std::int64_t taps, const InputDimension& input) {
  const auto& [stride, pad, dilation, input_dilation, size] = input;
  std::int64_t pairs = 0;
  for (std::int64_t k = 0; k < taps; ++k) {
    // 0 <= o * stride - pad + k * dilation < size * input_dilation
    const std::int64_t offset = pad - k * dilation;
    const std::int64_t first = std::max<std::int64_t>(0, ceil_div(offset, stride));
    const std::int64_t end = std::min(outputs, ceil_div(offset + size * input_dilation, stride));
    pairs += std::max<std::int64_t>(0, end - first);
  }
  return std::max<std::int64_t>(1, pairs / input_dilation);
}

class GemmEvents {
 public:
  GemmEvents(const GemmProblem& problem, const GemmMapping& mapping, const GemmCursor& cursor,
             const HardwareConfig& hardware)
      : problem_(problem), mapping_(mapping), cursor_(cursor), hardware_(hardware) {
    const ConvolutionGeometry& g = problem.geometry;
    pixels_ = g.output[kBatch] * g.output[kRow] * g.output[kColumn];
    for (const std::int64_t rows : {mapping.tile_rows, g.output[kRow] % mapping.tile_rows}) {
      for (const std::int64_t columns : {mapping.tile_columns, g.output[kColumn] % mapping.tile_columns}) {
        if (rows * columns == 0) continue;
        const std::int64_t of_rows = rows == mapping.tile_rows ? g.output[kRow] / rows : 1;
        const std::int64_t of_columns = columns == mapping.tile_columns ? g.output[kColumn] / columns : 1;
        passes_ += g.output[kBatch] * of_rows * of_columns *
                   PassCut(rows * columns, mapping.pixels_per_pass, mapping.pass_order).count();
      }
    }
    const double pairs = static_cast<double>(touched_pairs(g.output[kRow], g.kernel_h, input_rows(g))) *
                         static_cast<double>(touched_pairs(g.output[kColumn], g.kernel_w, input_columns(g)));
    const auto all = static_cast<double>(g.output[kRow] * g.kernel_h * g.output[kColumn] * g.kernel_w);
    touched_ = std::min(1.0, pairs / all);
    if (hardware.activation_buffer.line_buffer) {  // each element once a pass
      const auto reads = static_cast<double>(g.kernel_h * g.kernel_w);
      touched_ = std::min(touched_, static_cast<double>(g.stride_h * g.stride_w) / reads);
    }
  }

  Activity run() {
    const auto widths = column_widths(problem_, mapping_, cursor_);
    for (const Columns& columns : widths) {
      if (columns.count == 0) continue;
      cursor_.visit_parts([&](std::int64_t part, std::int64_t alike) {
        const ChunkCut cut = cursor_.chunks(cursor_.part(part));
        add_chunks(columns, cut.depth(0), alike * cut.full());
        if (cut.partial() > 0) add_chunks(columns, cut.depth(cut.count() - 1), alike * cut.partial());
      });
      add_outputs(columns);
    }
    if (!problem_.way_out.empty()) add_way_out();
    return events_;
  }

 private:
  std::int64_t& count(Event event) { return events_[event]; }

  /// `chunks` chunks of the reduction, each with all pixels of these column tiles.
  void add_chunks(const Columns& columns, std::int64_t depth, std::int64_t chunks) {
    const DataflowModel& dataflow = dataflow_of(mapping_);
    const std::int64_t tiles = chunks * columns.count;
    const std::int64_t weights = depth * columns.channels;
    PassShape pass;
    pass.groups = columns.groups;
    pass.channels = columns.channels / columns.groups;
    pass.pixels = ceil_div(pixels_, passes_);
    pass.depth = depth;
    pass.macs_a_pe = mapping_.macs_a_pe;
    const std::int64_t sweeps = dataflow.weight_sweeps(pass);
    count(Event::macs) += tiles * pixels_ * weights;
    if (dataflow.stays() == Stays::weights) count(Event::weight_register_writes) += tiles * passes_ * weights;
    if (dataflow.stays() == Stays::inputs)
      count(Event::activation_register_writes) += tiles * pixels_ * columns.groups * depth;
    count(Event::weight_buffer_reads) +=
        tiles * passes_ *
        ceil_div(sweeps * arithmetic::packed_bytes(weights, problem_.weight_format.bits),
                 hardware_.weight_buffer.read_port_bytes);
    add_inputs(tiles, pass);
    const std::int64_t updates = tiles * pixels_ * columns.channels;
    count(Event::accumulator_writes) += updates;
    count(Event::accumulator_adds) += updates;
    count(Event::accumulator_reads) += updates;
    count(Event::commands) += tiles * passes_;
    if (problem_.in_blocks) {
      add_blocks(tiles, columns.channels, updates);
    } else if (problem_.scale_group > 0)
      add_groups(tiles * passes_, updates, columns.channels);
    if (problem_.parameters.asymmetric_weights)
      count(Event::zero_point_input_adds) += tiles * pixels_ * columns.groups * depth;
    if (problem_.sums_weights) count(Event::zero_point_input_adds) += tiles * passes_ * sweeps * weights;
  }

  /// Multipliers that `passes` passes read for `channels` channels each, and what they do to the sums.
  void add_groups(std::int64_t passes, std::int64_t updates, std::int64_t channels) {
    count(Event::group_multiplies) += updates;
    if (problem_.parameters.asymmetric_weights) count(Event::zero_point_corrections) += updates;
    count(Event::weight_buffer_reads) += passes * ceil_div(channels * problem_.parameters.group_bytes(),
                                                           hardware_.weight_buffer.read_port_bytes);
  }

  /// Exponents of the weights, and of the inputs beside their elements.
  void add_blocks(std::int64_t tiles, std::int64_t channels, std::int64_t updates) {
    count(Event::block_shifts) += updates;
    count(Event::weight_buffer_reads) +=
        tiles * passes_ * ceil_div(channels, hardware_.weight_buffer.read_port_bytes);
    const auto exponents =
        static_cast<std::int64_t>(static_cast<double>(ceil_div(pixels_, passes_)) * touched_);
    count(Event::activation_buffer_reads) +=
        tiles * passes_ * ceil_div(exponents, hardware_.activation_buffer.read_port_bytes);
  }

  void add_inputs(std::int64_t tiles, const PassShape& pass) {
    const auto elements = static_cast<double>(pass.pixels * pass.groups * pass.depth) * touched_;
    const std::int64_t bytes =
        arithmetic::packed_bytes(static_cast<std::int64_t>(elements), problem_.activation_format.bits);
    count(Event::activation_buffer_reads) +=
        tiles * passes_ * ceil_div(bytes, hardware_.activation_buffer.read_port_bytes);
    if (hardware_.activation_buffer.line_buffer)
      count(Event::line_buffer_write_bytes) += tiles * passes_ * bytes;
  }

  /// The first chunk reads no sums; the requantizer reads each once.
  void add_outputs(const Columns& columns) {
    const std::int64_t outputs = columns.count * pixels_ * columns.channels;
    const std::int64_t operations = problem_.requantizer_operations();
    count(Event::requantizations) += outputs;
    if (problem_.in_blocks) {
      count(Event::block_outputs) += outputs;
      count(Event::block_exponents) +=
          columns.count * pixels_ * ceil_div(columns.channels, arithmetic::kMxBlock);
    }
    count(Event::zero_point_corrections) += (operations - 1) * outputs;
    const BufferConfig& buffer = hardware_.activation_buffer;
    const std::int64_t runs = columns.count * passes_;
    const std::int64_t run_outputs = ceil_div(pixels_, passes_) * columns.channels;
    const auto words = [](std::int64_t elements, const TensorView& tensor, std::int64_t port_bytes) {
      return ceil_div(arithmetic::packed_bytes(elements, tensor.layout.format.bits), port_bytes);
    };
    count(Event::activation_buffer_writes) +=
        runs * words(written_outputs(problem_, run_outputs), problem_.output, buffer.write_port_bytes);
    if (const TensorView* addend = problem_.addend())
      count(Event::activation_buffer_reads) += runs * words(run_outputs, *addend, buffer.read_port_bytes);
    count(Event::commands) += runs;
    if (cursor_.sums_leave()) add_spills(columns, (cursor_.parts() - 1) * columns.count);
  }

  /// What the operations on the way out do.
  void add_way_out() {
    const Dims& all = problem_.geometry.output;
    const std::int64_t outputs = pixels_ * all[kChannel];
    const VectorProblem* pooling = problem_.pooling();
    for (const WayOutOperation& operation : problem_.way_out) {
      const bool pools = operation.problem.get() == pooling;
      const VectorCost work =
          vector_cost(*operation.problem, pools ? written_outputs(problem_, outputs) : outputs);
      count(Event::vector_adds) += work.adds;
      count(Event::vector_multiplies) += work.multiplies;
      count(Event::vector_lookups) += work.lookups;
    }
    if (pooling == nullptr) return;
    const PoolRun image = pool_run(*pooling, 0, all[kRow] * all[kColumn]);
    const std::int64_t bytes = all[kBatch] * all[kChannel] * pool_entry_bytes(*pooling);
    count(Event::pool_line_read_bytes) += image.line_reads * bytes;
    count(Event::pool_line_write_bytes) += image.line_writes * bytes;
  }

  /// Sums of these column tiles that leave for the activation buffer, and come back, `times` times.
  void add_spills(const Columns& columns, std::int64_t times) {
    const std::int64_t sums = times * pixels_ * columns.channels;
    const std::int64_t run_bytes =
        ceil_div(pixels_, passes_) * columns.channels * ceil_div(hardware_.accumulators.width_bits, 8);
    count(Event::partial_sum_spills) += sums;
    count(Event::partial_sum_reloads) += sums;
    count(Event::accumulator_reads) += sums;
    count(Event::accumulator_writes) += sums;
    count(Event::activation_buffer_writes) +=
        times * passes_ * ceil_div(run_bytes, hardware_.activation_buffer.write_port_bytes);
    count(Event::activation_buffer_reads) +=
        times * passes_ * ceil_div(run_bytes, hardware_.activation_buffer.read_port_bytes);
    count(Event::commands) += 2 * times * passes_;
  }

  const GemmProblem& problem_;
  const GemmMapping& mapping_;
  const GemmCursor& cursor_;
  const HardwareConfig& hardware_;
  std::int64_t pixels_ = 0;
  std::int64_t passes_ = 0;  ///< Of all tiles of pixels, with one column tile and chunk.
  double touched_ = 1.0;     ///< Share of the inputs of all taps that are read.
  Activity events_;
};

}  // namespace

void add_transfer_events(Activity& events, const RowCost& traffic, const HardwareConfig& hardware) {
  if (hardware.dram.kind == DramKind::none) return;
  const std::int64_t burst = hardware.dram.burst_bytes;
  const std::int64_t loads = traffic.weights.bus_bytes + traffic.inputs.bus_bytes;
  const std::int64_t bytes = traffic.weights.bytes + traffic.inputs.bytes + traffic.stores.bytes;
  const std::int64_t transfers =
      traffic.weights.transfers + traffic.inputs.transfers + traffic.stores.transfers;
  events[Event::dma_bytes] += bytes;
  events[Event::dma_requests] +=
      std::max(transfers, (loads + traffic.stores.bus_bytes) / hardware.dma.transaction_bytes);
  events[Event::dram_read_bursts] += ceil_div(loads, burst);
  events[Event::dram_write_bursts] += ceil_div(traffic.stores.bus_bytes, burst);
  events[Event::weight_buffer_writes] +=
      ceil_div(traffic.weights.bytes, hardware.weight_buffer.write_port_bytes);
  events[Event::activation_buffer_writes] +=
      ceil_div(traffic.inputs.bytes, hardware.activation_buffer.write_port_bytes);
  events[Event::activation_buffer_reads] +=
      ceil_div(traffic.stores.bytes, hardware.activation_buffer.read_port_bytes);
  events[Event::commands] += transfers;
}

Activity gemm_events(const GemmProblem& problem, const GemmMapping& mapping, const GemmCursor& cursor,
                     const HardwareConfig& hardware, const RowCost& traffic) {
  Activity events = GemmEvents(problem, mapping, cursor, hardware).run();
  add_transfer_events(events, traffic, hardware);
  return events;
}

}  // namespace qsim

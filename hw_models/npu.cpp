#include "hw_models/npu.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>

#include "hw_models/arithmetic/bit_packing.h"
#include "hw_models/core/accumulator_bank.h"
#include "hw_models/core/completions.h"
#include "hw_models/core/controller.h"
#include "hw_models/core/host.h"
#include "hw_models/core/mac_array.h"
#include "hw_models/core/requantizer.h"
#include "hw_models/core/sram_buffer.h"
#include "hw_models/core/tile_datapath.h"
#include "hw_models/core/vector_unit.h"
#include "hw_models/memory/dma.h"
#include "hw_models/memory/dram.h"
#include "hw_models/pe_array/pe_array.h"
#include "hw_models/simulation_context.h"

namespace qsim {

namespace {

/// The nests of all inferences, each with report rows of its own; they share problems, mappings and
/// placements. Resident weights are loaded once.
std::vector<Nest> repeat(const Program& program, std::int64_t inferences) {
  std::vector<Nest> nests;
  nests.reserve(program.nests.size() * static_cast<std::size_t>(inferences));
  for (std::int64_t i = 0; i < inferences; ++i) {
    for (Nest nest : program.nests) {
      std::visit([&](auto& n) { n.row += static_cast<std::int32_t>(i) * program.rows; }, nest);
      if (auto* gemm = std::get_if<GemmNest>(&nest); gemm != nullptr && i > 0) gemm->weights_loaded = false;
      nests.push_back(std::move(nest));
    }
  }
  return nests;
}

/// The modules in the order of the data path.
class Npu : public sc_core::sc_module {
 public:
  Npu(sc_core::sc_module_name name, const HardwareConfig& hardware, const Program& program,
      const ChipOptions& options, ChipContext& context)
      : sc_module(name),
        completions("completions", context),
        weight_buffer("weight_buffer", hardware.weight_buffer, kWeightBufferEvents, context),
        activation_buffer("activation_buffer", hardware.activation_buffer, kActivationBufferEvents, context),
        accumulators("accumulators", hardware.accumulators, hardware.mac_array.columns, context),
        ports{weight_buffer, activation_buffer, hardware.accumulators.update_cycles},
        datapath(make_datapath(hardware.mac_array, options, context)),
        mac_array("mac_array", hardware.mac_array, ports, weight_buffer, activation_buffer, *datapath,
                  context),
        requantizer("requantizer", hardware, accumulators, weight_buffer, activation_buffer, completions,
                    context),
        vector_unit("vector_unit", hardware.vector_unit, activation_buffer, completions, context) {
    if (hardware.dram.kind != DramKind::none) {
      dram = std::make_unique<Dram>("dram", hardware, program, context);
      dma =
          std::make_unique<Dma>("dma", hardware.dma, weight_buffer, activation_buffer, completions, context);
      dma->socket.bind(dram->socket);
      host = std::make_unique<Host>("host", context);
      host->socket.bind(dram->host_socket);
    }
    controller =
        std::make_unique<Controller>("controller", hardware, program, repeat(program, options.inferences),
                                     dma.get(), host.get(), mac_array, requantizer, vector_unit, context);
  }

  [[nodiscard]] std::unique_ptr<ArrayDatapath> make_datapath(const MacArrayConfig& config,
                                                             const ChipOptions& options,
                                                             ChipContext& context) {
    if (options.fidelity == Fidelity::pe) {
      return std::make_unique<PeArray>("pe_array", config, ports, weight_buffer, activation_buffer,
                                       accumulators, context, options.waveform);
    }
    return std::make_unique<TileDatapath>(config, ports, accumulators, weight_buffer, activation_buffer,
                                          completions, context);
  }

  Completions completions;
  SramBuffer weight_buffer;
  SramBuffer activation_buffer;
  AccumulatorBank accumulators;
  ArrayPorts ports;
  std::unique_ptr<ArrayDatapath> datapath;
  MacArray mac_array;
  Requantizer requantizer;
  VectorUnit vector_unit;
  std::unique_ptr<Dram> dram;
  std::unique_ptr<Dma> dma;
  std::unique_ptr<Host> host;
  std::unique_ptr<Controller> controller;
};

void fill(SramBuffer& buffer, const std::vector<MemoryImage>& images) {
  for (const MemoryImage& image : images) {
    std::ranges::copy(image.bytes,
                      buffer.bytes(image.address, static_cast<std::int64_t>(image.bytes.size())).begin());
  }
}

void flip(SramBuffer& buffer, std::int64_t bit_address) {
  constexpr arithmetic::IntegerFormat kBit{1, false};
  buffer.write(bit_address, kBit, 1 - buffer.read(bit_address, kBit));
}

}  // namespace

std::vector<std::int64_t> ChipMemory::read(const Placement& placement) const {
  const TensorLayout& layout = placement.resident ? placement.buffer : placement.dram;
  std::vector<std::int64_t> values;
  for (std::int64_t b = 0; b < placement.dims[0]; ++b) {
    for (std::int64_t y = 0; y < placement.dims[1]; ++y) {
      for (std::int64_t x = 0; x < placement.dims[2]; ++x) {
        const std::int64_t bytes = arithmetic::packed_bytes(placement.dims[3], layout.format.bits);
        const std::int64_t address = layout.bit_address(b, y, x, 0) / 8;
        const auto pixel =
            placement.resident ? activation_buffer_.bytes(address, bytes) : dram_->bytes(address, bytes);
        for (std::int64_t c = 0; c < placement.dims[3]; ++c) {
          values.push_back(arithmetic::read_bits(pixel, c * layout.format.bits, layout.format));
        }
      }
    }
  }
  return values;
}

void ChipMemory::flip_weight_buffer_bit(std::int64_t bit_address) {
  flip(weight_buffer_, bit_address);
}

void ChipMemory::flip_activation_buffer_bit(std::int64_t bit_address) {
  flip(activation_buffer_, bit_address);
}

HardwareConfig ordering_hardware(const HardwareConfig& hardware) {
  const HardwareConfig defaults;
  HardwareConfig chip = hardware;
  chip.dma.channel_order = ChannelOrder::round_robin;
  const std::int64_t burst_bytes = hardware.dram.burst_bytes;
  chip.dram = defaults.dram;
  chip.dram.burst_bytes = burst_bytes;
  chip.requantizer.lanes = defaults.requantizer.lanes;
  chip.vector_unit.lanes = defaults.vector_unit.lanes;
  chip.accumulators.update_cycles = defaults.accumulators.update_cycles;
  chip.accumulators.read_out_entries = defaults.accumulators.read_out_entries;
  chip.requantizer.turnaround_cycles = 0;  // depends on spare entries
  for (BufferConfig* buffer : {&chip.weight_buffer, &chip.activation_buffer}) {
    const BufferConfig given = *buffer;
    *buffer = BufferConfig{};
    buffer->capacity_kib = given.capacity_kib;
    buffer->double_buffered = given.double_buffered;
  }
  return chip;
}

namespace {

/// The DMA channel of each request of the program on ordering_hardware(). Weights are loaded one block ahead,
/// whatever the buffer holds.
std::vector<std::uint8_t> order_of_requests(const HardwareConfig& hardware, Program program,
                                            std::int64_t inferences) {
  constexpr std::int64_t kBlocks = 2;
  const HardwareConfig chip = ordering_hardware(hardware);
  program.weight_credits = std::min(program.weight_credits, kBlocks);
  program.parameter_credits = std::min(program.parameter_credits, kBlocks);
  std::vector<std::uint8_t> order;
  const SimulationContext simulation;
  ChipContext context(program.rows * static_cast<std::int32_t>(inferences), false);
  context.recorded_order = &order;
  ChipOptions options;
  options.inferences = inferences;
  const Npu npu("npu", chip, program, options, context);
  sc_core::sc_start();
  if (context.error) std::rethrow_exception(context.error);
  return order;
}

}  // namespace

ChipRun run_chip(const HardwareConfig& hardware, const Program& program, const ChipOptions& options) {
  std::vector<std::uint8_t> order;
  const bool is_ordered =
      hardware.dram.kind != DramKind::none && hardware.dma.channel_order == ChannelOrder::fixed;
  if (is_ordered) order = order_of_requests(hardware, program, options.inferences);
  const SimulationContext simulation;
  ChipContext context(program.rows * static_cast<std::int32_t>(options.inferences), options.moves_values);
  if (is_ordered) context.fixed_order = &order;
  if (hardware.dram.kind != DramKind::none) context.bus = BusTraffic(hardware.dram, hardware.clock_khz);
  Npu npu("npu", hardware, program, options, context);
  ChipMemory memory(npu.dram.get(), npu.weight_buffer, npu.activation_buffer);
  if (options.on_row_complete) {
    context.on_row_complete = [&](std::int32_t row) { options.on_row_complete(row, memory); };
  }
  if (options.moves_values) {
    fill(npu.weight_buffer, program.weight_buffer_image);
    fill(npu.activation_buffer, program.activation_buffer_image);
  }
  if (options.probe) npu.completions.at(options.probe_cycle, [&] { options.probe(memory); });

  sc_core::sc_start();
  if (context.error) std::rethrow_exception(context.error);
  if (!npu.controller->finished()) {
    throw std::logic_error("the program deadlocks: " + npu.controller->state());
  }
  ChipRun run;
  run.breakdown = context.timeline.classify();
  run.rows = context.timeline.rows();
  run.intervals = context.timeline.intervals();
  run.fills = context.timeline.fills();
  run.bus = context.bus.windows();
  run.activity = std::move(context.activity);
  run.accumulators = std::move(context.accumulators);
  return run;
}

}  // namespace qsim

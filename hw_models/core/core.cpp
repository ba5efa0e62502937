#include "hw_models/core/core.h"

#include <utility>

#include "hw_models/core/tile_datapath.h"
#include "hw_models/pe_array/pe_array.h"

namespace qsim {

Core::Core(sc_core::sc_module_name name, const HardwareConfig& hardware, const Program& program,
           std::vector<Nest> nests, const CoreOptions& options, Recorder& recorder, Processes& processes)
    : sc_module(name),
      host("host"),
      completions_("completions", processes),
      weight_buffer_("weight_buffer", hardware.weight_buffer, kWeightBufferEvents, options.moves_values,
                     recorder, processes),
      activation_buffer_("activation_buffer", hardware.activation_buffer, kActivationBufferEvents,
                         options.moves_values, recorder, processes),
      accumulators_(hardware.accumulators, hardware.mac_array.columns, options.moves_values,
                    recorder.accumulators),
      ports_{weight_buffer_, activation_buffer_, hardware.accumulators.update_cycles},
      datapath_(make_datapath(hardware.mac_array, options, recorder, processes)),
      mac_array_("mac_array", hardware.mac_array, ports_, *datapath_, recorder, processes),
      requantizer_("requantizer", hardware, accumulators_, options.moves_values, recorder, processes),
      vector_unit_("vector_unit", hardware.vector_unit, options.moves_values, recorder, processes),
      reloader_(hardware.accumulators.spill
                    ? std::make_unique<SumReloader>("sum_reloader", accumulators_, options.moves_values,
                                                    recorder, processes)
                    : nullptr),
      held_(recorder.timeline),
      dma_(hardware.dram.kind == DramKind::none
               ? nullptr
               : std::make_unique<Dma>("dma", hardware.dma,
                                       DmaOptions{options.memory_base, options.fixed_order,
                                                  options.recorded_order, options.moves_values},
                                       held_, recorder, processes)),
      controller_("controller", hardware, program, std::move(nests), held_, recorder, processes),
      tiles_("tiles", MacArray::kQueueDepth),
      drains_("drains", Requantizer::kQueueDepth),
      vector_tiles_("vector_tiles", VectorUnit::kQueueDepth) {
  if (hardware.requantizer.fused_add) activation_buffer_.share_reads();
  bind_units();
  if (dma_ != nullptr) bind_dma();
  if (reloader_ != nullptr) bind_reloader();
}

std::unique_ptr<ArrayDatapath> Core::make_datapath(const MacArrayConfig& config, const CoreOptions& options,
                                                   Recorder& recorder, Processes& processes) {
  if (options.fidelity == Fidelity::pe) {
    return std::make_unique<PeArray>("pe_array", config, ports_, weight_buffer_, activation_buffer_,
                                     accumulators_, options.moves_values, recorder, processes,
                                     options.waveform);
  }
  return std::make_unique<TileDatapath>(config, ports_, accumulators_, weight_buffer_, activation_buffer_,
                                        completions_, options.moves_values, recorder);
}

void Core::bind_units() {
  controller_.tiles(tiles_);
  controller_.drains(drains_);
  controller_.vector_tiles(vector_tiles_);
  mac_array_.tiles(tiles_);
  mac_array_.weight_buffer(weight_buffer_);
  mac_array_.activation_buffer(activation_buffer_);
  requantizer_.drains(drains_);
  requantizer_.weight_buffer(weight_buffer_);
  requantizer_.activation_buffer(activation_buffer_);
  requantizer_.completions(completions_);
  vector_unit_.tiles(vector_tiles_);
  vector_unit_.activation_buffer(activation_buffer_);
}

void Core::bind_dma() {
  const std::array queues = {&controller_.weight_loads, &controller_.input_loads, &controller_.stores};
  transfers_.init(kDmaChannels, [](const char* queue, std::size_t) {
    return new sc_core::sc_fifo<TransferCommand>(queue, Dma::kQueueDepth);
  });
  for (std::size_t channel = 0; channel < kDmaChannels; ++channel) {
    queues[channel]->bind(transfers_[channel]);
    dma_->commands[channel](transfers_[channel]);
  }
  dma_->weight_buffer(weight_buffer_);
  dma_->activation_buffer(activation_buffer_);
  dma_->completions(completions_);
  memory = std::make_unique<tlm::tlm_initiator_socket<>>("memory");
  dma_->memory.socket.bind(*memory);
  controller_.host(host);
}

void Core::bind_reloader() {
  reloads_ = std::make_unique<sc_core::sc_fifo<ReloadCommand>>("reloads", SumReloader::kQueueDepth);
  controller_.reloads(*reloads_);
  reloader_->reloads(*reloads_);
  reloader_->activation_buffer(activation_buffer_);
}

}  // namespace qsim

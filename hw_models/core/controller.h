// The controller: expands loop nests into tile commands, one queue each for weight loads, activation loads,
// computes, drains and stores.
#pragma once

#include <cstdint>
#include <systemc>
#include <vector>

#include "hw_models/core/chip_context.h"
#include "hw_models/core/host.h"
#include "hw_models/core/mac_array.h"
#include "hw_models/core/nest_cursor.h"
#include "hw_models/core/requantizer.h"
#include "hw_models/core/vector_unit.h"
#include "hw_models/memory/dma.h"
#include "hw_models/program.h"

namespace qsim {

/// Each queue walks all nests in order with a cursor of its own and stays as far ahead as the bounded queues
/// of the units and the dependency tokens allow. Weight loads cross from one nest into the next; a nest's
/// activation loads and computes start when its predecessor has retired, because they read what it wrote.
class Controller : public sc_core::sc_module {
 public:
  /// `dma` and `host` are absent on chips without DRAM.
  Controller(sc_core::sc_module_name name, const HardwareConfig& hardware, const Program& program,
             std::vector<Nest> nests, Dma* dma, Host* host, MacArray& mac_array, Requantizer& requantizer,
             VectorUnit& vector_unit, ChipContext& context);
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  [[nodiscard]] bool finished() const { return retired_ == nests_.size(); }
  /// How far the run came, for the message of a deadlock.
  [[nodiscard]] std::string state() const;

 private:
  /// Where a queue is in the slots that nests share: each queue counts the same sequence for itself.
  struct SharedSlots {
    std::int64_t weights = -1, parameters = -1;
  };

  void run_weight_loads();
  void load_weights(const GemmNest& nest, SharedSlots& slots);
  void load_resident_weights(const GemmNest& nest);
  /// One transfer a column tile of the step's block.
  void load_activation_weights(const GemmNest& nest, const GemmCursor& cursor, const GemmStep& step,
                               std::int64_t address);
  void run_input_loads();
  void load_inputs(const GemmNest& nest);
  void load_inputs(const VectorNest& nest);
  void load_inputs(const HostNest& nest);
  void run_computes();
  void compute(const GemmNest& nest, SharedSlots& slots);
  void issue_passes(const GemmCursor& cursor, const GemmStep& step, MacTile tile,
                    std::int64_t& accumulator_slot, const GemmNest& nest);
  void compute(const VectorNest& nest);
  void run_drains();
  void drain(const GemmNest& nest, SharedSlots& slots, std::int64_t& accumulator_slot);
  void run_stores();
  void store(const GemmNest& nest);
  /// One transfer a row of pixels of each pass, as soon as the pass is requantized.
  void store_passes(const GemmNest& nest, const GemmCursor& cursor, const GemmStep& step, std::int64_t count);
  void wait_for_layer_start() const;
  void store(const VectorNest& nest);
  void store(const HostNest& nest);
  void retire();
  void start(std::size_t nest);

  void select_slots(const GemmNest& nest, const GemmStep& step, SharedSlots& slots) const;
  [[nodiscard]] std::int64_t weights_address(const GemmNest& nest, const GemmStep& step,
                                             const SharedSlots& slots) const;
  [[nodiscard]] std::int64_t parameters_address(const GemmNest& nest, const GemmStep& step,
                                                const SharedSlots& slots) const;

  const Program& program_;
  std::vector<Nest> nests_;
  ControllerConfig config_;
  std::int64_t accumulator_slots_;
  std::int64_t accumulator_entries_;
  Dma* dma_;
  Host* host_;
  MacArray& mac_array_;
  Requantizer& requantizer_;
  VectorUnit& vector_unit_;
  ChipContext& context_;
  std::size_t retired_ = 0;
};

}  // namespace qsim

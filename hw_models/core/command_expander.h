// Expands loop nests into tile commands, a queue of the controller at a time.
#pragma once

#include <cstdint>
#include <functional>

#include "hw_models/core/commands.h"
#include "hw_models/core/nest_cursor.h"
#include "hw_models/hardware_config.h"
#include "hw_models/program.h"

namespace qsim {

/// What the controller's queues make units wait for.
struct Tokens {
  Token weights_free, weights_ready;
  Token parameters_free, parameters_ready;
  Token inputs_free, inputs_ready;
  Token addends_free, addends_ready;
  Token accumulators_free, accumulators_ready;
  /// Sums that leave: they are in the activation buffer; the accumulators of a pass have them again.
  Token sums_spilled, sums_ready;
  Token outputs_free, outputs_ready;
  /// Given with the last result of a nest: it is where it belongs.
  Token retired;
  /// Given when a nest has retired, to the queues of the next one.
  Token compute_may_start, inputs_may_load, weights_may_load, sums_may_reload;
};

/// Where a queue is in the slots that nests share: each queue counts the same sequence for itself.
struct SharedSlots {
  std::int64_t weights = -1, parameters = -1;
};

/// Gets one command after the other; may block, and may change what the command says of time.
template <typename Command>
using Emit = std::function<void(Command& command)>;

/// The commands of one nest for one queue, in order, each with what it waits for and what it signals. The
/// queues agree on order, slots and tokens without talking to each other.
class CommandExpander {
 public:
  /// All are kept by reference.
  CommandExpander(const Program& program, const AccumulatorConfig& accumulators, Tokens& tokens)
      : program_(program), accumulators_(accumulators), tokens_(tokens) {}

  void compute(const GemmNest& nest, SharedSlots& slots, const Emit<MacTile>& emit) const;
  void compute(const VectorNest& nest, const Emit<VectorTile>& emit) const;
  void drain(const GemmNest& nest, SharedSlots& slots, const Emit<DrainCommand>& emit) const;
  /// Of a nest whose sums leave.
  void reload(const GemmNest& nest, const Emit<ReloadCommand>& emit) const;

  /// Weights and parameters; what is resident is loaded where the nest says so.
  void load_weights(const GemmNest& nest, SharedSlots& slots, const Emit<TransferCommand>& emit) const;
  void load_inputs(const GemmNest& nest, const Emit<TransferCommand>& emit) const;
  void load_inputs(const VectorNest& nest, const Emit<TransferCommand>& emit) const;
  void store(const GemmNest& nest, const Emit<TransferCommand>& emit) const;
  void store(const VectorNest& nest, const Emit<TransferCommand>& emit) const;

 private:
  /// Which part of a store a transfer is: the first of a tile (or pass), the last of one, the last of a nest.
  struct StoreUse {
    bool begins = true, ends_tile = true, ends_nest = false;
  };

  /// Of a chunk's pass in its step: the first, the last, and one that takes a half of the accumulators; of
  /// its nest: sums leave for the activation buffer.
  struct PassPlace {
    bool first = false, last = false, takes_accumulators = false, sums_leave = false;
  };

  void issue_passes(const GemmCursor& cursor, const GemmStep& step, MacTile tile,
                    std::int64_t& accumulator_slot, const Emit<MacTile>& emit) const;
  void set_dependencies(MacTile& tile, const GemmStep& step, PassPlace place) const;
  /// Of a run in its step: the first, the last, and one that frees a half of the accumulators.
  struct DrainPlace {
    bool first = false, last = false, frees_accumulators = false;
  };
  void set_dependencies(DrainCommand& command, const GemmStep& step, DrainPlace place) const;
  void set_dependencies(TransferCommand& command, const Placement& output, StoreUse use) const;

  void load_streamed_weights(const GemmNest& nest, SharedSlots& slots,
                             const Emit<TransferCommand>& emit) const;
  void load_resident_weights(const GemmNest& nest, const Emit<TransferCommand>& emit) const;
  void load_activation_weights(const GemmNest& nest, const GemmCursor& cursor, const GemmStep& step,
                               std::int64_t address, const Emit<TransferCommand>& emit) const;
  /// One transfer a row of pixels of each pass, as soon as the pass is requantized.
  void store_passes(const GemmNest& nest, const GemmCursor& cursor, const GemmStep& step, std::int64_t count,
                    const Emit<TransferCommand>& emit) const;

  void select_slots(const GemmNest& nest, const GemmStep& step, SharedSlots& slots) const;
  [[nodiscard]] std::int64_t weights_address(const GemmNest& nest, const GemmStep& step,
                                             const SharedSlots& slots) const;
  [[nodiscard]] std::int64_t parameters_address(const GemmNest& nest, const GemmStep& step,
                                                const SharedSlots& slots) const;
  [[nodiscard]] SpilledSums spilled_sums(const GemmNest& nest, std::int64_t before) const {
    return {nest.placement().sums_base + before * accumulators_.sum_bytes(), accumulators_.sum_bytes()};
  }
  [[nodiscard]] std::int64_t accumulator_base(std::int64_t slot) const {
    return slot % accumulators_.slots() * accumulators_.entries_per_slot();
  }

  const Program& program_;
  AccumulatorConfig accumulators_;
  Tokens& tokens_;
};

}  // namespace qsim

// Passes by closed forms: the MAC array at tile fidelity.
#pragma once

#include <deque>
#include <functional>

#include "hw_models/accumulator_bank.h"
#include "hw_models/array_datapath.h"
#include "hw_models/chip_context.h"
#include "hw_models/completions.h"
#include "hw_models/hardware_config.h"
#include "hw_models/sram_buffer.h"
#include "hw_models/tile_values.h"

namespace qsim {

/// Waits as long as pass_timing() says, counts a pass's events and moves its values all at once.
class TileDatapath : public ArrayDatapath {
 public:
  TileDatapath(const MacArrayConfig& config, SramBuffer& weight_buffer, SramBuffer& activation_buffer,
               AccumulatorBank& accumulators, Completions& completions, ChipContext& context)
      : config_(config),
        weight_buffer_(weight_buffer),
        activation_buffer_(activation_buffer),
        accumulators_(accumulators),
        completions_(completions),
        context_(context) {}

  void load(const MacTile& tile) override;
  void stream(const MacTile& tile, std::function<void()> drained) override;

 private:
  void count(const MacTile& tile);
  void count_zero_point_adds(const MacTile& tile);

  MacArrayConfig config_;
  SramBuffer& weight_buffer_;
  SramBuffer& activation_buffer_;
  AccumulatorBank& accumulators_;
  Completions& completions_;
  ChipContext& context_;
  std::deque<TileValues> loaded_;  ///< Values that stay, of passes that have not streamed yet.
};

}  // namespace qsim

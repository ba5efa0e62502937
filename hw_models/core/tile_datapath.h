// Passes by closed forms: the MAC array at tile fidelity.
#pragma once

#include <deque>
#include <functional>

#include "hw_models/array_datapath.h"
#include "hw_models/core/accumulator_bank.h"
#include "hw_models/core/buffer_if.h"
#include "hw_models/core/completion_if.h"
#include "hw_models/core/pass_timing.h"
#include "hw_models/core/tile_values.h"
#include "hw_models/hardware_config.h"
#include "hw_models/recorder.h"

namespace qsim {

/// Waits as long as pass_timing() says, counts a pass's events and moves its values all at once.
class TileDatapath : public ArrayDatapath {
 public:
  TileDatapath(const MacArrayConfig& config, const ArrayPorts& ports, AccumulatorBank& accumulators,
               BufferIf& weight_buffer, BufferIf& activation_buffer, CompletionIf& completions,
               bool moves_values, Recorder& recorder)
      : config_(config),
        ports_(ports),
        weight_buffer_(weight_buffer),
        activation_buffer_(activation_buffer),
        accumulators_(accumulators),
        completions_(completions),
        moves_values_(moves_values),
        recorder_(recorder) {}

  void load(const MacTile& tile) override;
  Cycle stream(const MacTile& tile, std::function<void()> drained) override;

 private:
  /// A pass between its load and its stream.
  struct Loaded {
    PassTiming timing;
    TileValues values;  ///< Those that stay.
  };
  void count(const MacTile& tile, const PassTiming& pass);
  void count_reads(const MacTile& tile, const PassTiming& pass);
  void count_zero_point_adds(const MacTile& tile);

  MacArrayConfig config_;
  ArrayPorts ports_;
  BufferIf& weight_buffer_;
  BufferIf& activation_buffer_;
  AccumulatorBank& accumulators_;
  CompletionIf& completions_;
  bool moves_values_;
  Recorder& recorder_;
  std::deque<Loaded> loaded_;
};

}  // namespace qsim

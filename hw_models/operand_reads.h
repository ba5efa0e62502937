// What the MAC array reads from the buffers for each step of a pass, and the cycles that the ports need.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "hw_models/commands.h"
#include "hw_models/sram_buffer.h"
#include "hw_models/tile_operands.h"

namespace qsim {

/// The memories around the array.
struct ArrayPorts {
  const SramBuffer& weights;
  const SramBuffer& activations;
  std::int64_t update_cycles = 1;  ///< AccumulatorConfig::update_cycles.
};

/// Reads from one buffer.
struct BufferRead {
  std::int64_t words = 0, bytes = 0, cycles = 0;
};

struct StepRead {
  BufferRead weights, activations;
  [[nodiscard]] std::int64_t cycles() const { return std::max(weights.cycles, activations.cycles); }
};

/// Where BufferConfig::bank_conflicts is set, an access takes what its words take in their banks, and counts
/// them. With BufferConfig::line_buffer activations that an earlier step of the pass has read are not read
/// again: those of the kernel's rows, for each channel of the chunk. Otherwise the bytes of a step count,
/// padding included in time but not in bytes, and all steps take equally long.
class OperandReads {
 public:
  OperandReads(const MacTile& tile, const ArrayPorts& ports);

  /// All steps take as long as the first one, and reads are counted once a pass, as one run of bytes.
  [[nodiscard]] bool is_uniform() const { return !by_address_; }
  /// Step `step` of the stream, or line `index` of what stays (a row of a systolic array, a column of a
  /// dot-product array). Steps and lines by address are asked for once, in order.
  [[nodiscard]] StepRead step(std::int64_t step);
  [[nodiscard]] BufferRead line(std::int64_t index);

 private:
  [[nodiscard]] StepRead uniform_step() const;
  void add_weights(std::int64_t group, std::int64_t k_begin, std::int64_t k_end, std::int64_t channel_begin,
                   std::int64_t channel_end);
  void add_activations(std::int64_t pixel, std::int64_t group, std::int64_t k_begin, std::int64_t k_end);
  void add_run(std::int64_t bit, std::int64_t bits, std::int64_t port_bytes);
  [[nodiscard]] BufferRead take(const SramBuffer& buffer, std::int64_t bits_read);
  [[nodiscard]] BufferRead take_weights();
  [[nodiscard]] BufferRead take_activations();

  const MacTile& tile_;
  ArrayPorts ports_;
  bool by_address_;
  WeightOrder order_;
  std::vector<std::int64_t> words_;  ///< Of the access that is being gathered.
  std::int64_t elements_ = 0;        ///< Elements of it.
  std::vector<bool> held_;           ///< By bit address from the input's base: element is in the line buffer.
};

}  // namespace qsim

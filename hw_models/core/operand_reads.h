// What the MAC array reads from the buffers for each step of a pass, and the cycles that the ports need.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "hw_models/core/buffer_if.h"
#include "hw_models/core/commands.h"
#include "hw_models/core/tile_operands.h"

namespace qsim {

/// The memories around the array.
struct ArrayPorts {
  const BufferIf& weights;
  const BufferIf& activations;
  std::int64_t update_cycles = 1;  ///< AccumulatorConfig::update_cycles.
};

/// Whether reads of a buffer take what their addresses take (BufferConfig::bank_conflicts, line_buffer).
/// Otherwise bytes count, padding included in time but not in bytes: all steps of a pass take as long as the
/// first one, and what the pass reads is counted as one run of bytes.
[[nodiscard]] bool reads_by_address(const BufferConfig& buffer);

/// Reads from one buffer. Words and bits are those of reads by address, 0 otherwise.
struct BufferRead {
  std::int64_t words = 0;  ///< Port words that were touched, where bank_conflicts is set.
  std::int64_t bits = 0;
  std::int64_t cycles = 0;

  /// Adds what was read; cycles are not summed up.
  void add(const BufferRead& read) {
    words += read.words;
    bits += read.bits;
  }
};

struct StepRead {
  BufferRead weights, activations;
  [[nodiscard]] std::int64_t cycles() const { return std::max(weights.cycles, activations.cycles); }
};

/// What a pass has read by address is counted under `row`: the words that were touched, or, without
/// bank_conflicts, the bits as one run; and what entered the line buffer.
void count_reads_by_address(BufferIf& buffer, std::int32_t row, const BufferRead& pass);

/// Where BufferConfig::bank_conflicts is set, an access takes what its words take in their banks. With
/// BufferConfig::line_buffer activations that an earlier step of the pass has read are not read again.
class OperandReads {
 public:
  OperandReads(const MacTile& tile, const ArrayPorts& ports);

  [[nodiscard]] const DataflowModel& dataflow() const { return dataflow_; }
  [[nodiscard]] const PassShape& shape() const { return shape_; }
  /// All steps take as long as the first one.
  [[nodiscard]] bool has_equal_steps() const;
  /// What stays in the PEs is read line by line, by address; otherwise as one run of bytes.
  [[nodiscard]] bool has_lines() const;
  /// Step `step` of the stream, or line `index` of what stays (DataflowModel::line; has_lines()). Steps and
  /// lines by address are asked for once, in order.
  [[nodiscard]] StepRead step(std::int64_t step);
  [[nodiscard]] BufferRead line(std::int64_t index);

 private:
  [[nodiscard]] BufferRead weights_of_step(std::int64_t step);
  [[nodiscard]] BufferRead activations_of_step(std::int64_t step);
  /// Gathers the operands of a box.
  void add_weights(const OperandBox& box);
  void add_activations(const OperandBox& box);
  void add_activations(std::int64_t pixel, std::int64_t group, IndexRange reduction);
  void add_new_activations(std::int64_t bit, std::int64_t elements);
  void add_run(std::int64_t bit, std::int64_t bits, std::int64_t port_bytes);
  [[nodiscard]] BufferRead take(const BufferIf& buffer);

  const MacTile& tile_;
  ArrayPorts ports_;
  const DataflowModel& dataflow_;
  PassShape shape_;
  WeightOrder order_;
  std::vector<std::int64_t> words_;  ///< Of the access that is being gathered.
  std::int64_t bits_ = 0;            ///< Of it.
  std::vector<bool> held_;           ///< By element from the input's base: it is in the line buffer.
};

}  // namespace qsim

// The operands of a pass as the buffers hold them, and its sums on their way into the accumulators.
#pragma once

#include <cstdint>
#include <vector>

#include "hw_models/core/accumulator_bank.h"
#include "hw_models/core/buffer_storage.h"
#include "hw_models/core/commands.h"

namespace qsim {

/// An operand, and whether a buffer was read for it (padding has no address).
struct Operand {
  std::int64_t value = 0;
  bool is_stored = true;
};

/// Single operands of a pass at the addresses that the program says; values of 0 where none move.
class TileReader {
 public:
  TileReader(const MacTile& tile, const BufferStorage& weight_buffer, const BufferStorage& activation_buffer,
             bool moves_values);

  /// Of the tile's group, the element of its chunk and the channel of the group, each from 0.
  [[nodiscard]] std::int64_t weight(std::int64_t group, std::int64_t k, std::int64_t channel) const;
  /// Of the tile's pixel, group and the element of its chunk, each from 0; the zero point outside the tensor.
  [[nodiscard]] Operand activation(std::int64_t pixel, std::int64_t group, std::int64_t k) const;

 private:
  const MacTile& tile_;
  const BufferStorage& weight_buffer_;
  const BufferStorage& activation_buffer_;
  WeightOrder order_;
  bool moves_values_;
};

/// Operands of a whole pass.
struct TileValues {
  std::vector<std::int64_t> weights;      ///< [group][element of the chunk][channel of the group]
  std::vector<std::int64_t> activations;  ///< [pixel][group][element of the chunk]
  std::vector<int> exponents;             ///< [pixel], of block formats.
};

[[nodiscard]] std::vector<std::int64_t> read_weights(const MacTile& tile, const BufferStorage& weight_buffer);
[[nodiscard]] std::vector<std::int64_t> read_activations(const MacTile& tile,
                                                         const BufferStorage& activation_buffer);

/// Of the block that the chunk lies in, by pixel; 0 outside the tensor, where elements are 0. Nothing where
/// the operands are in no blocks.
[[nodiscard]] std::vector<int> read_exponents(const MacTile& tile, const BufferStorage& activation_buffer);

/// Sums of products of a pass into its accumulators, each starting from its preload in the first chunk, and
/// the data-dependent sums beside them; both times what the group of the chunk has of a channel, if any.
void accumulate(const MacTile& tile, const TileValues& values, const BufferStorage& weight_buffer,
                AccumulatorBank& accumulators);

}  // namespace qsim

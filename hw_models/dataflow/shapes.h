// The sizes that a dataflow is asked about: plain numbers, of a pass, of a layer, of what enters in a cycle.
#pragma once

#include <cstdint>

#include "hw_models/dataflow/cuts.h"

namespace qsim {

/// What stays in the PEs during a pass, while the rest streams through them.
enum class Stays : std::uint8_t { weights, inputs, sums };

/// The array's rows and columns for operands of a precision.
struct ArrayExtent {
  std::int64_t rows = 1, columns = 1;
};

/// One pass of the array: some output pixels and output channels, and a piece of the reduction.
struct PassShape {
  std::int64_t groups = 1;    ///< Groups of a grouped convolution, side by side on the array's diagonal.
  std::int64_t channels = 1;  ///< Output channels of each.
  std::int64_t pixels = 1;
  std::int64_t depth = 1;  ///< Elements of the reduction.
  /// The whole part of the reduction that the pass belongs to, cut into chunks of the array's rows; of a pass
  /// in which sums stay and groups have multipliers, the pass's own elements.
  ChunkCut chunks;
  int weight_bits = 8, activation_bits = 8;
  std::int64_t macs_a_pe = 1;  ///< MacArrayConfig::macs_a_pe of these widths.
  /// Data-dependent zero-point terms: the array adds up inputs (asymmetric weights) or weights (those that
  /// are activations).
  bool sums_inputs = false, sums_weights = false;
};

/// What a layer gives a pass to take from.
struct LayerShape {
  std::int64_t groups = 1;
  std::int64_t outputs = 1;   ///< Output channels of a group.
  std::int64_t pixels = 1;    ///< Output pixels of an image.
  std::int64_t taps = 1;      ///< kernel_h * kernel_w
  std::int64_t channels = 1;  ///< Input channels of a group.
  int weight_bits = 8, activation_bits = 8;

  /// Rows that a group takes on the diagonal: its whole reduction, or tap by tap.
  [[nodiscard]] std::int64_t depth_side_by_side(Reduction reduction) const {
    return reduction == Reduction::per_tap ? channels : taps * channels;
  }
};

/// The most that a pass may take of a layer.
struct PassBounds {
  std::int64_t groups = 1;
  std::int64_t channels = 1;  ///< Output channels of a group; all of them where several groups lie together.
  std::int64_t pixels = 1;
};

struct IndexRange {
  std::int64_t begin = 0, end = 0;
  [[nodiscard]] constexpr std::int64_t size() const { return end - begin; }
  friend bool operator==(const IndexRange&, const IndexRange&) = default;
};

/// Operands of a pass: its weights [group][k][channel] and inputs [pixel][group][k] with all indices in the
/// box, each counted from the pass's first.
struct OperandBox {
  IndexRange groups, pixels, k, channels;
  [[nodiscard]] constexpr std::int64_t weights() const { return groups.size() * k.size() * channels.size(); }
  [[nodiscard]] constexpr std::int64_t inputs() const { return groups.size() * pixels.size() * k.size(); }
  friend bool operator==(const OperandBox&, const OperandBox&) = default;
};

/// When the steps of a pass enter, in cycles from the first one. Step s enters where the ports, the
/// multipliers and the accumulators have taken the steps before.
struct StreamCycles {
  std::int64_t stream_cycles = 0;    ///< The next pass may enter.
  std::int64_t last_step_cycle = 0;  ///< The last step enters.
  std::int64_t first_sum_cycle = 0;  ///< The step enters that completes a column's first sum.
};

/// Of a sum through the multiplier of its group, between the array and the accumulators. It is pipelined: a
/// sum a cycle.
inline constexpr std::int64_t kGroupMultiplierCycles = 1;

/// When the cycles of a pass fall. S steps enter, each `interval` cycles after the one before (where
/// intervals differ, s*interval stands for the sum of the first s), and a product takes `product` cycles
/// (MacArrayConfig::cycles_per_mac).
///
/// A systolic array of R x C PEs, r x c of them in use (several elements of the reduction share a row where a
/// PE makes several products at once):
///
///   step s reaches PE (i, j) at s*interval + i + j
///   the last useful MAC is over after (S-1)*interval + (product - 1) + r + c - 1 cycles
///   the last sum has left the array after (S-1)*interval + (product - 1) + R + C - 1 cycles: an edge tile
///     drains through the whole array
///
/// A dot-product array has no skew: a step reaches all PEs in the cycle in which it enters, and its sums are
/// in the accumulators `tree` cycles after their last product (MacArrayConfig::tree_cycles).
struct PassCycles {
  std::int64_t stream_cycles = 0;    ///< S * interval: the next pass may enter.
  std::int64_t last_step_cycle = 0;  ///< (S-1) * interval: the last step enters.
  std::int64_t compute_cycles = 0;   ///< Until the last useful MAC is over.
  std::int64_t drain_cycles = 0;     ///< Until the last sum is in the accumulators.
  /// Where sums stay the next pass waits until its sums do not meet those of this one. The columns of group g
  /// give sums in [first_sum_cycle + g * group_cycles, the same + bus_cycles), all shifted by the column in a
  /// systolic array and by the tree in a dot-product array.
  std::int64_t first_sum_cycle = 0, bus_cycles = 0, group_cycles = 0;
};

}  // namespace qsim

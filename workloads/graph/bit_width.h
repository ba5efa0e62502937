// Changing the bit widths of a quantized network after it was read.
//
// With p and p' the largest magnitudes of the old and the new width (2^(b-1) - 1 signed, 2^b - 1 unsigned):
//
//   q' = clamp(rne(q * p' / p)),  s' = s * p / p',  z' = clamp(rne(z * p' / p)),
//   biases:  b' = rne(b * (s_x * s_w) / (s'_x * s'_w)), clamped to their own format;
//   weights of one bit:  q' = -1 where q < z, else +1;  s' = s * mean|q - z| over the scale's slice;  z' = 0.
//
// Activations have no values here: their scale and zero point change.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

#include "workloads/graph/graph.h"

namespace qsim {

/// Widths of a node, 1 to 16; absent: as the model has them.
struct BitWidths {
  std::optional<int> weights;
  std::optional<int> activations;  ///< Of what the node computes.
};

struct BitWidthOptions {
  BitWidths all;  ///< --weight-bits, --activation-bits; activations: inputs too.
  std::unordered_map<std::string, BitWidths> nodes;  ///< By node name; goes before `all`.
  std::string nodes_file;                            ///< Where `nodes` was read, for messages.
  /// The grid at a width of an activation that had `from`; absent: at_width(). Where it is given every
  /// activation gets its grid, of the same width too.
  std::function<Quantization(const Quantization& from, int bits)> grid = {};
};

/// Requantizes weights, biases and constant operands, gives activations their new format, and says in
/// graph.provenance what was done. Throws InputError for names of no node (with the nearest one), widths for
/// nodes that have no weights or that keep their input's integers, one weight tensor with two widths, and one
/// signed bit for activations (their range is unknown).
///
/// What keeps its format, whatever is asked for, and is named in the provenance: float tensors; with TFLite
/// semantics the outputs of functions of a fixed range, whose scales the kernels fix, and their inputs
/// where the width would cross from at most 8 bits to more or back, since another algorithm with other output
/// scales stands there. Tensors that share their integers with such a one (pooling, reshape, transpose, pad,
/// slice) follow it.
void apply_bit_widths(Graph& graph, const BitWidthOptions& options);

/// Reads a file {"NODE": {"weights": 4, "activations": 8}, ..}; either key may be left out.
[[nodiscard]] std::unordered_map<std::string, BitWidths> read_bit_widths(const std::string& path);

}  // namespace qsim

// Another scheme for a network that is quantized already.
#pragma once

#include "quantization/range_setting.h"
#include "workloads/graph/graph.h"
#include "workloads/graph/scheme.h"

namespace qsim {

/// Brings `graph` (valid, quantized) to `scheme`:
///
/// * Weights are dequantized, w = s (q - z), and quantized as those of a float network (choose_weight_grid);
///   biases are rescaled: b' = rne(b s_x s_w / (s'_x s'_w)).
/// * An activation gets the grid that the scheme has for the range of its old one, s (n - z) to s (p - z),
/// and
///   keeps its grid where the scheme asks for nothing else. A power of two is the better of the two
///   neighbours over the values of the old grid, each as often as the others. What an operation's arithmetic
///   fixes stays (apply_bit_widths).
///
/// The graph's provenance says so. Throws InputError as quantize_graph() and apply_bit_widths() do.
void requantize_graph(Graph& graph, const Scheme& scheme, const RangeRule& ranges);

/// The grid that `scheme` has for an activation that had `from`.
[[nodiscard]] Quantization regrid(const Quantization& from, const ActivationScheme& scheme,
                                  Semantics semantics, bool is_power_of_two);

}  // namespace qsim

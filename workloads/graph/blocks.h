// Tensors in block formats: MXINT8 (hw_models/arithmetic/mx_block.h).
//
// The last dimension of such a tensor holds blocks of up to 32 channels, each with its exponent behind it:
// that of C channels is C + ceil(C / 32) long, and its elements are signed bytes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "hw_models/arithmetic/mx_block.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// Length of the last dimension without the exponents.
[[nodiscard]] std::int64_t channels_of(const Tensor& tensor);
/// Elements without the exponents.
[[nodiscard]] std::int64_t values_of(const Tensor& tensor);
[[nodiscard]] bool has_blocks(const Tensor& tensor);
/// A quantize or dequantize between floats and blocks, which the host computes.
[[nodiscard]] bool converts_blocks(const Graph& graph, const Node& node);
/// A product of blocks.
[[nodiscard]] bool multiplies_blocks(const Graph& graph, const Node& node);

/// No format of networks has blocks. Throws InputError where the graph does.
void refuse_blocks_in_files(const Graph& graph);

/// `tensor` as blocks, without its data.
[[nodiscard]] Tensor in_blocks(Tensor tensor);
/// float32 [.., C] to blocks, ties to the even mantissa; a NaN becomes 0, an infinity the largest value.
void to_blocks(std::span<const float> values, std::int64_t channels, std::span<std::int8_t> stored);
/// Each value m * 2^(e - 6), which float32 holds down to its subnormals.
void from_blocks(std::span<const std::int8_t> stored, std::int64_t channels, std::span<float> values);

/// Biases in the accumulators' unit, rne(b * 2^(12 - reference)); 0 where the node has none.
[[nodiscard]] std::vector<std::int64_t> block_preload(const Graph& graph, const Node& node, int reference);
/// What the fused activation limits sums to.
[[nodiscard]] arithmetic::MxClamp block_clamp(const Node& node, int reference);
/// The exponent that sums of a node are aligned to in accumulators of `width_bits`.
[[nodiscard]] int block_reference(const Graph& graph, const Node& node, int width_bits);

}  // namespace qsim

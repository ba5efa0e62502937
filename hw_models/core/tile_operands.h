// Which elements a pass of the MAC array reads, and how many of them lie outside the tensor.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "hw_models/core/commands.h"

namespace qsim {

/// Where reduction element `k` of a part is: kernel row, kernel column, channel within the group.
struct Tap {
  std::int64_t kernel_h = 0, kernel_w = 0, channel = 0;
};
[[nodiscard]] Tap tap_of(const ReductionPart& part, std::int64_t k);

/// Input coordinate of an output coordinate and a kernel position in one dimension, or -1 outside the tensor
/// (padding, or an inserted zero of a transposed convolution).
[[nodiscard]] constexpr std::int64_t input_coordinate(std::int64_t out, std::int64_t kernel,
                                                      std::int64_t stride, std::int64_t dilation,
                                                      std::int64_t pad, std::int64_t input_dilation,
                                                      std::int64_t size) {
  const std::int64_t position = out * stride - pad + kernel * dilation;
  if (position < 0 || position % input_dilation != 0) return -1;
  const std::int64_t coordinate = position / input_dilation;
  return coordinate < size ? coordinate : -1;
}

/// Bit address in the activation buffer of an operand: of the tile's pixel, group and the element of its
/// chunk, each from 0. Nothing outside the tensor.
[[nodiscard]] std::optional<std::int64_t> activation_address(const MacTile& tile, std::int64_t pixel,
                                                             std::int64_t group, std::int64_t k);

/// Of block formats: bit address of the exponent of the block that the chunk of a pixel lies in, likewise,
/// and how many exponents the tile reads.
[[nodiscard]] std::optional<std::int64_t> exponent_address(const MacTile& tile, std::int64_t pixel);
[[nodiscard]] std::int64_t exponents_read(const MacTile& tile);

/// Of the groups of a channel's reduction (GemmProblem::scale_group), or its blocks, the one that the chunk
/// lies in.
[[nodiscard]] std::int64_t scale_group_of(const MacTile& tile);

/// Elements that a tile reads from the activation buffer: pixels x rows in use, without padded ones.
[[nodiscard]] std::int64_t activations_read(const MacTile& tile);

}  // namespace qsim

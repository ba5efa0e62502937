// Which rows and columns of an input a tile reads, and which of them are fetched.
#pragma once

#include <cstdint>
#include <utility>

#include "hw_models/gemm.h"

namespace qsim {

/// Of each `period` places the first `block` are taken; the first one taken is number `phase` of its block.
struct BlockPattern {
  std::int64_t block = 1, period = 1, phase = 0;

  /// Place of the k-th one taken, counted from the first.
  [[nodiscard]] constexpr std::int64_t at(std::int64_t k) const {
    if (period == 1) return k;
    const std::int64_t q = phase + k;
    return q / block * period + q % block - phase;
  }
  /// The k of a place: inverse of at().
  [[nodiscard]] constexpr std::int64_t index(std::int64_t place) const {
    if (period == 1) return place;
    const std::int64_t u = phase + place;
    return u / period * block + u % period - phase;
  }
};

/// Positions of one dimension, ascending: begin + step * blocks.at(k). A tile in the buffer holds them side
/// by side.
struct Reach {
  std::int64_t begin = 0;
  std::int64_t count = 0;
  std::int64_t step = 1;
  BlockPattern blocks;

  [[nodiscard]] constexpr std::int64_t at(std::int64_t k) const { return begin + step * blocks.at(k); }
  /// One past the last position.
  [[nodiscard]] constexpr std::int64_t end() const { return count == 0 ? begin : at(count - 1) + 1; }
  /// Which one a position is.
  [[nodiscard]] constexpr std::int64_t index(std::int64_t position) const {
    const std::int64_t distance = position - begin;
    return blocks.index(step == 1 ? distance : distance / step);
  }
};

struct InputReach {
  Reach rows, columns;
};

/// Input range [begin, end) of one spatial dimension that output range [o0, o1) with kernel range [k0, k1)
/// reaches, clipped to the tensor. In the zero-inserted input the range is
/// [o0*stride - pad + k0*dilation, (o1-1)*stride - pad + (k1-1)*dilation]; only multiples of the input
/// dilation are elements.
[[nodiscard]] std::pair<std::int64_t, std::int64_t> input_range(
    std::int64_t o0, std::int64_t o1, std::int64_t k0, std::int64_t k1, std::int64_t stride, std::int64_t pad,
    std::int64_t dilation, std::int64_t input_dilation, std::int64_t size);

/// How the outputs of one dimension reach its inputs.
struct InputDimension {
  std::int64_t stride = 1, pad = 0, dilation = 1, input_dilation = 1, size = 1;
};
[[nodiscard]] InputDimension input_rows(const ConvolutionGeometry& geometry);
[[nodiscard]] InputDimension input_columns(const ConvolutionGeometry& geometry);

/// The positions of [o0, o1) and [k0, k1) as above: all of input_range(), or, where `skips`, without those
/// between that no output touches. With s = stride, d = dilation, g their common divisor (of one tap s, of
/// one output d), n outputs and m taps these are
///
///   m taps every s      where g = d and m < s / g       (a 1 x 1 kernel of stride 2: every second one)
///   n outputs every d   where g = s and n < d / g       (a row of a kernel that is dilated)
///   every g-th          otherwise
[[nodiscard]] Reach input_reach(const InputDimension& dimension, std::int64_t o0, std::int64_t o1,
                                std::int64_t k0, std::int64_t k1, bool skips);

/// The most positions that input_reach() of `outputs` outputs and `taps` taps has anywhere.
[[nodiscard]] std::int64_t most_positions(const InputDimension& dimension, std::int64_t outputs,
                                          std::int64_t taps, bool skips);

/// In which dimensions the loads of a mapping's inputs skip what no output touches
/// (GemmProblem::skip_burst_bytes): where that moves fewer bytes on the bus. Of bursts of b bytes a run of L
/// bytes that begins at any multiple of a takes (b + L - a) / b on the average.
struct InputSkips {
  bool rows = false, columns = false;
};
/// `blocks`: of column tiles.
[[nodiscard]] InputSkips input_skips(const GemmProblem& problem, const GemmMapping& mapping,
                                     std::int64_t blocks);

/// Positions side by side between two gaps that are skipped.
[[nodiscard]] std::int64_t run_positions(const InputDimension& dimension, std::int64_t outputs,
                                         std::int64_t taps);

}  // namespace qsim

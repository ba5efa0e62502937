// How the reduction of a product may be cut into parts, each loaded by itself.
#pragma once

#include <cstdint>
#include <numeric>
#include <vector>

#include "hw_models/gemm.h"
#include "hw_models/program.h"

namespace qsim {

/// A box of the reduction; parts of equal size tile it.
struct PartSize {
  std::int64_t kernel_h = 1, kernel_w = 1, channels = 1;
  friend bool operator==(const PartSize&, const PartSize&) = default;
};

/// Channel counts at which a cut falls on a byte, for elements of `bits` bits.
[[nodiscard]] constexpr std::int64_t byte_granule(int bits) {
  return 8 / std::gcd(8, bits);
}

[[nodiscard]] PartSize whole_reduction(const GemmProblem& problem);

/// Channels of a part are multiples of it: of the chunk, or the group (GemmProblem::scale_group), and of
/// whole bytes.
[[nodiscard]] std::int64_t channel_granule(const GemmProblem& problem, const GemmMapping& mapping);

/// Candidates: the whole reduction first, then kernel rows, taps, channels of a tap, and channels of all taps
/// where the order is free. Of `mapping` the chunk and the groups of a tile count.
[[nodiscard]] std::vector<PartSize> reduction_parts(const GemmProblem& problem, const GemmMapping& mapping);

/// Channels of all taps: the sums run over the channels first.
[[nodiscard]] bool cuts_all_taps(const GemmProblem& problem, const PartSize& part);

/// Kernel rows, columns and channels are cut in this order, so that the sums run over them ascending; where
/// the order is free (GemmProblem::is_order_free) also channels of all taps.
[[nodiscard]] bool is_legal_part(const GemmProblem& problem, const GemmMapping& mapping,
                                 const PartSize& part);

/// Ends of the chunks in which the accumulators see the reduction: parts one after the other, each in chunks.
[[nodiscard]] std::vector<std::int64_t> chunk_ends(const GemmNest& nest);

/// Where channels of all taps are parts, their number: MacContext::part_channels.
[[nodiscard]] std::int64_t channels_before_taps(const GemmNest& nest);

}  // namespace qsim

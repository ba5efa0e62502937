#include "sim/compiler/reduction_parts.h"

#include <cassert>

#include "hw_models/core/nest_cursor.h"
#include "hw_models/dataflow/cuts.h"
#include "sim/compiler/gemm_tiles.h"

namespace qsim {

PartSize whole_reduction(const GemmProblem& problem) {
  const ConvolutionGeometry& g = problem.geometry;
  return {g.kernel_h, g.kernel_w, g.group_channels()};
}

std::int64_t channel_granule(const GemmProblem& problem, const GemmMapping& mapping) {
  // Chunks begin anew with each group.
  const std::int64_t chunk = problem.in_blocks         ? arithmetic::kMxBlock
                             : problem.scale_group > 0 ? problem.scale_group
                                                       : mapping.chunk_rows;
  return std::lcm(chunk, byte_granule(problem.input.layout.format.bits));
}

std::vector<PartSize> reduction_parts(const GemmProblem& problem, const GemmMapping& mapping) {
  const PartSize whole = whole_reduction(problem);
  std::vector<PartSize> parts{whole};
  if (mapping.groups_per_tile > 1) return parts;
  for (const std::int64_t h : tile_sizes(whole.kernel_h)) {
    if (h < whole.kernel_h) parts.push_back({h, whole.kernel_w, whole.channels});
  }
  for (const std::int64_t w : tile_sizes(whole.kernel_w)) {
    if (w < whole.kernel_w) parts.push_back({1, w, whole.channels});
  }
  const std::int64_t granule = channel_granule(problem, mapping);
  for (const std::int64_t c : few_tile_sizes(ceil_div(whole.channels, granule))) {
    if (c * granule < whole.channels) parts.push_back({1, 1, c * granule});
  }
  if (!problem.is_order_free || whole.kernel_h * whole.kernel_w == 1) return parts;
  for (const std::int64_t c : few_tile_sizes(ceil_div(whole.channels, granule))) {
    if (c * granule < whole.channels) parts.push_back({whole.kernel_h, whole.kernel_w, c * granule});
  }
  return parts;
}

bool cuts_all_taps(const GemmProblem& problem, const PartSize& part) {
  const PartSize whole = whole_reduction(problem);
  return whole.kernel_h * whole.kernel_w > 1 && part.kernel_h == whole.kernel_h &&
         part.kernel_w == whole.kernel_w && part.channels < whole.channels;
}

bool is_legal_part(const GemmProblem& problem, const GemmMapping& mapping, const PartSize& part) {
  const PartSize whole = whole_reduction(problem);
  if (part.kernel_h < 1 || part.kernel_w < 1 || part.channels < 1) return false;
  if (part.kernel_h > whole.kernel_h || part.kernel_w > whole.kernel_w || part.channels > whole.channels)
    return false;
  if (part == whole) return true;
  if (mapping.groups_per_tile > 1) return false;
  if (part.kernel_w < whole.kernel_w && part.kernel_h > 1) return false;
  if (part.channels == whole.channels) return true;
  const std::int64_t granule = channel_granule(problem, mapping);
  assert(granule > 0);
  if (part.channels % granule != 0) return false;
  return (part.kernel_h == 1 && part.kernel_w == 1) ||
         (problem.is_order_free && cuts_all_taps(problem, part));
}

std::vector<std::int64_t> chunk_ends(const GemmNest& nest) {
  const GemmCursor cursor(nest);
  std::vector<std::int64_t> ends;
  std::int64_t done = 0;
  for (std::int64_t p = 0; p < cursor.parts(); ++p) {
    const ChunkCut cut = cursor.chunks(cursor.part(p));
    for (std::int64_t chunk = 0; chunk < cut.count(); ++chunk) {
      done += cut.depth(chunk);
      ends.push_back(done);
    }
  }
  return ends;
}

std::int64_t channels_before_taps(const GemmNest& nest) {
  const GemmMapping& m = nest.mapping();
  const PartSize part{m.part_kernel_h, m.part_kernel_w, m.part_channels};
  return cuts_all_taps(nest.problem(), part) ? m.part_channels : 0;
}

}  // namespace qsim

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "sim/compiler/mapper.h"

namespace qsim {
namespace {

/// Sorts candidates by the space they need and drops those that a smaller one matches or beats: then each is
/// better than all that need less. `rank`: less is better.
template <typename MappingType, typename Rank>
MappingOptions<MappingType> worthwhile(MappingOptions<MappingType> found, const Rank& rank) {
  auto& options = found.options;
  std::stable_sort(options.begin(), options.end(), [&](const auto& a, const auto& b) {
    return a.activation_bytes != b.activation_bytes ? a.activation_bytes < b.activation_bytes
                                                    : rank(a) < rank(b);
  });
  std::vector<MappingOption<MappingType>> kept;
  for (auto& option : options) {
    if (kept.empty() || rank(option) < rank(kept.back())) kept.push_back(std::move(option));
  }
  options = std::move(kept);
  return found;
}

/// A whole reduction before parts of it, large tiles of pixels before small ones, then the cost: machines
/// with mapper.largest_tiles.
auto by_size(const MappingOption<GemmMapping>& option) {
  const GemmMapping& m = option.mapping;
  return std::tuple(-m.part_kernel_h, -m.part_kernel_w, -m.part_channels, -m.tile_rows, -m.tile_columns,
                    option.cost.total());
}

}  // namespace

MappingOptions<GemmMapping> CostMapper::options(const GemmSpace& space) const {
  if (space.hardware().mapper.largest_tiles) return worthwhile(space.candidates(), by_size);
  return worthwhile(space.candidates(), [](const auto& option) { return option.cost.total(); });
}

MappingOptions<VectorMapping> CostMapper::options(const VectorSpace& space) const {
  return worthwhile(space.candidates(), [](const auto& option) { return option.cost.total(); });
}

}  // namespace qsim

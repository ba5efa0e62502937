#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>
#include <vector>

#include "sim/compiler/mapper.h"

namespace qsim {
namespace {

/// Drops candidates that another one matches or beats in less space, and puts the better ones behind. `rank`:
/// less is better; of equal ones those that need less of the activation buffer, then the first.
template <typename MappingType, typename Rank>
std::vector<MappingOption<MappingType>> worthwhile(const std::vector<MappingOption<MappingType>>& options,
                                                   const Rank& rank) {
  std::vector<std::size_t> order(options.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) {
    return std::tuple(rank(options[i]), options[i].needed.activation_bytes, i);
  });
  std::vector<MappingOption<MappingType>> kept;
  for (const std::size_t i : order) {
    const SpaceNeeded& needed = options[i].needed;
    if (std::ranges::none_of(kept, [&](const auto& better) { return better.needed.is_within(needed); }))
      kept.push_back(options[i]);
  }
  std::ranges::reverse(kept);
  return kept;
}

template <typename MappingType, typename Rank>
MappingOptions<MappingType> worthwhile(MappingOptions<MappingType> found, const Rank& rank) {
  std::map<int, std::vector<MappingOption<MappingType>>> kinds;
  for (const auto& option : found.options) kinds[option.kind].push_back(option);
  for (const auto& [kind, options] : kinds) found.kinds.push_back(worthwhile(options, rank));
  // What is best where no weights come ahead, and where all do that may.
  for (const auto cycles : {&WeightLoads::most_cycles, &WeightLoads::least_cycles}) {
    found.kinds.push_back(worthwhile(found.options, [&](MappingOption<MappingType> option) {
      if (option.cost.weights.memory_cycles > 0) option.cost.cycles = option.cost.weights.*cycles;
      return rank(option);
    }));
  }
  found.options = worthwhile(found.options, rank);
  return found;
}

/// A whole reduction before parts of it, large tiles of pixels before small ones, then the cost: machines
/// with mapper.largest_tiles.
auto by_size(const MappingOption<GemmMapping>& option, const CostMeasure& measure) {
  const GemmMapping& m = option.mapping;
  return std::tuple(-m.part_kernel_h, -m.part_kernel_w, -m.part_channels, -m.tile_rows, -m.tile_columns,
                    measure.rank(option.cost));
}

}  // namespace

MappingOptions<GemmMapping> CostMapper::options(const GemmSpace& space, const CostMeasure& measure) const {
  if (space.hardware().mapper.largest_tiles)
    return worthwhile(space.candidates(), [&](const auto& option) { return by_size(option, measure); });
  return worthwhile(space.candidates(), [&](const auto& option) { return measure.rank(option.cost); });
}

MappingOptions<VectorMapping> CostMapper::options(const VectorSpace& space,
                                                  const CostMeasure& measure) const {
  return worthwhile(space.candidates(), [&](const auto& option) { return measure.rank(option.cost); });
}

}  // namespace qsim

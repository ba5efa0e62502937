#include <algorithm>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "sim/compiler/mapper.h"

namespace qsim {
namespace {

/// Candidates by a rank, less first; of equal ones those that need less of the activation buffer, then the
/// first. Ranks are taken once.
template <typename MappingType, typename Rank>
std::vector<std::size_t> in_order(const std::vector<MappingOption<MappingType>>& options, const Rank& rank) {
  using Key = std::tuple<decltype(rank(options[0])), std::int64_t, std::size_t>;
  std::vector<Key> keys;
  keys.reserve(options.size());
  for (std::size_t i = 0; i < options.size(); ++i)
    keys.emplace_back(rank(options[i]), options[i].needed.activation_bytes, i);
  std::ranges::sort(keys);
  std::vector<std::size_t> order;
  order.reserve(keys.size());
  for (const Key& key : keys) order.push_back(std::get<std::size_t>(key));
  return order;
}

/// Drops candidates that another one matches or beats in less space, and puts the better ones behind.
template <typename MappingType>
std::vector<MappingOption<MappingType>> worthwhile(const std::vector<MappingOption<MappingType>>& options,
                                                   const std::vector<std::size_t>& order) {
  std::vector<MappingOption<MappingType>> kept;
  std::vector<SpaceNeeded> least;
  for (const std::size_t i : order) {
    if (add_needed(least, options[i].needed)) kept.push_back(options[i]);
  }
  std::ranges::reverse(kept);
  return kept;
}

template <typename MappingType, typename Rank>
MappingOptions<MappingType> worthwhile(MappingOptions<MappingType> found, const Rank& rank) {
  const std::vector<std::size_t> order = in_order(found.options, rank);
  std::map<int, std::vector<std::size_t>> kinds;
  for (const std::size_t i : order) kinds[found.options[i].kind].push_back(i);
  for (const auto& [kind, alike] : kinds) found.kinds.push_back(worthwhile(found.options, alike));
  // What is best where no weights come ahead, and where all do that may.
  for (const auto cycles : {&WeightLoads::most_cycles, &WeightLoads::least_cycles}) {
    found.kinds.push_back(
        worthwhile(found.options, in_order(found.options, [&](const MappingOption<MappingType>& option) {
                     MappingOption<MappingType> other = option;
                     if (other.cost.weights.memory_cycles > 0) other.cost.cycles = other.cost.weights.*cycles;
                     return rank(other);
                   })));
  }
  found.options = worthwhile(found.options, order);
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

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "sim/compiler/mapper.h"

namespace qsim {
namespace {

/// Candidates by a rank of their mappings and costs, less first; of equal ones those that need less of the
/// activation buffer, then the first. Ranks are taken once, of the cost that `cost_of` makes of an option's.
template <typename MappingType, typename Rank, typename CostOf>
std::vector<std::size_t> in_order(const std::vector<MappingOption<MappingType>>& options, const Rank& rank,
                                  const CostOf& cost_of) {
  using Key = std::tuple<decltype(rank(options[0].mapping, options[0].cost)), std::int64_t, std::size_t>;
  std::vector<Key> keys;
  keys.reserve(options.size());
  for (std::size_t i = 0; i < options.size(); ++i)
    keys.emplace_back(rank(options[i].mapping, cost_of(options[i].cost)), options[i].needed.activation_bytes,
                      i);
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
  const auto own = [](const MappingCost& cost) -> const MappingCost& { return cost; };
  const std::vector<std::size_t> order = in_order(found.options, rank, own);
  std::map<int, std::vector<std::size_t>> kinds;
  for (const std::size_t i : order) kinds[found.options[i].kind].push_back(i);
  for (const auto& [kind, alike] : kinds) found.kinds.push_back(worthwhile(found.options, alike));
  // What is best where no weights come ahead, and where all do that may.
  for (const auto cycles : {&WeightLoads::most_cycles, &WeightLoads::least_cycles}) {
    const auto is_same = [&](const MappingOption<MappingType>& option) {
      const WeightLoads& weights = option.cost.weights;
      return weights.memory_cycles == 0 || weights.*cycles == option.cost.cycles;
    };
    const auto with_cycles = [&](MappingCost cost) {
      if (cost.weights.memory_cycles > 0) cost.cycles = cost.weights.*cycles;
      return cost;
    };
    found.kinds.push_back(worthwhile(found.options, std::ranges::all_of(found.options, is_same)
                                                        ? order
                                                        : in_order(found.options, rank, with_cycles)));
  }
  found.options = worthwhile(found.options, order);
  return found;
}

/// A whole reduction before parts of it, large tiles of pixels before small ones, then the cost: machines
/// with mapper.largest_tiles.
auto by_size(const GemmMapping& m, const MappingCost& cost, const CostMeasure& measure) {
  return std::tuple(-m.part_kernel_h, -m.part_kernel_w, -m.part_channels, -m.tile_rows, -m.tile_columns,
                    measure.rank(cost));
}

}  // namespace

MappingOptions<GemmMapping> CostMapper::options(const GemmSpace& space, const CostMeasure& measure) const {
  if (space.hardware().mapper.largest_tiles)
    return worthwhile(space.candidates(), [&](const GemmMapping& mapping, const MappingCost& cost) {
      return by_size(mapping, cost, measure);
    });
  return worthwhile(space.candidates(), [&](const GemmMapping& /*mapping*/, const MappingCost& cost) {
    return measure.rank(cost);
  });
}

MappingOptions<VectorMapping> CostMapper::options(const VectorSpace& space,
                                                  const CostMeasure& measure) const {
  return worthwhile(space.candidates(), [&](const VectorMapping& /*mapping*/, const MappingCost& cost) {
    return measure.rank(cost);
  });
}

}  // namespace qsim

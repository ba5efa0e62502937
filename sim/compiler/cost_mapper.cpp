#include <algorithm>
#include <utility>
#include <vector>

#include "sim/compiler/mapper.h"

namespace qsim {
namespace {

/// Sorts candidates by the space they need and drops those that a smaller one matches or beats: then each is
/// cheaper than all that need less.
template <typename MappingType>
MappingOptions<MappingType> worthwhile(MappingOptions<MappingType> found) {
  auto& options = found.options;
  std::stable_sort(options.begin(), options.end(), [](const auto& a, const auto& b) {
    return a.activation_bytes != b.activation_bytes ? a.activation_bytes < b.activation_bytes
                                                    : a.cost.total() < b.cost.total();
  });
  std::vector<MappingOption<MappingType>> kept;
  for (auto& option : options) {
    if (kept.empty() || option.cost.total() < kept.back().cost.total()) kept.push_back(std::move(option));
  }
  options = std::move(kept);
  return found;
}

}  // namespace

MappingOptions<GemmMapping> CostMapper::options(const GemmSpace& space) const {
  return worthwhile(space.candidates());
}

MappingOptions<VectorMapping> CostMapper::options(const VectorSpace& space) const {
  return worthwhile(space.candidates());
}

}  // namespace qsim

#include "hw_models/activity.h"

#include <algorithm>

namespace qsim {

Bound bound_of(const CycleBreakdown& breakdown) {
  std::array<std::int64_t, kBoundCount> cycles{};
  for (const CycleClassRow& row : kCycleClasses) {
    if (row.bound == Bound::count_) continue;
    cycles[static_cast<std::size_t>(row.bound)] += breakdown[static_cast<std::size_t>(row.cycle_class)];
  }
  return static_cast<Bound>(std::ranges::max_element(cycles) - cycles.begin());
}

Activity& Activity::operator+=(const Activity& other) {
  for (std::size_t i = 0; i < kEventCount; ++i) counts[i] += other.counts[i];
  return *this;
}

Activity& Activity::operator-=(const Activity& other) {
  for (std::size_t i = 0; i < kEventCount; ++i) counts[i] -= other.counts[i];
  return *this;
}

}  // namespace qsim

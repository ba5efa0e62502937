#include "sim/compare_schemes/pareto.h"

#include <algorithm>

namespace qsim {

bool dominates(const ParetoPoint& a, const ParetoPoint& b) {
  bool is_better = false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] > b[i]) return false;
    is_better = is_better || a[i] < b[i];
  }
  return is_better;
}

std::vector<bool> pareto_front(const std::vector<std::optional<ParetoPoint>>& points) {
  std::vector<bool> front;
  for (const std::optional<ParetoPoint>& point : points) {
    front.push_back(point && std::ranges::none_of(points, [&](const std::optional<ParetoPoint>& other) {
                      return other && dominates(*other, *point);
                    }));
  }
  return front;
}

}  // namespace qsim

// Which of several choices none of the others beats.
#pragma once

#include <array>
#include <optional>
#include <vector>

namespace qsim {

/// Each figure is better where it is less.
using ParetoPoint = std::array<double, 3>;

/// Whether `a` is at least as good in everything, and better in something.
[[nodiscard]] bool dominates(const ParetoPoint& a, const ParetoPoint& b);

/// By point, whether no other dominates it. Points that are absent are not on the front and dominate nothing;
/// equal ones stand together.
[[nodiscard]] std::vector<bool> pareto_front(const std::vector<std::optional<ParetoPoint>>& points);

}  // namespace qsim

#include "sim/compiler/row_choice.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace qsim {

namespace {

/// Rows behind a row that feel what it leaves of the bus.
constexpr std::size_t kRowsBehind = 6;
/// Rows choose one after the other, each with the choice of those before; the second time with that of those
/// behind as well.
constexpr int kTimes = 2;

}  // namespace

bool choose_in_sequence(std::vector<std::optional<RowMapping>>& rows, const CostMeasure& measure) {
  bool has_changed = false;
  for (int time = 0; time < kTimes; ++time) {
    RowSequence before;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      RowMapping& row = *rows[r];
      const auto with = [&](const MappingCost& cost) {
        RowSequence sequence = before;
        MappingCost sum = sequence.add(cost);
        for (std::size_t next = r + 1; next < std::min(rows.size(), r + 1 + kRowsBehind); ++next)
          sum += sequence.add(rows[next]->cost);
        return measure(sum);
      };
      double least = row.rivals.empty() ? 0.0 : with(row.cost);
      for (Rival& rival : row.rivals) {
        const double found = with(rival.cost);
        if (found >= least) continue;
        least = found;
        has_changed = true;
        std::swap(row.nests[0], rival.choice);
        std::swap(row.cost, rival.cost);
      }
      static_cast<void>(before.add(row.cost));
    }
  }
  return has_changed;
}

}  // namespace qsim

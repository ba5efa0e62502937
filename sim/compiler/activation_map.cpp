#include "sim/compiler/activation_map.h"

#include <algorithm>

#include "sim/compiler/weight_plan.h"

namespace qsim {

ActivationMap::ActivationMap(const Schedule& schedule, bool has_dram)
    : schedule_(&schedule),
      has_dram_(has_dram),
      resident_(schedule.storages.size(), false),
      address_(schedule.storages.size(), 0) {}

void ActivationMap::keep(int storage, std::int64_t address) {
  resident_[static_cast<std::size_t>(storage)] = true;
  address_[static_cast<std::size_t>(storage)] = address;
}

void ActivationMap::clear() {
  std::fill(resident_.begin(), resident_.end(), false);
}

std::pair<std::size_t, std::size_t> ActivationMap::lifetime(int storage) const {
  const Storage& s = schedule_->storages[static_cast<std::size_t>(storage)];
  if (!has_dram_ && (s.first_row < 0 || s.is_graph_output)) {
    return {static_cast<std::size_t>(std::max(0, s.first_row)), schedule_->rows.size() - 1};
  }
  return {static_cast<std::size_t>(std::max(0, s.first_row)),
          static_cast<std::size_t>(std::max(s.first_row, s.last_row))};
}

std::vector<std::pair<std::int64_t, std::int64_t>> ActivationMap::free_intervals(
    std::size_t first, std::size_t last, std::int64_t capacity) const {
  std::vector<std::pair<std::int64_t, std::int64_t>> taken;
  for (std::size_t s = 0; s < resident_.size(); ++s) {
    if (!resident_[s]) continue;
    const auto [begin, end] = lifetime(static_cast<int>(s));
    if (end < first || begin > last) continue;
    taken.emplace_back(address_[s], address_[s] + aligned_bytes(schedule_->storages[s].bytes));
  }
  std::sort(taken.begin(), taken.end());
  std::vector<std::pair<std::int64_t, std::int64_t>> free;
  std::int64_t cursor = 0;
  for (const auto& [begin, end] : taken) {
    if (begin > cursor) free.emplace_back(cursor, begin);
    cursor = std::max(cursor, end);
  }
  if (cursor < capacity) free.emplace_back(cursor, capacity);
  return free;
}

std::optional<std::int64_t> ActivationMap::place(int storage, std::int64_t capacity) const {
  const auto [first, last] = lifetime(storage);
  const std::int64_t bytes = aligned_bytes(schedule_->storages[static_cast<std::size_t>(storage)].bytes);
  for (const auto& [begin, end] : free_intervals(first, last, capacity)) {
    if (end - begin >= bytes) return begin;
  }
  return std::nullopt;
}

}  // namespace qsim

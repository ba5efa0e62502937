#include "sim/compiler/activation_map.h"

#include <algorithm>
#include <bit>

#include "sim/compiler/chain.h"
#include "sim/compiler/in_place.h"
#include "sim/compiler/weight_plan.h"

namespace qsim {

std::vector<std::int64_t> capacities_below(std::int64_t full, std::size_t rows) {
  constexpr std::size_t kManyRows = 4096;
  std::vector<std::int64_t> found;
  const std::int64_t quarters = rows > kManyRows ? 5 : 8;
  for (std::int64_t octave = 1024; octave < full; octave *= 2) {
    for (std::int64_t quarter = 4; quarter < quarters; ++quarter) found.push_back(octave * quarter / 4);
  }
  std::erase_if(found, [&](std::int64_t capacity) { return capacity >= full; });
  return found;
}

ActivationMap::ActivationMap(const Schedule& schedule, bool has_dram)
    : schedule_(&schedule),
      has_dram_(has_dram),
      stays_(schedule.storages.size(), Stay::in_dram),
      address_(schedule.storages.size(), 0),
      leaf_count_(std::bit_ceil(std::max<std::size_t>(1, schedule.rows.size()))),
      residents_(2 * leaf_count_) {}

template <typename Visit>
void ActivationMap::visit_life(int storage, const Visit& visit) {
  const auto [first, last] = lifetime(storage, stay(storage));
  std::size_t begin = leaf_count_ + first;
  std::size_t end = leaf_count_ + last + 1;
  for (; begin < end; begin /= 2, end /= 2) {
    if (begin % 2 == 1) visit(residents_[begin++]);
    if (end % 2 == 1) visit(residents_[--end]);
  }
}

void ActivationMap::keep(int storage, Stay stay, std::int64_t address) {
  stays_[static_cast<std::size_t>(storage)] = stay;
  address_[static_cast<std::size_t>(storage)] = address;
  visit_life(storage, [&](std::vector<int>& node) { node.push_back(storage); });
}

void ActivationMap::release(int storage) {
  visit_life(storage, [&](std::vector<int>& node) { std::erase(node, storage); });
  stays_[static_cast<std::size_t>(storage)] = Stay::in_dram;
}

bool ActivationMap::keep_everything(std::int64_t capacity) {
  for (std::size_t s = 0; s < schedule_->storages.size(); ++s) {
    const auto storage = static_cast<int>(s);
    if (schedule_->storages[s].is_passed) continue;
    const std::optional<std::int64_t> free = place(storage, Stay::kept, capacity);
    if (!free) return false;
    keep(storage, Stay::kept, *free);
  }
  return true;
}

void ActivationMap::clear() {
  std::fill(stays_.begin(), stays_.end(), Stay::in_dram);
  for (std::vector<int>& node : residents_) node.clear();
}

void ActivationMap::set_chains(const std::vector<ChainLayout>& chains,
                               const std::vector<LoweredRow>& lowered) {
  together_.clear();
  rings_.clear();
  if (chains.empty()) return;
  for (std::size_t row = 0; row < schedule_->rows.size(); ++row) together_.emplace_back(row, row);
  for (const ChainLayout& layout : chains) {
    for (std::size_t row = layout.chain.first; row <= layout.chain.last; ++row) {
      together_[row] = {layout.chain.first, layout.chain.last};
      const LoweredRow& own = lowered[row];
      if (const auto ring = layout.rings.find(own.output); ring != layout.rings.end()) {
        const TensorView& view = output_view(own);
        if (ring->second < view.dims[kRow])
          rings_[own.output] = {ring->second, ring_bytes(view, ring->second), Stay::kept};
      }
      for (std::size_t i = 0; i < own.inputs[0].size(); ++i) {
        const auto ring = layout.fetched_rings.find(own.inputs[0][i]);
        if (ring == layout.fetched_rings.end()) continue;
        const TensorView& view = input_view(own, i);
        if (ring->second < view.dims[kRow])
          rings_[ring->first] = {ring->second, ring_bytes(view, ring->second), Stay::fetched};
      }
    }
  }
}

void ActivationMap::allow_in_place(const std::vector<LoweredRow>& lowered) {
  for (std::size_t row = 0; row < lowered.size(); ++row) {
    const int output = lowered[row].output;
    for (const int input : replaceable_inputs(lowered[row])) {
      const Storage& from = schedule_->storages[static_cast<std::size_t>(input)];
      const Storage& to = schedule_->storages[static_cast<std::size_t>(output)];
      if (input == output || from.is_constant || from.bytes != to.bytes) continue;
      if (to.first_row != static_cast<int>(row) || from.last_row != to.first_row) continue;
      replaced_[output].push_back(input);
      replacing_[input].push_back(output);
    }
  }
}

bool ActivationMap::may_share(int storage, Stay own_stay, int partner) const {
  if (stay(partner) == Stay::in_dram) return false;
  // In stripes rows run at the same time, and of rings only some rows are there.
  if (bytes(storage, own_stay) != bytes(partner, stay(partner))) return false;
  const auto own = lifetime(storage, own_stay);
  const auto other = lifetime(partner, stay(partner));
  return own.second == other.first || other.second == own.first;
}

bool ActivationMap::is_in_place(int storage) const {
  const auto found = replaced_.find(storage);
  if (found == replaced_.end() || stay(storage) != Stay::kept) return false;
  return std::ranges::any_of(found->second, [&](int input) {
    return may_share(storage, Stay::kept, input) && address(input) == address(storage);
  });
}

std::int64_t ActivationMap::ring_rows(int storage, Stay stay) const {
  const auto ring = rings_.find(storage);
  return ring != rings_.end() && ring->second.stay == stay ? ring->second.rows : 0;
}

std::int64_t ActivationMap::bytes(int storage, Stay stay) const {
  const auto ring = rings_.find(storage);
  if (ring != rings_.end() && ring->second.stay == stay) return ring->second.bytes;
  return schedule_->storages[static_cast<std::size_t>(storage)].bytes;
}

std::pair<std::size_t, std::size_t> ActivationMap::lifetime(int storage, Stay stay) const {
  auto [first, last] = own_lifetime(storage, stay);
  if (together_.empty()) return {first, last};
  return {together_[first].first, together_[last].second};
}

std::pair<std::size_t, std::size_t> ActivationMap::own_lifetime(int storage, Stay stay) const {
  const Storage& s = schedule_->storages[static_cast<std::size_t>(storage)];
  if (stay == Stay::fetched)
    return {static_cast<std::size_t>(s.first_reader), static_cast<std::size_t>(s.last_row)};
  if (!has_dram_ && (s.first_row < 0 || s.is_graph_output)) {
    return {static_cast<std::size_t>(std::max(0, s.first_row)),
            std::max<std::size_t>(1, schedule_->rows.size()) - 1};
  }
  return {static_cast<std::size_t>(std::max(0, s.first_row)),
          static_cast<std::size_t>(std::max(s.first_row, s.last_row))};
}

std::vector<std::pair<std::int64_t, std::int64_t>> ActivationMap::free_intervals(std::size_t first,
                                                                                 std::size_t last,
                                                                                 std::int64_t capacity,
                                                                                 int beside) const {
  // The nodes above the leaves of the rows, level by level. A storage may stand in several of them.
  std::vector<std::pair<std::int64_t, std::int64_t>> taken;
  std::size_t begin_node = leaf_count_ + first;
  std::size_t end_node = leaf_count_ + last + 1;
  for (; begin_node > 0; begin_node /= 2, end_node = (end_node - 1) / 2 + 1) {
    for (std::size_t node = begin_node; node < end_node; ++node) {
      for (const int storage : residents_[node]) {
        if (storage == beside) continue;
        const auto s = static_cast<std::size_t>(storage);
        taken.emplace_back(address_[s], address_[s] + aligned_bytes(bytes(storage, stays_[s])));
      }
    }
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

std::optional<std::int64_t> ActivationMap::place(int storage, Stay stay, std::int64_t capacity) const {
  const auto [first, last] = lifetime(storage, stay);
  const std::int64_t needed = aligned_bytes(bytes(storage, stay));
  for (const auto* partners : {&replaced_, &replacing_}) {
    const auto found = partners->find(storage);
    if (found == partners->end()) continue;
    for (const int partner : found->second) {
      if (!may_share(storage, stay, partner)) continue;
      const std::int64_t own = address(partner);
      for (const auto& [begin, end] : free_intervals(first, last, capacity, partner)) {
        if (begin <= own && own + needed <= end) return own;
      }
    }
  }
  for (const auto& [begin, end] : free_intervals(first, last, capacity)) {
    if (end - begin >= needed) return begin;
  }
  return std::nullopt;
}

}  // namespace qsim

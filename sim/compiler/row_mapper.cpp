#include "sim/compiler/row_mapper.h"

#include <algorithm>
#include <limits>
#include <string>

#include "sim/compiler/stripes.h"

namespace qsim {

RowMapper::RowMapper(const Schedule& schedule, const std::vector<LoweredRow>& lowered,
                     const HardwareConfig& hardware, MappingMemo& mapper, const PlanPins& pins,
                     const ActivationMap& map)
    : schedule_(schedule),
      lowered_(lowered),
      hardware_(hardware),
      mapper_(mapper),
      pins_(pins),
      map_(map),
      has_dram_(hardware.dram.kind != DramKind::none),
      limits_(mapper.limits(hardware, hardware.weight_buffer.capacity_bytes(),
                            hardware.weight_buffer.capacity_bytes())) {
  while (first_product_ < lowered.size() && lowered[first_product_].gemm() == nullptr) ++first_product_;
}

bool RowMapper::stores(int output) const {
  return has_dram_ &&
         (!map_.holds_output(output) || schedule_.storages[static_cast<std::size_t>(output)].is_graph_output);
}

bool RowMapper::fetches(std::size_t row, std::size_t n, std::size_t i) const {
  const auto& inputs = lowered_[row].inputs;
  const int storage = inputs[n][i];
  if (map_.stay(storage) != Stay::fetched ||
      schedule_.storages[static_cast<std::size_t>(storage)].first_reader != static_cast<int>(row))
    return false;
  for (std::size_t before = 0; before < n; ++before) {
    if (std::ranges::count(inputs[before], storage) > 0) return false;
  }
  return std::find(inputs[n].begin(), inputs[n].end(), storage) ==
         inputs[n].begin() + static_cast<std::ptrdiff_t>(i);
}

std::vector<RowWindow> RowMapper::windows(std::size_t row) const {
  if (chains_ == nullptr) return {};
  const auto chain = std::ranges::find_if(*chains_, [&](const auto& own) { return own.contains(row); });
  return chain == chains_->end() ? std::vector<RowWindow>{} : chain->windows(row);
}

const MappingOptions<GemmMapping>& RowMapper::map(const GemmProblem& problem, std::size_t row,
                                                  std::size_t n) {
  GemmMapping residency;
  residency.input_resident = map_.holds_input(lowered_[row].inputs[n][0]);
  residency.fetch_input = fetches(row, n, 0);
  residency.output_resident = map_.holds_output(lowered_[row].output);
  residency.store_output = stores(lowered_[row].output);
  residency.addend_resident = problem.addend() != nullptr && map_.holds_input(lowered_[row].inputs[n].back());
  residency.weights_resident = weights_->stays[row];
  MappingLimits limits = limits_;
  limits.weights_ahead = row > first_product_;
  if (const std::vector<RowWindow> own = windows(row); !own.empty())
    return stripe_options(problem, own, residency, {hardware_, limits, mapper_, has_dram_}, pins_.gemm(row));
  limits.loads_resident_weights = has_dram_;
  return mapper_.options(GemmSpace(problem, residency, hardware_, limits, pins_.gemm(row)));
}

const MappingOptions<VectorMapping>& RowMapper::map(const VectorProblem& problem, std::size_t row,
                                                    std::size_t n) {
  VectorMapping residency;
  for (std::size_t i = 0; i < problem.inputs.size(); ++i) {
    residency.inputs_resident.push_back(map_.holds_input(lowered_[row].inputs[n][i]));
    residency.fetch_inputs.push_back(fetches(row, n, i));
  }
  residency.output_resident = map_.holds_output(lowered_[row].output);
  residency.store_output = stores(lowered_[row].output);
  if (const std::vector<RowWindow> own = windows(row); !own.empty())
    return stripe_options(problem, own, residency, {hardware_, limits_, mapper_}, pins_.vector(row, n));
  return mapper_.options(VectorSpace(problem, residency, hardware_, limits_, pins_.vector(row, n)));
}

template <typename MappingType>
void RowMapper::note_misfit(std::size_t row, const MappingOptions<MappingType>& found, std::int64_t gap) {
  if (!pins_.any() || found.needed.empty()) return;
  const auto bytes = [](std::int64_t count) { return std::to_string(count) + " bytes"; };
  std::optional<std::int64_t> least_slots;
  for (const MappingOption<MappingType>& option : found.options) {
    const SpaceNeeded space = space_beside(std::numeric_limits<std::int64_t>::max());
    if (option.needed.is_within(space))
      least_slots =
          std::min(least_slots.value_or(option.needed.activation_bytes), option.needed.activation_bytes);
  }
  if (least_slots) {
    misfit_ = PinMisfit{row, "tile slots of " + bytes(*least_slots),
                        "at most " + bytes(gap) + ", the largest gap in the activation buffer"};
    return;
  }
  const SpaceNeeded& least = std::ranges::min(found.needed, {}, &SpaceNeeded::weight_slot_bytes);
  misfit_ = PinMisfit{row,
                      bytes(least.weight_slot_bytes) + " of weights and " +
                          bytes(least.parameter_slot_bytes) + " of parameters in a block",
                      "at most " + bytes(weights_->weight_slot_bytes) + " and " +
                          bytes(weights_->parameter_slot_bytes) + ", a slot of the weight buffer"};
}

template <typename ProblemType>
const auto& RowMapper::options_of(const ProblemType& problem, std::size_t row, std::size_t n) {
  std::vector<bool> residents;
  for (std::size_t i = 0; i < lowered_[row].inputs[n].size(); ++i) {
    residents.push_back(map_.holds_input(lowered_[row].inputs[n][i]));
    residents.push_back(fetches(row, n, i));
  }
  residents.push_back(map_.holds_output(lowered_[row].output));
  residents.push_back(weights_->stays[row]);
  const auto [entry, is_missing] = cache_of(problem).try_emplace({row, n, std::move(residents)});
  if (is_missing) entry->second = &map(problem, row, n);
  return *entry->second;
}

template <typename ProblemType>
bool RowMapper::map_nest(const ProblemType& problem, std::size_t row, std::size_t n,
                         std::pair<std::int64_t, std::int64_t> gap, RowMapping& mapping) {
  const auto& options = options_of(problem, row, n);
  const auto* option = options.best(space_beside(gap.second - gap.first));
  if (option == nullptr) {
    note_misfit(row, options, gap.second - gap.first);
    return false;
  }
  mapping.cost += option->cost;
  mapping.cost.weights = option->cost.weights;  // a row with weights has one nest
  mapping.nests.push_back({option, gap.first});
  return true;
}

bool RowMapper::map_nest(const HostProblem& /*problem*/, std::size_t /*row*/, std::size_t /*n*/,
                         std::pair<std::int64_t, std::int64_t> /*gap*/, RowMapping& mapping) {
  mapping.nests.push_back({HostMapping{}, 0});
  return true;
}

template <typename ProblemType>
void RowMapper::add_rivals_of(const ProblemType& problem, std::size_t row,
                              std::pair<std::int64_t, std::int64_t> gap, RowMapping& mapping) {
  const auto& options = options_of(problem, row, 0);
  const SpaceNeeded room = space_beside(gap.second - gap.first);
  if (const auto* chosen = options.best(room); chosen != nullptr) {
    auto rivals = options.rivals(*chosen, room);
    // The best of one kind may be the best of another one as well.
    for (auto rival = rivals.begin(); rival != rivals.end(); ++rival) {
      const auto is_same = [&](const auto* before) { return before->mapping == (*rival)->mapping; };
      if (std::any_of(rivals.begin(), rival, is_same)) continue;
      mapping.rivals.push_back({{*rival, gap.first}, (*rival)->cost});
    }
  }
}

void RowMapper::add_rivals_of(const HostProblem& /*problem*/, std::size_t /*row*/,
                              std::pair<std::int64_t, std::int64_t> /*gap*/, RowMapping& /*mapping*/) {}

void RowMapper::add_rivals(std::size_t row, std::int64_t capacity, RowMapping& mapping) {
  if (mapping.nests.size() != 1) return;
  const auto gap = largest_gap(row, capacity);
  std::visit([&](const auto& problem) { add_rivals_of(*problem, row, gap, mapping); },
             lowered_[row].problems[0]);
}

std::pair<std::int64_t, std::int64_t> RowMapper::largest_gap(std::size_t row, std::int64_t capacity) const {
  std::pair<std::int64_t, std::int64_t> gap{0, 0};
  const std::int64_t usable = pins_.activation_bytes(row, capacity);
  for (const auto& interval : map_.free_intervals(row, row, usable)) {
    if (interval.second - interval.first > gap.second - gap.first) gap = interval;
  }
  return gap;
}

std::optional<RowMapping> RowMapper::map_row(std::size_t row, std::int64_t capacity) {
  const auto gap = largest_gap(row, capacity);
  RowMapping mapping;
  for (std::size_t n = 0; n < lowered_[row].problems.size(); ++n) {
    const bool mapped =
        std::visit([&](const auto& problem) { return map_nest(*problem, row, n, gap, mapping); },
                   lowered_[row].problems[n]);
    if (!mapped) return std::nullopt;
  }
  return mapping;
}

}  // namespace qsim

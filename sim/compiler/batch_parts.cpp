#include "sim/compiler/batch_parts.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <string>
#include <utility>

#include "hw_models/run_chip.h"
#include "sim/compiler/mapping_fields.h"

namespace qsim {

namespace {

/// More divisors than these are thinned out.
constexpr std::size_t kManySizes = 12;

/// Descending.
std::vector<std::int64_t> divisors(std::int64_t number) {
  std::vector<std::int64_t> found;
  for (std::int64_t low = 1; low * low <= number; ++low) {
    if (number % low != 0) continue;
    found.push_back(low);
    if (low * low != number) found.push_back(number / low);
  }
  std::ranges::sort(found, std::greater<>());
  return found;
}

std::string legal_images(std::int64_t batch, const HardwareConfig& hardware) {
  if (batch > 1 && takes_parts(hardware)) return "a divisor of the batch of " + std::to_string(batch);
  return std::to_string(batch) + (batch > 1 ? ": this chip takes a batch row by row" : ", without a batch");
}

}  // namespace

bool takes_parts(const HardwareConfig& hardware) {
  return hardware.dram.kind != DramKind::none && hardware.dma.weight_prefetch != WeightPrefetch::ring &&
         !hardware.requantizer.writes_through;
}

std::vector<std::int64_t> part_sizes(std::int64_t batch, std::size_t rows) {
  const std::int64_t most_parts = std::max<std::int64_t>(
      1, kMostCountedRows / std::max<std::int64_t>(1, static_cast<std::int64_t>(rows)));
  std::vector<std::int64_t> sizes = divisors(batch);
  std::erase_if(sizes, [&](std::int64_t images) { return batch / images > most_parts; });
  if (sizes.size() <= kManySizes) return sizes;
  std::vector<std::int64_t> thinned{sizes.front()};
  for (const std::int64_t images : sizes) {
    const bool is_least = images == sizes.back() && images != thinned.back();
    if (2 * images <= thinned.back() || is_least) thinned.push_back(images);
  }
  return thinned;
}

MappingCost batch_cost(const PartCandidate& candidate) {
  MappingCost cost = candidate.part_cost;
  cost.dram_bytes *= candidate.parts;
  cost.memory_cycles *= candidate.parts;
  cost.cycles += (candidate.parts - 1) * cost.loaded_cycles;
  cost.loaded_cycles *= candidate.parts;
  cost.transfers *= candidate.parts;
  cost.energy_pj *= static_cast<double>(candidate.parts);
  return cost;
}

std::vector<std::size_t> by_cost(const std::vector<PartCandidate>& candidates, const CostMeasure& measure) {
  std::vector<std::size_t> order(candidates.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) {
    return std::pair(measure(batch_cost(candidates[i])), -candidates[i].images);
  });
  return order;
}

Program without_values(const Program& program, std::int32_t parts) {
  Program part;
  const auto nests = static_cast<std::ptrdiff_t>(program.nests.size()) / program.parts * parts;
  part.nests.assign(program.nests.begin(), program.nests.begin() + nests);
  part.rows = program.rows / program.parts * parts;
  part.parts = parts;
  part.weight_slots = program.weight_slots;
  part.parameter_slots = program.parameter_slots;
  part.weight_credits = program.weight_credits;
  part.parameter_credits = program.parameter_credits;
  part.dram_bytes = program.dram_bytes;
  return part;
}

std::int64_t cycles_of_parts(const HardwareConfig& hardware, const Program& program, std::int32_t parts) {
  return run_chip(hardware, without_values(program, parts), {}).rows.back().completed;
}

std::optional<std::int64_t> take_images_together(std::vector<RowPin>& pins, std::int64_t batch,
                                                 const HardwareConfig& hardware,
                                                 std::vector<Problem>& problems) {
  constexpr const char* kHint = "give another value, or leave it to the compiler";
  std::optional<std::int64_t> images;
  std::string given_by;
  std::set<std::string> wrong;  // what is given for an operation is given for many rows
  for (RowPin& pin : pins) {
    if (!pin.images_together) continue;
    const std::int64_t value = *pin.images_together;
    const std::string place = pin.values.at(mapping_keys::kImagesTogether).place;
    pin.values.erase(mapping_keys::kImagesTogether);
    const bool is_legal =
        value == batch || (takes_parts(hardware) && value > 0 && value < batch && batch % value == 0);
    if (is_legal && value == images.value_or(value)) {
      images = value;
      given_by = place;
    } else if (wrong.insert(place).second) {
      const std::string expected = is_legal ? std::to_string(*images) + ", as " + given_by +
                                                  " says: the images of all rows go together"
                                            : legal_images(batch, hardware);
      problems.push_back({pin.file, place, std::to_string(value), expected, kHint});
    }
  }
  return images;
}

}  // namespace qsim

// A batch in parts: all images row by row, or groups of images that go through the whole network one after
// the other.
//
// Row by row, the activations of all images lie between two rows and may be too many for the buffer; a part
// needs the room of its own images only, and loads the weights again where they do not stay. N images one
// after the other are always among the candidates, so a batch need not cost more than its images alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.h"
#include "hw_models/hardware_config.h"
#include "hw_models/program.h"
#include "sim/compiler/mapper.h"
#include "sim/compiler/mapping.h"

namespace qsim {

/// Whether the chip can take a batch in parts. Without DRAM all images lie in the buffer from the beginning;
/// chips whose weights come through a ring or whose outputs leave run by run (NVDLA) take a batch row by row.
[[nodiscard]] bool takes_parts(const HardwareConfig& hardware);

/// Images of a part that are worth a plan: divisors of the batch, the whole batch first, one image last (or
/// as few as kMostCountedRows allows). Where there are many divisors, each is at most half of the one before.
[[nodiscard]] std::vector<std::int64_t> part_sizes(std::int64_t batch, std::size_t rows);

/// Rows x parts that part_sizes() goes up to: each is counted apart.
inline constexpr std::int64_t kMostCountedRows = 1 << 18;

/// A plan for parts of `images`.
struct PartCandidate {
  std::int64_t images = 1;
  std::int64_t parts = 1;
  MappingCost part_cost;  ///< Of one part.
};

/// What all parts cost, each like the first. Weights that stay are in none of them.
[[nodiscard]] MappingCost batch_cost(const PartCandidate& candidate);

/// Indices of the candidates by cost, the cheapest first; of equal ones that of more images first.
[[nodiscard]] std::vector<std::size_t> by_cost(const std::vector<PartCandidate>& candidates,
                                               const CostMeasure& measure = {});

/// The first `parts` parts of a program alone, without images: no values move.
[[nodiscard]] Program without_values(const Program& program, std::int32_t parts);

/// Simulated cycles of the first `parts` parts of a program alone.
[[nodiscard]] std::int64_t cycles_of_parts(const HardwareConfig& hardware, const Program& program,
                                           std::int32_t parts);

/// What the pins give as `images_together`, which is taken out of them; a value that is not legal, or differs
/// from that of another row, is a problem.
[[nodiscard]] std::optional<std::int64_t> take_images_together(std::vector<RowPin>& pins, std::int64_t batch,
                                                               const HardwareConfig& hardware,
                                                               std::vector<Problem>& problems);

}  // namespace qsim

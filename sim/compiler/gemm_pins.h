// Values of a product's mapping that are given beforehand, beside those that the search finds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hw_models/gemm.h"
#include "hw_models/hardware_config.h"
#include "sim/compiler/mapping_pin.h"
#include "sim/compiler/reduction_parts.h"

namespace qsim {

class GemmPins {
 public:
  /// The order in which values are fixed. Of several given values that leave nothing, the last is at fault.
  enum class Level { array, columns, part, block, rows, pixels, slots };

  /// nullptr: nothing is given. Kept.
  explicit GemmPins(const Pinned<GemmMapping>* pin) : pin_(pin) {}

  [[nodiscard]] bool gives(std::string_view key) const { return pin_ != nullptr && pin_->gives(key); }
  /// Only where something is given.
  [[nodiscard]] const GemmMapping& value() const { return pin_->value; }

  void reject(Level level, std::string key, std::string value, std::string expected);
  [[nodiscard]] const std::optional<PinRejection>& rejection() const { return rejection_; }

  /// False where the chip's array has another dataflow, or its controller another order of passes.
  [[nodiscard]] bool are_of(const HardwareConfig& hardware);

  /// The candidates of a field, or the given value where it is among [low, high].
  [[nodiscard]] std::vector<std::int64_t> given_or(Level level, const char* key,
                                                   std::int64_t GemmMapping::*field, std::int64_t low,
                                                   std::int64_t high, std::vector<std::int64_t> candidates,
                                                   const char* why);

  /// Of `parts`, those that agree with what is given; a part given whole may be any legal one.
  [[nodiscard]] std::vector<PartSize> given_parts(const GemmProblem& problem, const GemmMapping& mapping,
                                                  std::vector<PartSize> parts);

  /// The given column tiles a block, of `tiles` in all, where they are at most `most` and begin at bytes.
  [[nodiscard]] std::vector<std::int64_t> given_block(const GemmProblem& problem, const GemmMapping& mapping,
                                                      std::int64_t tiles, std::int64_t most);

  /// Rows of a tile that a pooling on the way out takes, for whole strides, as near to `sizes` as that
  /// allows; none where other columns are given than all.
  [[nodiscard]] std::vector<std::int64_t> pooled_rows(const GemmProblem& problem,
                                                      const std::vector<std::int64_t>& sizes);

 private:
  void reject_part(const GemmProblem& problem, const GemmMapping& mapping);

  const Pinned<GemmMapping>* pin_;
  std::optional<PinRejection> rejection_;
  Level deepest_ = Level::array;
};

}  // namespace qsim

// Where everything lies in the buffers, from row to row: what a report has of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hw_models/activity.h"

namespace qsim {

/// What a range of a buffer is for.
enum class MemoryUse : std::uint8_t {
  kept,
  fetched,
  in_place,
  input_slots,
  addend_slots,
  output_slots,
  partial_sums,
  weights,
  parameters,
  weight_slots,
  parameter_slots,
  count_
};
inline constexpr std::size_t kMemoryUseCount = static_cast<std::size_t>(MemoryUse::count_);

struct MemoryUseRow {
  MemoryUse use{};
  std::string_view name;
  std::string_view meaning;
};

/// In the order of the enumerators.
inline constexpr std::array<MemoryUseRow, kMemoryUseCount> kMemoryUses{{
    {MemoryUse::kept, "kept", "a tensor from the row that makes it to the last that reads it"},
    {MemoryUse::fetched, "fetched", "a tensor from the first row that reads it, which loads it, to the last"},
    {MemoryUse::in_place, "in_place", "a tensor that takes the place of what its row reads, from then on"},
    {MemoryUse::input_slots, "input_slots", "tiles of an input that passes through"},
    {MemoryUse::addend_slots, "addend_slots", "tiles of what is added on the way out"},
    {MemoryUse::output_slots, "output_slots", "tiles of an output that passes through"},
    {MemoryUse::partial_sums, "partial_sums", "sums of a reduction that is cut, between its parts"},
    {MemoryUse::weights, "weights", "weights of a row that stay for all inferences"},
    {MemoryUse::parameters, "parameters", "biases and scales that stay"},
    {MemoryUse::weight_slots, "weight_slots", "blocks of weights of all other rows"},
    {MemoryUse::parameter_slots, "parameter_slots", "biases and scales of all other rows"},
}};
static_assert(is_in_order(kMemoryUses, &MemoryUseRow::use));

[[nodiscard]] constexpr std::string_view memory_use_name(MemoryUse use) {
  return kMemoryUses[static_cast<std::size_t>(use)].name;
}

/// Bytes [address, address + bytes) during rows first_row .. last_row.
struct MemoryRange {
  std::string name;  ///< The tensor; of weights that stay their row; empty: of all rows.
  MemoryUse use = MemoryUse::kept;
  std::int64_t address = 0, bytes = 0;
  std::int64_t slots = 0;  ///< Equal pieces that tiles take in turn; 0: it is one.
  std::size_t first_row = 0, last_row = 0;
  /// Of slots: of which of the row's operations, one after the other (a concat has one an input).
  std::size_t part = 0;
};

struct BufferMap {
  std::int64_t capacity_bytes = 0;
  /// Most bytes in use at a time, and the first row in which they are.
  std::int64_t peak_bytes = 0;
  std::size_t peak_row = 0;
  std::vector<MemoryRange> ranges;  ///< By first row, then by address.
};

/// Of one inference, or of one part of a batch, which all are alike.
struct MemoryMap {
  std::vector<std::string> rows;  ///< Names, as in the report.
  BufferMap activation_buffer, weight_buffer;
};

}  // namespace qsim

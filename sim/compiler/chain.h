// Chains: neighbouring rows that are executed together, stripe by stripe of their outputs' rows, so that what
// lies between them never leaves the chip.
//
// In each stripe every row of the chain computes, one after the other, those rows of its output that the rows
// behind it need next. Nothing is computed twice: what a later stripe still reads (the halo of its windows)
// stays, in a ring of as many rows as are alive at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "hw_models/hardware_config.h"
#include "sim/compiler/lower.h"
#include "sim/compiler/schedule.h"

namespace qsim {

/// Rows [first, last] of the schedule.
struct Chain {
  std::size_t first = 0, last = 0;
  std::int64_t stripe_rows = 1;  ///< Rows of the last row's output that a stripe adds.

  friend bool operator==(const Chain&, const Chain&) = default;
};

/// What follows from a chain.
struct ChainLayout {
  Chain chain;
  /// Rows of the output that are complete after each stripe: ends[row - first][stripe].
  std::vector<std::vector<std::int64_t>> ends;
  /// By storage: rows that are alive at once, of tensors that are made and read in the chain alone ..
  std::map<int, std::int64_t> rings;
  /// .. and of those in DRAM that the chain alone reads, fetched a stripe ahead.
  std::map<int, std::int64_t> fetched_rings;
  /// Tensors that must not be fetched: made in the chain, or read in it before their first reader would have
  /// fetched what is read.
  std::vector<int> not_fetched;

  [[nodiscard]] bool contains(std::size_t row) const { return row >= chain.first && row <= chain.last; }
  [[nodiscard]] std::size_t rows() const { return ends.size(); }
  [[nodiscard]] std::size_t stripes() const { return ends.back().size(); }
  /// Rows that a stripe adds; may be none.
  [[nodiscard]] RowWindow window(std::size_t row, std::size_t stripe) const {
    const std::vector<std::int64_t>& own = ends[row - chain.first];
    return {stripe == 0 ? 0 : own[stripe - 1], own[stripe]};
  }
  /// All windows of a row that are not empty, in order.
  [[nodiscard]] std::vector<RowWindow> windows(std::size_t row) const;
};

/// That of most rows; the first of several.
[[nodiscard]] RowWindow largest(const std::vector<RowWindow>& windows);

/// By row of the schedule: it is in a chain.
[[nodiscard]] std::vector<bool> striped_rows(const std::vector<ChainLayout>& chains, std::size_t rows);

/// Rows of a row's output.
[[nodiscard]] std::int64_t output_rows(const LoweredRow& row);

/// Nothing where the rows cannot be a chain: one that the host computes, has several nests or takes
/// activations as weights, or a tensor that is read with other extents than it is made with.
[[nodiscard]] std::optional<ChainLayout> lay_out(const Chain& chain, const Schedule& schedule,
                                                 const std::vector<LoweredRow>& lowered,
                                                 const HardwareConfig& hardware);

/// Bytes of a storage of which the last `ring_rows` rows are there.
[[nodiscard]] std::int64_t ring_bytes(const TensorView& view, std::int64_t ring_rows);
/// How a row's output is seen.
[[nodiscard]] const TensorView& output_view(const LoweredRow& row);
[[nodiscard]] const TensorView& input_view(const LoweredRow& row, std::size_t input);

}  // namespace qsim

// Which tensors lie in the activation buffer, where, and what is free beside them.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "sim/compiler/schedule.h"

namespace qsim {

class ActivationMap {
 public:
  /// A chip without DRAM holds constants, graph inputs and outputs from the first row to the last.
  ActivationMap(const Schedule& schedule, bool has_dram);

  [[nodiscard]] bool is_resident(int storage) const { return resident_[static_cast<std::size_t>(storage)]; }
  /// Of a resident storage.
  [[nodiscard]] std::int64_t address(int storage) const {
    return address_[static_cast<std::size_t>(storage)];
  }
  void keep(int storage, std::int64_t address);
  void release(int storage);
  void clear();

  /// Rows during which a storage lives.
  [[nodiscard]] std::pair<std::size_t, std::size_t> lifetime(int storage) const;
  /// Intervals of the first `capacity` bytes that no resident storage overlaps during rows [first, last].
  [[nodiscard]] std::vector<std::pair<std::int64_t, std::int64_t>> free_intervals(
      std::size_t first, std::size_t last, std::int64_t capacity) const;
  /// First address at which a storage fits during its life.
  [[nodiscard]] std::optional<std::int64_t> place(int storage, std::int64_t capacity) const;

  [[nodiscard]] const std::vector<bool>& resident() const { return resident_; }
  [[nodiscard]] const std::vector<std::int64_t>& addresses() const { return address_; }

 private:
  /// Calls `visit` with each node that is a part of a storage's life.
  template <typename Visit>
  void visit_life(int storage, const Visit& visit);

  const Schedule* schedule_;
  bool has_dram_;
  std::vector<bool> resident_;
  std::vector<std::int64_t> address_;
  /// A segment tree over the rows, the leaf of row r at leaf_count_ + r: each resident storage stands in the
  /// O(log rows) nodes that make up its life, so that those that live during a row are found without looking
  /// at all.
  std::size_t leaf_count_ = 1;
  std::vector<std::vector<int>> residents_;
};

}  // namespace qsim

// Which tensors lie in the activation buffer, where, and what is free beside them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "sim/compiler/lower.h"
#include "sim/compiler/schedule.h"

namespace qsim {

struct ChainLayout;

/// Whether a tensor lies whole in the activation buffer.
enum class Stay : std::uint8_t {
  in_dram,  ///< No: tiles of it pass through slots.
  kept,     ///< From the row that makes it to the last that reads it.
  fetched,  ///< From the first row that reads it, which loads it, to the last.
};

/// Capacities that are tried beside the `full` one: four an octave, or one for networks of very many rows.
[[nodiscard]] std::vector<std::int64_t> capacities_below(std::int64_t full, std::size_t rows);

class ActivationMap {
 public:
  /// A chip without DRAM holds constants, graph inputs and outputs from the first row to the last.
  ActivationMap(const Schedule& schedule, bool has_dram);

  [[nodiscard]] Stay stay(int storage) const { return stays_[static_cast<std::size_t>(storage)]; }
  /// Its readers find it in the buffer.
  [[nodiscard]] bool holds_input(int storage) const { return stay(storage) != Stay::in_dram; }
  /// The row that makes it leaves it there.
  [[nodiscard]] bool holds_output(int storage) const { return stay(storage) == Stay::kept; }
  /// Of a resident storage.
  [[nodiscard]] std::int64_t address(int storage) const {
    return address_[static_cast<std::size_t>(storage)];
  }
  /// `stay`: kept or fetched.
  void keep(int storage, Stay stay, std::int64_t address);
  void release(int storage);
  void clear();
  /// On a chip without DRAM; false where there is no room.
  bool keep_everything(std::int64_t capacity);

  /// Rows during which a storage lies in the buffer.
  [[nodiscard]] std::pair<std::size_t, std::size_t> lifetime(int storage, Stay stay) const;
  /// Intervals of the first `capacity` bytes that no resident storage overlaps during rows [first, last].
  /// `beside`: a storage that does not count.
  [[nodiscard]] std::vector<std::pair<std::int64_t, std::int64_t>> free_intervals(std::size_t first,
                                                                                  std::size_t last,
                                                                                  std::int64_t capacity,
                                                                                  int beside = -1) const;
  /// The address of a tensor whose place it may take (or that may take its), where it fits there during its
  /// life, otherwise the first at which it does.
  [[nodiscard]] std::optional<std::int64_t> place(int storage, Stay stay, std::int64_t capacity) const;

  /// From now on outputs may lie where inputs of their rows lie that nobody reads later (in_place.h).
  void allow_in_place(const std::vector<LoweredRow>& lowered);
  /// It lies in the place of an input of the row that makes it.
  [[nodiscard]] bool is_in_place(int storage) const;

  /// Rows of a chain run at the same time: what lives during one of them lives during all; tensors that only
  /// they use lie in rings. To be called before anything is kept.
  void set_chains(const std::vector<ChainLayout>& chains, const std::vector<LoweredRow>& lowered);
  /// Of the tensor's rows those that are there, where it stays in this way; 0: all.
  [[nodiscard]] std::int64_t ring_rows(int storage, Stay stay) const;
  [[nodiscard]] std::int64_t bytes(int storage, Stay stay) const;

  [[nodiscard]] const std::vector<Stay>& stays() const { return stays_; }
  [[nodiscard]] const std::vector<std::int64_t>& addresses() const { return address_; }

 private:
  /// A resident storage at whose address it may lie: one ends where the other begins, in the row that reads
  /// the one and makes the other.
  [[nodiscard]] bool may_share(int storage, Stay stay, int partner) const;
  /// Without regard to chains.
  [[nodiscard]] std::pair<std::size_t, std::size_t> own_lifetime(int storage, Stay stay) const;
  /// Calls `visit` with each node that is a part of a storage's life, as its `stay` is now.
  template <typename Visit>
  void visit_life(int storage, const Visit& visit);

  /// Of a storage in a chain.
  struct Ring {
    std::int64_t rows = 0, bytes = 0;
    Stay stay = Stay::kept;
  };

  const Schedule* schedule_;
  bool has_dram_;
  std::vector<Stay> stays_;
  std::vector<std::int64_t> address_;
  std::vector<std::pair<std::size_t, std::size_t>> together_;  ///< By row: the rows of its chain.
  std::map<int, Ring> rings_;
  /// By storage: whose place it may take, and who may take its, where there are such.
  std::map<int, std::vector<int>> replaced_, replacing_;
  /// A segment tree over the rows, the leaf of row r at leaf_count_ + r: each resident storage stands in the
  /// O(log rows) nodes that make up its life, so that those that live during a row are found without looking
  /// at all.
  std::size_t leaf_count_ = 1;
  std::vector<std::vector<int>> residents_;
};

}  // namespace qsim

// Brings layers that are listed in any order into one in which every input is computed before it is used.
#pragma once

#include <cstddef>
#include <vector>

namespace qsim {

struct LayerOrder {
  std::vector<std::size_t>
      order;  ///< Layers outside cycles; of those that are ready the first listed comes first.
  std::vector<std::size_t>
      cycle;  ///< One cycle, each layer needing the one before it; empty when there is none.
};

/// `needs[i]` are the layers whose outputs layer i reads.
[[nodiscard]] LayerOrder order_layers(const std::vector<std::vector<std::size_t>>& needs);

}  // namespace qsim

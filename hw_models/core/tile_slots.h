// Where the tiles of a nest lie in the activation buffer, and whether they have to be loaded into it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <variant>

#include "hw_models/program.h"

namespace qsim {

/// Input `i` of a vector nest stays whole in the activation buffer and comes there with this nest.
[[nodiscard]] inline bool is_fetched(const VectorNest& nest, std::size_t i) {
  return i < nest.mapping().fetch_inputs.size() && nest.mapping().fetch_inputs[i];
}
/// It passes through slots, tile by tile.
[[nodiscard]] inline bool is_streamed(const VectorNest& nest, std::size_t i) {
  return !nest.placement().inputs[i].resident;
}
[[nodiscard]] inline bool streams_inputs(const VectorNest& nest) {
  return !std::ranges::all_of(nest.placement().inputs, &Placement::resident);
}

/// The addend of a product passes through slots, tile by tile.
[[nodiscard]] inline bool streams_addend(const GemmNest& nest) {
  return nest.problem().addend() != nullptr && !nest.placement().addend.resident;
}

[[nodiscard]] inline bool needs_loads(const GemmNest& nest) {
  return !nest.placement().input.resident || nest.mapping().fetch_input || streams_addend(nest);
}

[[nodiscard]] inline bool needs_loads(const VectorNest& nest) {
  return streams_inputs(nest) || std::ranges::count(nest.mapping().fetch_inputs, true) > 0;
}

[[nodiscard]] inline bool needs_loads(const HostNest&) {
  return false;
}

[[nodiscard]] inline bool needs_loads(const Nest& nest) {
  return std::visit([](const auto& n) { return needs_loads(n); }, nest);
}

/// Layout of the tile in slot `count` of a placement, or of the whole resident tensor.
[[nodiscard]] inline TensorLayout tile_layout(const Placement& placement, std::int64_t count) {
  TensorLayout layout = placement.buffer;
  if (!placement.resident) {
    layout.base = placement.slots[static_cast<std::size_t>(count) % placement.slots.size()];
  }
  return layout;
}

/// Element of the tensor that lies at the base of tile_layout().
[[nodiscard]] inline Dims tile_origin(const Placement& placement, const Box& box) {
  return placement.resident ? Dims{} : box.begin;
}

[[nodiscard]] inline Box shifted(Box box, const Dims& offset) {
  for (std::size_t d = 0; d < kDims; ++d) {
    box.begin[d] += offset[d];
    box.end[d] += offset[d];
  }
  return box;
}

}  // namespace qsim

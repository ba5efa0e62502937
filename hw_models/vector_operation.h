// An operation of the vector unit as three values: what it computes (VectorProblem), how it is cut
// (VectorMapping) and where its data lie (VectorPlacement).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "hw_models/arithmetic/vector_functions.h"
#include "hw_models/tensor_layout.h"

namespace qsim {

/// How an element of a vector operation's output reaches one of its inputs: input index of dimension d =
/// output index of dimension source[d] * stride[d] + offset[d] + window index of d; outside the input: `pad`.
struct VectorInput {
  TensorView tensor;
  std::array<std::size_t, kDims> source{0, 1, 2, 3};
  Dims stride{1, 1, 1, 1};
  Dims offset{};
  std::int64_t pad = 0;
};

using arithmetic::VectorFunction;

/// What is computed: element by element, over windows, over rows of channels, or between neighbouring pixels.
/// Of a resize, the function says which rows and columns of the input an output pixel reads. A row function's
/// further inputs are its constants, gamma and beta (those that there are).
struct VectorProblem {
  VectorFunction function;
  Dims extent{};  ///< Output elements to compute (the output's dims, or the part a concat writes).
  Dims window{1, 1, 1, 1};
  std::vector<VectorInput> inputs;
  bool has_gamma = false, has_beta = false;
  TensorView output;
  Dims output_offset{};  ///< Where element 0 goes in the output tensor (concat).
};

/// How it is executed.
struct VectorMapping {
  Dims tile{1, 1, 1, 1};  ///< Output elements of one tile.
  bool store_output = true;
  std::vector<bool> inputs_resident;  ///< As in GemmMapping, an entry an input ..
  std::vector<bool> fetch_inputs;     ///< .. and here; none where it is empty.
  bool output_resident = false;
  std::int64_t slots = 2;  ///< Tile slots of each tensor that is not resident.

  friend bool operator==(const VectorMapping&, const VectorMapping&) = default;
};

/// Where the data lie.
struct VectorPlacement {
  std::vector<Placement> inputs;
  Placement output;
};

}  // namespace qsim

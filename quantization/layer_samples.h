// Output pixels of one layer over calibration inputs, with what the layer reads for them.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace qsim {

/// An output pixel of one of the network's inputs.
struct LayerSample {
  std::int64_t input = 0, row = 0;
};

/// As many of every input, without order, of a layer of `rows` output pixels and `depth` operands each: at
/// most `most_samples` of them and 2^26 operands, at least one an input.
[[nodiscard]] std::vector<LayerSample> draw_samples(std::int64_t inputs, std::int64_t rows,
                                                    std::int64_t depth, std::int64_t most_samples,
                                                    std::mt19937_64& random);

}  // namespace qsim

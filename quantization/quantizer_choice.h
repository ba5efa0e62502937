// The quantizers of a float network, by the steps of a method.
#pragma once

#include <string>
#include <vector>

#include "quantization/paired_run.h"
#include "quantization/quantize_graph.h"

namespace qsim {

struct QuantizerChoice {
  Quantizers quantizers;
  std::vector<std::string> notes;  ///< What the steps did, for the provenance.
};

/// `graph`: float, batch norms folded, activations fused. Its weights are scaled where channels are
/// equalized, its biases corrected where the method says so. `observed`: what its tensors hold (observe()),
/// behind the equalization.
[[nodiscard]] QuantizerChoice choose_quantizers(Graph& graph, const CalibrationData& data,
                                                const QuantizeOptions& options,
                                                const std::vector<ObservedValues>& observed);

/// "1 layer", "3 layers"
[[nodiscard]] std::string counted(int count, const std::string& what);

}  // namespace qsim

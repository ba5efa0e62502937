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

/// `graph`: a copy of observed.prepared, whose biases are corrected where the method says so.
[[nodiscard]] QuantizerChoice choose_quantizers(const ObservedGraph& observed, Graph& graph,
                                                const QuantizeOptions& options);

/// "1 layer", "3 layers"
[[nodiscard]] std::string counted(int count, const std::string& what);

}  // namespace qsim

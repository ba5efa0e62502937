// The network as the arguments ask for it.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "quantization/quantize_graph.h"
#include "sim/cli/network_options.h"
#include "sim/cli/shipped_files.h"
#include "workloads/graph/graph.h"
#include "workloads/readers/load.h"

namespace qsim::cli {

/// The shapes of --shape, each as "NAME=1,3,224,224". Throws InputError.
[[nodiscard]] InputShapes parse_shapes(const std::vector<std::string>& arguments);

/// A network as it was read, and what all schemes for it share: of a float one what its tensors hold while it
/// runs on the calibration inputs.
class SchemeNetwork {
 public:
  /// Observes what `schemes` need. Throws InputError where there is calibration data for a quantized network,
  /// and where it does not fit a float one.
  SchemeNetwork(Graph graph, const CalibrationOptions& calibration, const ShippedFiles& files,
                std::span<const Scheme> schemes);
  /// The calibration inputs look at the original.
  SchemeNetwork(const SchemeNetwork&) = delete;
  SchemeNetwork& operator=(const SchemeNetwork&) = delete;

  [[nodiscard]] const Graph& original() const { return original_; }
  /// How ranges are set: of a float network's activations and weights, of a quantized one's weights.
  [[nodiscard]] RangeRule ranges() const;
  /// A float network quantized (quantize_graph()), a quantized one brought to the scheme
  /// (requantize_graph()). Throws InputError as these do.
  [[nodiscard]] Graph with(const Scheme& scheme) const;
  /// What the ranges are from; empty of a quantized network.
  [[nodiscard]] std::string calibration() const {
    return observed_ ? observed_->data.description : std::string();
  }

 private:
  [[nodiscard]] QuantizeOptions options_with(const Scheme& scheme) const;

  Graph original_;
  QuantizeOptions options_;  ///< Of whatever scheme.
  std::optional<ObservedGraph> observed_;
};

/// Read, brought to other bit widths (a float network: quantized), cut, batched and valid. Throws InputError.
/// Of `arrays` those are read that an ONNX model needs as constants.
[[nodiscard]] Graph prepare_graph(const NetworkOptions& options, const ShippedFiles& files,
                                  const InputArrays& arrays = {});

}  // namespace qsim::cli

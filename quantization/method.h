// What is done to a float network before its numbers are rounded: white paper, section 3.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "quantization/range_setting.h"

namespace qsim {

/// What AdaRound holds a layer's sums against: the steps of the paper's table 5, each with those before it.
enum class RoundingTarget {
  layer,             ///< adaround_layer: || W x - W~ x ||, float inputs x, no activation.
  quantized_inputs,  ///< adaround_inputs: || W x - W~ x^ ||, what the quantized layers before make.
  activation,        ///< adaround: || f(W x) - f(W~ x^) ||, behind the activation.
};

/// Steps, in the order in which they are taken.
struct QuantizationMethod {
  bool replaces_relu6 = false;     ///< relu: ReLU6 becomes ReLU, which equalizing can pass.
  bool equalizes = false;          ///< cle: cross-layer equalization (3.2).
  bool absorbs_biases = false;     ///< absorption: what channels have in common, to the next bias (3.2).
  bool ranges_from_norms = false;  ///< batch_norm: activations' ranges, beta +- 6 gamma (3.1).
  std::optional<RangeRule> ranges = {};  ///< minmax, mse, sqnr or percentile (3.1).
  bool ranges_by_outputs = false;        ///< seqmse: those of weights, by what layers compute.
  bool ranges_by_entropy = false;        ///< cross_entropy: that of the logits (3.1).
  bool rounds_adaptively = false;        ///< adaround: which weights are rounded up (3.4).
  RoundingTarget rounding_target = RoundingTarget::activation;
  int rounding_steps = 2000;     ///< adaround(N): steps a layer.
  bool corrects_biases = false;  ///< bias_correction: from the calibration inputs or batch norms (3.3).

  /// Of a float network: mse where nothing is said.
  [[nodiscard]] RangeRule float_ranges() const { return ranges.value_or(RangeMethod::mse); }
  /// Of weights that are integers already: their limits where nothing is said.
  [[nodiscard]] RangeRule integer_ranges() const { return ranges.value_or(RangeMethod::min_max); }

  /// Some step looks at more than ranges.
  [[nodiscard]] bool changes_network() const { return replaces_relu6 || equalizes || needs_knowledge(); }
  /// Some step needs to know what channels hold: from inputs, or from batch norms.
  [[nodiscard]] bool needs_knowledge() const {
    return absorbs_biases || ranges_from_norms || ranges_by_outputs || ranges_by_entropy ||
           rounds_adaptively || corrects_biases;
  }
};

/// "minmax", "mse", "sqnr" or "percentile"
[[nodiscard]] std::string_view name_of(const RangeRule& ranges);
/// "ranges of least squared error", "min-max ranges", ..
[[nodiscard]] std::string text_of(const RangeRule& ranges);

/// "pipeline", or words with "+" between them, in any order: minmax, mse, sqnr, sqnr(WEIGHT), percentile,
/// percentile(PERCENT), seqmse, cross_entropy, relu, cle, absorption, batch_norm,
/// adaround (or its parts adaround_layer and adaround_inputs; each with (STEPS)), bias_correction. The
/// pipeline is cle+mse+adaround with calibration inputs, and without them
/// cle+absorption+mse+batch_norm+bias_correction. Throws InputError naming `option`.
[[nodiscard]] QuantizationMethod parse_method(std::string_view text, const std::string& option,
                                              bool has_data = true);

/// The words that need no calibration inputs: "relu, cle, ..".
[[nodiscard]] std::string data_free_words();

/// "cle+mse+bias_correction"
[[nodiscard]] std::string to_string(const QuantizationMethod& method);

}  // namespace qsim

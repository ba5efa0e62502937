// Bias absorption: white paper, section 3.2.
#pragma once

#include <vector>

#include "quantization/calibrate.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// What channels have in common goes to the next layer's bias: of a layer with ReLU and the next one,
///
///   b1' = b1 - c,  b2' = b2 + W2 c,  c >= 0
///
/// which changes nothing where W1 x + b1 >= c, as ReLU(y) - c = ReLU(y - c) there. The first layer's
/// distribution is shifted too. Pairs are those of layer_pairs.h with nothing between them but unpadded
/// pooling, means and flattening, and no padding in the second layer: a padded tap would be 0 and not c below
/// 0.
struct Absorption {
  int pairs = 0;     ///< With a channel of c > 0.
  int channels = 0;  ///< With c > 0.
};

/// c = max(0, mean - 3 deviation) of the first layer's distribution: of normal values all but 0.13 % are
/// above. Pairs without a distribution stay as they are.
Absorption absorb_biases(Graph& graph);

/// c = the least value that the channel had on the inputs, behind ReLU: nothing changes on these.
Absorption absorb_biases(Graph& graph, const CalibrationData& data, int threads);

}  // namespace qsim

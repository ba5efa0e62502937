// QuantizeLinear -> DequantizeLinear -> QuantizeLinear -> DequantizeLinear: ONNX Runtime's default session
// makes one pair of two.
#pragma once

#include <cstddef>
#include <vector>

#include "workloads/readers/onnx/onnx_model.h"

namespace qsim::onnx_format {

/// Takes the inner two nodes of such chains out of the model (OnnxNode::merged_into); the outer two get a
/// scale and zero point for the reals that both pairs hold:
///   scale = (real_max - real_min) / (q_max - q_min), zero_point = round(q_min - real_min / scale), in
///   float32.
/// That is so where all four have one constant scale and zero point of INT8 or UINT8, those of each pair
/// equal, and no value between them has another user or is an output. Longer chains are merged one after the
/// other.
///
/// Source: DoubleQDQPairsRemover of ONNX Runtime 1.30, which session.disable_double_qdq_remover turns off.
void merge_double_pairs(OnnxModel& model);

}  // namespace qsim::onnx_format

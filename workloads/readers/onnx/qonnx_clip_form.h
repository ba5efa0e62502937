// QuantizeLinear -> Clip -> DequantizeLinear: how QONNX is written with ONNX's own operators, the limits of
// fewer bits in Clip.
#pragma once

#include "workloads/readers/onnx/onnx_model.h"

namespace qsim::onnx_format {

/// Makes a Quant of such triples and takes the others out of the model (OnnxNode::merged_into), where scale
/// and zero point are the same constants on both sides, zero points 0, the bounds those of 1 to 8 bits (as
/// they are, or narrow) other than the type's own, and nothing else uses what lies between. Where the
/// integers are a constant, the Quant takes their real values.
///
/// Source: the transformation QuantToQCDQ of the qonnx package, and Brevitas's export of QCDQ.
void merge_clip_form(OnnxModel& model);

}  // namespace qsim::onnx_format

// Values that the caller gives for inputs that have to be known when reading.
#pragma once

#include <string>

#include "workloads/readers/onnx/data_type.h"
#include "workloads/readers/onnx/onnx_model.h"

namespace qsim::onnx_format {

/// The array of a .npy file as the value of `input`. Throws InputError where type or shape do not fit its
/// declaration.
[[nodiscard]] OnnxTensor read_given_constant(const OnnxValue& input, const std::string& path);

}  // namespace qsim::onnx_format

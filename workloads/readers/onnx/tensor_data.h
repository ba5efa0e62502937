// Private to read_onnx_model(): the values of a TensorProto, from the file or from one beside it.
#pragma once

#include <string>

#include "workloads/readers/onnx/data_type.h"

namespace onnx {
class TensorProto;
}

namespace qsim::onnx_format {

/// Reads a tensor's type, shape and values. Sizes are checked before anything is allocated. Types without
/// values of ours (strings, float8) have empty `bytes`; whoever uses one refuses it. External data has to lie
/// in the model's folder. Throws InputError with `place` and file otherwise.
[[nodiscard]] OnnxTensor read_tensor(const ::onnx::TensorProto& proto, const std::string& model_file,
                                     const std::string& place);

}  // namespace qsim::onnx_format

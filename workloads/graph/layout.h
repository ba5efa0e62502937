// Between the graph's order of dimensions (channels last) and the model's own.
//
// Everything that comes from outside or goes there (input arrays, tensor files, digests, shapes in reports)
// has the model's dimensions; Tensor::model_axes says how they lie in the graph's.
#pragma once

#include "workloads/graph/graph.h"

namespace qsim {

/// Shape of the tensor as the model has it.
[[nodiscard]] Shape model_shape(const Tensor& tensor);
/// Values in the graph's order (data.shape = tensor.shape) to the model's order.
[[nodiscard]] TensorData to_model_layout(TensorData data, const Tensor& tensor);
/// Values in the model's order (data.shape = model_shape(tensor)) to the graph's order.
[[nodiscard]] TensorData from_model_layout(TensorData data, const Tensor& tensor);

}  // namespace qsim

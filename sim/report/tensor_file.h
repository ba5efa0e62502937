// Tensors as --outputs and --dump-tensors store them.
#pragma once

#include <string>
#include <vector>

#include "sim/result.h"

namespace qsim {

/// One name a tensor: an empty name becomes "tensor_<index>", of equal names the later ones get "#2", "#3".
[[nodiscard]] std::vector<std::string> unique_tensor_names(const std::vector<NamedTensor>& tensors);

/// Quantized integers in the smallest of I8, U8, I16, U16, I32 that holds their bit width; the others as they
/// are.
[[nodiscard]] TensorData stored_form(const NamedTensor& tensor);

/// Outputs and every other activation tensor of a run that dumped them, each once.
[[nodiscard]] std::vector<NamedTensor> dumped_tensors(const RunResult& result);

/// Writes a safetensors file under the unique names. Its metadata has one entry a quantized tensor, the
/// tensor's name and a JSON text: {"bits": 8, "signed": true, "scale": 0.5, "zero_point": -3}, lists where
/// scales differ by slice of "axis" (or by group of "group_size").
void write_tensor_file(const std::string& path, const std::vector<NamedTensor>& tensors);

}  // namespace qsim

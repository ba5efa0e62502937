// Tensors by name, from a run or from a file that another program wrote.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/result.h"

namespace qsim {

struct TensorSet {
  std::string source;                ///< File or workload, as given.
  std::vector<NamedTensor> tensors;  ///< In the order of the run, or of the file.

  /// nullptr when there is none.
  [[nodiscard]] const NamedTensor* find(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> names() const;
};

/// Reads a .safetensors file, or a .npy file, whose array has no name (""). Quantization is taken from the
/// metadata as write_tensor_file leaves it; entries that say something else are left alone. Throws
/// InputError.
[[nodiscard]] TensorSet read_tensor_set(const std::string& path);

/// Values in the model's layout as the graph's tensor holds them; nothing where shape or values do not fit
/// it.
[[nodiscard]] std::optional<TensorData> as_graph_stores(const Tensor& tensor, const TensorData& data);

/// Keeps the tensor `name` alone; throws InputError, with the nearest name, where there is none.
void keep_tensor(TensorSet& set, const std::string& name);

/// An array without a name gets that of the other side's only tensor. Throws InputError where the other side
/// has several.
void name_single_tensor(TensorSet& a, TensorSet& b);

}  // namespace qsim

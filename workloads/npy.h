// NumPy's .npy files, one array each: format versions 1 to 3, little-endian, C order.
#pragma once

#include <string>

#include "workloads/tensor.h"

namespace qsim {

/// Reads int8, uint8, int16, uint16, int32, int64, float32, and float64 rounded to float32. Anything else
/// (big endian, Fortran order, booleans, complex numbers, pickled objects) is an InputError that names the
/// remedy.
[[nodiscard]] TensorData read_npy(const std::string& path);

/// Writes version 1.0.
void write_npy(const std::string& path, const TensorData& data);

}  // namespace qsim

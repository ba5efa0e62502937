// NumPy's .npy files, one array each: format versions 1 to 3, little-endian, C order.
#pragma once

#include <cstdint>
#include <string>

#include "workloads/graph/tensor.h"

namespace qsim {

/// Most elements of an array that is read, as many as a tensor may have.
inline constexpr std::int64_t kMaxNpyElements = std::int64_t{1} << 30;

/// What a file says that it holds; its size is what that takes.
struct NpyInfo {
  ElementType type = ElementType::i8;  ///< float64 counts as f32.
  Shape shape;
};
/// The header alone: to compare the shape before anything is allocated.
[[nodiscard]] NpyInfo read_npy_info(const std::string& path);

/// Reads int8, uint8, int16, uint16, int32, int64, float32, and float64 rounded to float32. Anything else
/// (big endian, Fortran order, booleans, complex numbers, pickled objects) is an InputError that names the
/// remedy.
[[nodiscard]] TensorData read_npy(const std::string& path);

/// Writes version 1.0.
void write_npy(const std::string& path, const TensorData& data);

}  // namespace qsim

// Two sets of tensors, tensor by tensor.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/compare/tensor_set.h"

namespace qsim {

/// What may differ and still count as equal.
struct Tolerance {
  std::int64_t steps = 0;  ///< Integers: |a - b| in stored integers.
  double relative = 0.0;   ///< Floats: |a - b| <= relative * max |b| of the tensor b.
};

/// Element by element. Floats are compared by value: -0 equals 0, and NaN equals NaN alone.
struct TensorDifference {
  std::int64_t elements = 0;
  std::int64_t different = 0;  ///< Beyond the tolerance.
  std::int64_t unequal = 0;    ///< At all.
  double largest = 0.0;        ///< Largest |a - b|; infinite where only one of the two is a number.
  std::int64_t first = -1;     ///< Index, in C order, of the first element beyond the tolerance; -1: none.
  std::int64_t at = -1;        ///< Index of the (first) largest difference; -1: none.
};

/// Both of the same shape, both integers or both floats.
[[nodiscard]] TensorDifference compare_values(const TensorData& a, const TensorData& b,
                                              const Tolerance& tolerance);

enum class Verdict {
  equal,
  within_tolerance,
  different,
  other_type,   ///< The element types differ; values are compared where both are integers.
  other_shape,  ///< Nothing is compared.
  only_in_a,
  only_in_b,
};
[[nodiscard]] const char* verdict_name(Verdict verdict);  ///< "equal", "only_in_a", ..

struct TensorComparison {
  std::string name;
  Verdict verdict = Verdict::equal;
  std::optional<TensorDifference> difference;  ///< Where values could be compared.
  std::string a, b;                            ///< "I8 1x32x32x16"; empty on the side that lacks the tensor.
  Shape shape;                                 ///< Of the elements compared, to write positions.
  std::optional<double> scale;  ///< Real value of one step: of a, else of b; absent where neither says it.

  /// Verdicts that make the comparison fail; a tensor that one side lacks only where `all` are wanted.
  [[nodiscard]] bool fails(bool all_in_a, bool all_in_b) const;
};

struct CompareOptions {
  Tolerance tolerance;
  bool all_in_a = true;            ///< A tensor that only b has is a difference.
  bool all_in_b = true;            ///< A tensor that only a has is a difference.
  std::vector<std::string> order;  ///< Names in order of execution; others follow in the order of the files.
};

struct Comparison {
  std::vector<TensorComparison> tensors;
  std::int64_t failures = 0;  ///< Tensors that make the two sides different.
  /// First tensor of the list with a difference in values, type or shape; absent where there is none.
  std::optional<std::string> first_difference;
};

/// Throws InputError where the two have no name in common.
[[nodiscard]] Comparison compare_tensor_sets(const TensorSet& a, const TensorSet& b,
                                             const CompareOptions& options);

/// "[0,3,14,7]": position of element `index` of a tensor.
[[nodiscard]] std::string position_text(const Shape& shape, std::int64_t index);

}  // namespace qsim

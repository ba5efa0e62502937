// Values of nodes whose inputs are known when reading: shape arithmetic of exporters, and constants that are
// moved, cast or quantized before they are used.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "workloads/readers/onnx/attributes.h"
#include "workloads/readers/onnx/data_type.h"

namespace qsim::onnx_format {

/// One node to fold. `inputs` are its inputs' values, nullptr where an optional one is absent.
struct FoldRequest {
  const OnnxNode& node;
  const std::string& file;
  const Attributes& attributes;
  std::int64_t opset = 0;
  std::vector<const OnnxTensor*> inputs;

  [[noreturn]] void fail(const std::string& subject, const std::string& value,
                         const std::string& expected) const;
  [[nodiscard]] bool has(std::size_t input) const {
    return input < inputs.size() && inputs[input] != nullptr;
  }
  /// A present input; throws InputError where it is absent.
  [[nodiscard]] const OnnxTensor& input(std::size_t index) const;
  /// The integers of a present input.
  [[nodiscard]] std::vector<std::int64_t> integers(std::size_t index) const;
  /// A list that newer opsets give as input `index` and older ones as an attribute; nothing where neither has
  /// it.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> list(std::size_t index, const char* attribute) const;
};

/// The node's value, or nothing where the operator is none that folds. Results have at most 2^22 elements
/// unless they only rearrange their inputs. Throws InputError for operands that do not fit.
[[nodiscard]] std::optional<OnnxTensor> fold_node(const FoldRequest& request);

// ---- what the operators share, folded or not --------------------------------------------------------------

/// `index` from the end where it is negative; throws through the request where it lies outside 0..size-1.
[[nodiscard]] std::int64_t wrapped_index(const FoldRequest& request, const std::string& subject,
                                         std::int64_t index, std::int64_t size);
/// numpy broadcasting; nothing where the shapes do not fit.
[[nodiscard]] std::optional<Shape> broadcast_shape(const Shape& a, const Shape& b);
/// A tensor of at most `limit` elements; throws through the request where the shape is larger or negative.
[[nodiscard]] OnnxTensor make_folded(const FoldRequest& request, OnnxType type, const Shape& shape);
/// Target shape of Reshape: 0 copies a dimension (unless `allow_zero`), -1 takes what is left. Nothing where
/// that does not fit.
[[nodiscard]] std::optional<Shape> reshaped(const Shape& from, const std::vector<std::int64_t>& target,
                                            bool allow_zero);
/// Shape without `axes` (all dimensions of 1 where they are not given) and with ones at `axes` of the result;
/// nothing where the axes do not fit.
[[nodiscard]] std::optional<Shape> squeezed(const Shape& from,
                                            const std::optional<std::vector<std::int64_t>>& axes);
[[nodiscard]] std::optional<Shape> unsqueezed(const Shape& from, const std::vector<std::int64_t>& axes);
/// A slice of one dimension: `count` indices begin, begin + step, ... as the operator Slice clamps them.
struct SliceRange {
  std::int64_t begin = 0, step = 1, count = 0;
};
[[nodiscard]] SliceRange slice_range(std::int64_t begin, std::int64_t end, std::int64_t step,
                                     std::int64_t size);
/// Source element of each element of a result, for rearrangements: source index = base + sum index_d *
/// stride_d.
[[nodiscard]] OnnxTensor rearranged(const OnnxTensor& source, const Shape& shape,
                                    const std::vector<std::int64_t>& strides, std::int64_t base);
/// `tensor` with dimension i taken from dimension permutation[i].
[[nodiscard]] OnnxTensor transposed(const OnnxTensor& tensor, const std::vector<std::int64_t>& permutation);

}  // namespace qsim::onnx_format

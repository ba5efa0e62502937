// Copies boxes of elements between tensors: what moves are made of.
#pragma once

#include <cstring>
#include <vector>

#include "workloads/graph/strided_copy.h"
#include "workloads/graph/tensor.h"

namespace qsim {

/// Elements of a tensor as a strided box: offset + sum index[d] * stride[d], in elements.
struct StridedBox {
  std::int64_t offset = 0;
  std::vector<std::int64_t> strides;
};

/// Copies a box of `shape` elements of one size from `in` to `out`.
class BoxCopy {
 public:
  BoxCopy(const Shape& shape, const TensorData& in, TensorData& out)
      : shape_(shape),
        element_bytes_(static_cast<std::int64_t>(element_size_bytes(in.type))),
        in_(in),
        out_(out) {}

  void run(const StridedBox& from, const StridedBox& to) { copy(0, from, to, from.offset, to.offset); }

 private:
  void copy(std::size_t d, const StridedBox& from, const StridedBox& to, std::int64_t in, std::int64_t out) {
    if (d == shape_.size()) return copy_run(in, out, 1);
    if (d + 1 == shape_.size() && from.strides[d] == 1 && to.strides[d] == 1)
      return copy_run(in, out, shape_[d]);
    for (std::int64_t i = 0; i < shape_[d]; ++i) {
      copy(d + 1, from, to, in + i * from.strides[d], out + i * to.strides[d]);
    }
  }
  void copy_run(std::int64_t in, std::int64_t out, std::int64_t count) {
    std::memcpy(out_.bytes.data() + out * element_bytes_, in_.bytes.data() + in * element_bytes_,
                static_cast<std::size_t>(count * element_bytes_));
  }

  const Shape& shape_;
  std::int64_t element_bytes_;
  const TensorData& in_;
  TensorData& out_;
};

}  // namespace qsim

// Windows over height and width, which convolution and pooling share.
#pragma once

#include <vector>

#include "workloads/readers/onnx/operator_context.h"

namespace qsim::onnx_format {

/// Kernel, stride, dilation and padding of the spatial dimensions as height and width; a 1-D operator has
/// height 1.
struct Window {
  std::int64_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  std::int64_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  std::int64_t crop_top = 0, crop_left = 0;  ///< Padding below 0.
  Shape output;                              ///< Spatial dimensions of the output.
};

/// The input has 1 or 2 spatial dimensions.
void expect_spatial(OperatorContext& context);
/// com.microsoft's pools may take [N, H, W, C].
[[nodiscard]] DimensionOrder image_order(OperatorContext& context);
[[nodiscard]] Window window_of(OperatorContext& context, const std::vector<std::int64_t>& kernel,
                               bool is_pool);
/// The first input channels last, without what `window` leaves out.
[[nodiscard]] TensorId windowed_input(OperatorContext& context, const Window& window,
                                      const DimensionOrder& order);

}  // namespace qsim::onnx_format

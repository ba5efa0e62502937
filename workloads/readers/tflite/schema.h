// The part of the TFLite schema (file identifier TFL3) that the reader uses, as field and enum numbers.
#pragma once

#include <cstdint>
#include <string>

namespace qsim::tflite {

/// TensorType
enum class TypeCode : std::int8_t {
  float32 = 0,
  float16 = 1,
  int32 = 2,
  uint8 = 3,
  int64 = 4,
  int16 = 7,
  int8 = 9,
  uint16 = 16,
  int4 = 17,
};
/// "INT8"; "type 99" for what is no TensorType.
[[nodiscard]] std::string type_name(TypeCode type);

/// BuiltinOperator: the operators that the reader knows.
enum class OperatorCode : std::int32_t {
  add = 0,
  average_pool_2d = 1,
  concatenation = 2,
  conv_2d = 3,
  depthwise_conv_2d = 4,
  dequantize = 6,
  fully_connected = 9,
  logistic = 14,
  max_pool_2d = 17,
  mul = 18,
  relu = 19,
  relu_n1_to_1 = 20,
  relu6 = 21,
  reshape = 22,
  resize_bilinear = 23,
  softmax = 25,
  tanh = 28,
  custom = 32,
  pad = 34,
  transpose = 39,
  mean = 40,
  sub = 41,
  squeeze = 43,
  strided_slice = 45,
  split = 49,
  cast = 53,
  prelu = 54,
  maximum = 55,
  minimum = 57,
  padv2 = 60,
  slice = 65,
  transpose_conv = 67,
  expand_dims = 70,
  shape = 77,
  pack = 83,
  resize_nearest_neighbor = 97,
  leaky_relu = 98,
  split_v = 102,
  elu = 111,
  quantize = 114,
  hard_swish = 117,
  batch_matmul = 126,
  gelu = 150,
  relu_0_to_1 = 152,
};
/// The schema's name of an operator ("CONV_2D"); "operator 999" for what is no BuiltinOperator.
[[nodiscard]] std::string operator_name(OperatorCode code);

// Field numbers, one namespace a table.
namespace model_field {
enum : int { operator_codes = 1, subgraphs = 2, buffers = 4 };
}
namespace operator_code_field {
/// Codes up to 127 stand in the deprecated byte, all codes in builtin_code; the larger one counts.
enum : int { deprecated_builtin_code = 0, custom_code = 1, builtin_code = 3 };
}  // namespace operator_code_field
namespace subgraph_field {
enum : int { tensors = 0, inputs = 1, outputs = 2, operators = 3, name = 4 };
}
namespace tensor_field {
enum : int { shape = 0, type = 1, buffer = 2, name = 3, quantization = 4, is_variable = 5, sparsity = 6 };
}
namespace quantization_field {
enum : int { scale = 2, zero_point = 3, details_type = 4, quantized_dimension = 6 };
}
namespace operator_field {
enum : int { opcode_index = 0, inputs = 1, outputs = 2, options_type = 3, options = 4 };
}
namespace buffer_field {
enum : int { data = 0, offset = 1, size = 2 };
}
/// Fields that Conv2DOptions, DepthwiseConv2DOptions, Pool2DOptions and TransposeConvOptions share.
namespace window_field {
enum : int { padding = 0, stride_w = 1, stride_h = 2 };
}
namespace conv_field {
enum : int { activation = 3, dilation_w = 4, dilation_h = 5 };
}
namespace depthwise_field {
enum : int { activation = 4, dilation_w = 5, dilation_h = 6 };
}
namespace pool_field {
enum : int { filter_w = 3, filter_h = 4, activation = 5 };
}
namespace transpose_conv_field {
enum : int { activation = 3 };
}
namespace fully_connected_field {
enum : int { activation = 0, weights_format = 1, keep_num_dims = 2 };
}
namespace concatenation_field {
enum : int { axis = 0, activation = 1 };
}
/// AddOptions, SubOptions and MulOptions (which has no second field).
namespace binary_field {
enum : int { activation = 0, pot_scale_int16 = 1 };
}
namespace strided_slice_field {
enum : int {
  begin_mask = 0,
  end_mask = 1,
  ellipsis_mask = 2,
  new_axis_mask = 3,
  shrink_axis_mask = 4,
  offset = 5
};
}
namespace reducer_field {
enum : int { keep_dims = 0 };
}
namespace softmax_field {
enum : int { beta = 0 };
}
namespace leaky_relu_field {
enum : int { alpha = 0 };
}
namespace gelu_field {
enum : int { approximate = 0 };
}
namespace resize_bilinear_field {
enum : int { align_corners = 2, half_pixel_centers = 3 };
}
namespace resize_nearest_field {
enum : int { align_corners = 0, half_pixel_centers = 1 };
}
namespace batch_matmul_field {
enum : int { adj_x = 0, adj_y = 1 };
}
namespace pack_field {
enum : int { axis = 1 };
}

}  // namespace qsim::tflite

#include "workloads/readers/onnx/given_constants.h"

#include "base/error.h"
#include "workloads/formats/npy.h"

namespace qsim::onnx_format {
namespace {

OnnxType onnx_type(ElementType type) {
  switch (type) {
    case ElementType::i8:
      return OnnxType::int8;
    case ElementType::u8:
      return OnnxType::uint8;
    case ElementType::i16:
      return OnnxType::int16;
    case ElementType::u16:
      return OnnxType::uint16;
    case ElementType::i32:
      return OnnxType::int32;
    case ElementType::i64:
      return OnnxType::int64;
    case ElementType::f32:
      return OnnxType::float32;
  }
  return OnnxType::undefined;
}

bool fits(const OnnxValue& input, const Shape& shape) {
  if (!input.shape) return true;
  if (input.shape->size() != shape.size()) return false;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const auto* size = std::get_if<std::int64_t>(&(*input.shape)[d]);
    if (size != nullptr && *size != shape[d]) return false;
  }
  return true;
}

}  // namespace

OnnxTensor read_given_constant(const OnnxValue& input, const std::string& path) {
  const NpyInfo info = read_npy_info(path);
  if (onnx_type(info.type) != input.type) {
    throw InputError(Problem{path, "", onnx_type_name(onnx_type(info.type)),
                             onnx_type_name(input.type) + " of input " + input.name, "convert the array"});
  }
  if (!fits(input, info.shape)) {
    throw InputError(Problem{path, "", "shape " + to_string(info.shape),
                             "the declared shape of input " + input.name,
                             "reshape the array (numpy.reshape)"});
  }
  const TensorData data = read_npy(path);
  return {input.type, data.shape, data.bytes};
}

}  // namespace qsim::onnx_format

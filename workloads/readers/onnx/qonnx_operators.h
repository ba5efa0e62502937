// The domains of QONNX operators, and the form of them in ONNX's own operators.
#pragma once

#include <array>
#include <string_view>

namespace qsim::onnx_format {

/// Of the qonnx package, of Brevitas before it, and of FINN.
inline constexpr std::array<std::string_view, 3> kQonnxDomains{"qonnx.custom_op.general", "onnx.brevitas",
                                                               "finn.custom_op.general"};

}  // namespace qsim::onnx_format

// The structure of an ONNX file before protobuf allocates anything for it.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace qsim::onnx_format {

/// Walks the messages of a serialized ModelProto: tags, wire types and lengths are those of onnx.proto,
/// messages nest at most 64 deep, and what protobuf will allocate for them stays within 16 times (file + 1
/// MiB). Throws InputError with the place ("byte 1234 (graph.node[7].attribute[0])") where that is not so.
///
/// Wire format: protobuf.dev/programming-guides/encoding; field numbers: onnx.proto of ONNX 1.12.
void check_wire_format(std::span<const std::byte> bytes, const std::string& file);

}  // namespace qsim::onnx_format

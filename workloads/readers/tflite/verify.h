// The FlatBuffers verifier over the part of a TFLite file that the reader follows.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace qsim::tflite {

/// The first place ("subgraphs[0].tensors[3].name") that flatbuffers::Verifier rejects; "" where it accepts
/// everything: every table, vector and string lies inside the file, is aligned, strings end in NUL, tables
/// are at most 16 deep and at most a million. `bytes` are aligned to 8 and fewer than 2^31.
[[nodiscard]] std::string find_unverified_place(std::span<const std::byte> bytes);

}  // namespace qsim::tflite

// The way from the bytes of a .tflite file to tables whose every offset and length has been checked.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "workloads/readers/tflite/schema_generated.h"

namespace qsim::tflite {

/// The model in `bytes`, which are aligned to 8, fewer than 2^31 and outlive it. The FlatBuffers verifier has
/// accepted all that schema.fbs names: every table, vector and string lies inside the file, is aligned,
/// strings end in NUL, tables are at most 16 deep and at most a million. Throws InputError with the first
/// place
/// ("subgraphs[0].tensors[3].name") and byte that it rejects.
[[nodiscard]] const file::Model& verified_model(std::span<const std::byte> bytes, const std::string& path);

}  // namespace qsim::tflite

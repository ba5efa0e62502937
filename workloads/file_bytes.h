// Whole files in memory, with a limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace qsim {

/// The file's bytes. Throws InputError where it cannot be read or has more than `max_bytes`; `what` names
/// what was expected ("an ONNX model"). A pipe is read up to the limit; folders and devices are refused.
[[nodiscard]] std::vector<std::byte> read_file_bytes(const std::string& path, std::uint64_t max_bytes,
                                                     const std::string& what);

}  // namespace qsim

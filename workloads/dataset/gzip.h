// Decompression of gzip files.
#pragma once

#include <cstdint>
#include <vector>

#include "base/random_access_file.h"

namespace qsim {

/// Whether the file begins as gzip files do.
[[nodiscard]] bool is_gzip(const RandomAccessFile& file);

/// The decompressed content, all members of the file one after the other. Memory grows with what has been
/// decompressed; more than `max_bytes` of it is an InputError, like damage, a file that is cut off, and a
/// wrong checksum.
[[nodiscard]] std::vector<std::uint8_t> gunzip(const RandomAccessFile& file, std::int64_t max_bytes);

}  // namespace qsim

// Result files that are either whole or not there.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace qsim {

/// Writes `content` under a temporary name in the folder of `path`, then renames it to `path`: a reader sees
/// the old file or the new one, and a failure leaves the old one alone. A target that exists and is not a
/// regular file ("/dev/null", a pipe) is written directly. A symbolic link keeps being one; the file that it
/// names is replaced. Throws InputError when anything fails.
void write_file_atomically(const std::string& path, std::span<const std::byte> content);
void write_file_atomically(const std::string& path, std::string_view content);

}  // namespace qsim

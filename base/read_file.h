// Reading what a user hands in: the kind of file and its size are checked before anything is allocated, and
// nothing waits for a pipe that nobody writes to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace qsim {

/// What a reader wants of a file, in the words of its messages.
struct FileUse {
  std::string expected;             ///< "a JSON file that can be read"
  std::int64_t max_bytes = 0;       ///< Larger files are refused before they are read.
  std::string too_large_hint = {};  ///< What to do with a larger one.
};

/// Size of a regular file. Throws InputError for what is missing, unreadable, empty, a folder, a pipe or a
/// device, and for a file of more than `use.max_bytes`.
[[nodiscard]] std::int64_t checked_file_size(const std::string& path, const FileUse& use);

/// The whole content. Pipes are read too, up to `use.max_bytes`; one without a writer is an empty file.
/// Throws as checked_file_size does.
[[nodiscard]] std::vector<std::byte> read_file(const std::string& path, const FileUse& use);

/// True where `path` names something that is not a folder. False for every name with a NUL in it.
[[nodiscard]] bool is_file(const std::string& path);

}  // namespace qsim

#include "workloads/file_bytes.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "workloads/error.h"

namespace qsim {

std::vector<std::byte> read_file_bytes(const std::string& path, std::uint64_t max_bytes,
                                       const std::string& what) {
  const auto too_large = [&](const std::string& size) {
    return InputError(Problem{path, "", size, what + " of at most " + std::to_string(max_bytes) + " bytes",
                              "check the path"});
  };
  std::error_code error;
  const std::filesystem::file_type type = std::filesystem::status(path, error).type();
  if (type == std::filesystem::file_type::directory)
    throw InputError(Problem{path, "", "a folder", what, "name a file in it"});
  if (type == std::filesystem::file_type::character || type == std::filesystem::file_type::block)
    throw InputError(Problem{path, "", "a device", what, "name a file"});
  std::ifstream stream(path, std::ios::binary);
  if (!stream)
    throw InputError(Problem{path, "", std::strerror(errno), what + " that can be read", "check the path"});
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (!error && size > max_bytes) throw too_large(std::to_string(size) + " bytes");
  std::vector<std::byte> bytes;
  if (!error) bytes.reserve(size);
  std::array<char, 1 << 16> block{};
  while (stream.read(block.data(), block.size()) || stream.gcount() > 0) {
    const auto* begin = reinterpret_cast<const std::byte*>(block.data());
    if (bytes.size() + static_cast<std::uint64_t>(stream.gcount()) > max_bytes)
      throw too_large("a larger file");
    bytes.insert(bytes.end(), begin, begin + stream.gcount());
  }
  if (stream.bad()) {
    throw InputError(
        Problem{path, "", "a file that cannot be read", what + " that can be read", "check the disk"});
  }
  return bytes;
}

}  // namespace qsim

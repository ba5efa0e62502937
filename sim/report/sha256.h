// SHA-256 of bytes, as OpenSSL computes it.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace qsim {

/// 64 lower-case hexadecimal digits.
[[nodiscard]] std::string sha256_hex(std::span<const std::byte> bytes);

}  // namespace qsim

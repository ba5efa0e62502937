// Text of strangers (names in models, file names, values) on a terminal: one line that shows what it is.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace qsim {

/// `text` with everything escaped that moves the cursor, breaks the line, reorders what is shown or is no
/// UTF-8: "\n", "\t", "\r", "\x1b" for bytes, "\u{202e}" for code points.
[[nodiscard]] std::string printable(std::string_view text);

/// The same of a text that is longer than `max_bytes` shortened in the middle ("begin ... end").
[[nodiscard]] std::string printable(std::string_view text, std::size_t max_bytes);

/// `text` with each byte that is no UTF-8 replaced by U+FFFD: for names that are written to JSON.
[[nodiscard]] std::string valid_utf8(std::string_view text);

}  // namespace qsim

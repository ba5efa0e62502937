// Plain text in columns, for names of any origin.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace qsim {

/// Columns that a text takes: code points of UTF-8, one each.
[[nodiscard]] std::size_t columns_of(std::string_view text);
/// Exactly `columns` wide: padded, or with "..." in place of its middle. Control characters become '?'.
[[nodiscard]] std::string to_columns(std::string_view text, std::size_t columns);
/// `text` behind `lead`, broken at spaces into lines of at most `columns`, all but the first indented by four
/// more than the lead's own indentation. Ends with a newline.
[[nodiscard]] std::string wrapped(const std::string& lead, std::string_view text, std::size_t columns);
/// Ascending numbers as "1-4, 9".
[[nodiscard]] std::string ranges_of(const std::vector<std::size_t>& numbers);

}  // namespace qsim

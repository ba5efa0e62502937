// Cells of CSV files (RFC 4180).
#pragma once

#include <string>

namespace qsim {

/// Quoted where the text holds a separator, a quote or a line break; quotes are doubled.
[[nodiscard]] inline std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"') result += '"';
    result += c;
  }
  return result + '"';
}

}  // namespace qsim

#include "sim/check/text_layout.h"

#include <algorithm>

namespace qsim {
namespace {

bool starts_code_point(char c) {
  constexpr unsigned kContinuationMask = 0xC0;
  constexpr unsigned kContinuation = 0x80;
  return (static_cast<unsigned char>(c) & kContinuationMask) != kContinuation;
}

std::string without_controls(std::string_view text) {
  constexpr unsigned char kSpace = 0x20;
  constexpr unsigned char kDelete = 0x7F;
  std::string result(text);
  std::ranges::replace_if(
      result,
      [](char c) {
        return static_cast<unsigned char>(c) < kSpace || static_cast<unsigned char>(c) == kDelete;
      },
      '?');
  return result;
}

/// Byte at which code point `index` starts.
std::size_t byte_of(std::string_view text, std::size_t index) {
  std::size_t byte = 0;
  for (; byte < text.size(); ++byte) {
    if (starts_code_point(text[byte]) && index-- == 0) break;
  }
  return byte;
}

}  // namespace

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, starts_code_point));
}

std::string to_columns(std::string_view text, std::size_t columns) {
  constexpr std::string_view kGap = "...";
  std::string plain = without_controls(text);
  const std::size_t width = columns_of(plain);
  if (width > columns) {
    // The end of a name tells more than its start.
    const std::size_t kept = columns - std::min(columns, kGap.size());
    const std::size_t front = kept / 3;
    plain = plain.substr(0, byte_of(plain, front)) + std::string(kGap) +
            plain.substr(byte_of(plain, width - (kept - front)));
  }
  return plain + std::string(columns - std::min(columns, columns_of(plain)), ' ');
}

std::string wrapped(const std::string& lead, std::string_view text, std::size_t columns) {
  const std::size_t indentation = std::min(lead.find_first_not_of(' '), lead.size()) + 4;
  const std::string words =
      lead.substr(std::min(lead.find_first_not_of(' '), lead.size())) + without_controls(text);
  std::string line(indentation - 4, ' ');
  bool is_empty = true;
  std::string result;
  for (std::size_t start = 0; start <= words.size();) {
    const std::size_t end = std::min(words.find(' ', start), words.size());
    const std::string word = words.substr(start, end - start);
    if (!is_empty && columns_of(line) + 1 + columns_of(word) > columns) {
      result += line + "\n";
      line.assign(indentation, ' ');
      is_empty = true;
    }
    line += (is_empty ? "" : " ") + word;
    is_empty = false;
    start = end + 1;
  }
  return result + line + "\n";
}

std::string ranges_of(const std::vector<std::size_t>& numbers) {
  std::string text;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    text += (text.empty() ? "" : ", ") + std::to_string(numbers[i]);
    if (last > i) text += (last == i + 1 ? ", " : "-") + std::to_string(numbers[last]);
    i = last + 1;
  }
  return text;
}

}  // namespace qsim

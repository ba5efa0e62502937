#include "workloads/dataset/row_list.h"

#include <charconv>
#include <string_view>

#include "base/error.h"
#include "base/read_file.h"

namespace qsim {
namespace {

constexpr const char* kHint = "a list is text, one number a line: numpy.savetxt(FILE, rows, fmt=\"%d\")";
constexpr std::string_view kBlanks = " \t\r";

std::string_view without_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

/// Lines of one file, checked one after the other.
class RowList {
 public:
  RowList(const std::string& path, std::int64_t rows, const std::string& data)
      : path_(path), rows_(rows), data_(data), line_of_(static_cast<std::size_t>(rows), 0) {}

  void add_line(std::string_view text) {
    ++line_;
    const std::string_view word = without_blanks(text);
    if (word.empty()) return;
    std::int64_t row = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), row);
    const bool is_number = error == std::errc{} && end == word.data() + word.size();
    if (!is_number || row < 0 || row >= rows_) {
      fail(word, "a row of " + data_ + ", 0 to " + std::to_string(rows_ - 1), kHint);
      return;
    }
    std::int64_t& first = line_of_[static_cast<std::size_t>(row)];
    if (first != 0) {
      fail(word, "each row once; line " + std::to_string(first) + " has it", "leave one of them out");
      return;
    }
    first = line_;
    list_.push_back(row);
  }

  [[nodiscard]] std::vector<std::int64_t> finish() {
    if (problems_.empty() && list_.empty())
      problems_.add(
          {path_, "", "no number", "rows of " + data_ + ", 0 to " + std::to_string(rows_ - 1), kHint});
    problems_.throw_if_any();
    return std::move(list_);
  }

 private:
  void fail(std::string_view word, std::string expected, std::string hint) {
    problems_.add({path_, "line " + std::to_string(line_), '"' + std::string(word) + '"', std::move(expected),
                   std::move(hint)});
  }

  const std::string& path_;
  std::int64_t rows_;
  const std::string& data_;
  std::vector<std::int64_t> line_of_;  ///< By row: the line that names it, counted from 1; 0: none yet.
  std::int64_t line_ = 0;
  std::vector<std::int64_t> list_;
  ProblemCollector problems_;
};

}  // namespace

std::vector<std::int64_t> read_row_list(const std::string& path, std::int64_t rows, const std::string& data) {
  const std::vector<std::byte> bytes =
      read_file(path, {"a list of row numbers that can be read", kMaxRowListBytes, kHint});
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  RowList list(path, rows, data);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    list.add_line(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return list.finish();
}

}  // namespace qsim

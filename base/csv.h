// Comma-separated values as RFC 4180 has them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qsim {

/// One cell: quoted where the text holds a separator, a quote or a line break; quotes are doubled.
[[nodiscard]] std::string csv_cell(std::string_view text);

/// Walks over a text record by record. Lines end in LF or CRLF; a field in double quotes may hold commas,
/// line ends and doubled quotes. A byte order mark at the beginning and lines without any character are
/// skipped.
class CsvReader {
 public:
  struct Record {
    std::int64_t line = 0;  ///< Where it begins, from 1.
    std::vector<std::string> fields;
    std::string
        error;  ///< What is wrong with its quotes; empty when nothing is. The fields are then unusable.
  };

  explicit CsvReader(std::string_view text);
  /// False at the end.
  bool next(Record& record);

 private:
  void read_field(Record& record);
  void read_quoted(std::string& field, Record& record);
  [[nodiscard]] bool at_line_end() const;
  void skip_line_end();

  std::string_view text_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1;
};

}  // namespace qsim
